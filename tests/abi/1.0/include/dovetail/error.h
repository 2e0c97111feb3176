/* SPDX-License-Identifier: MIT */
/**
 * How a plugin says what went wrong. The caller owns the struct; the message is set once, by the lowest function that
 * knows. Messages are UTF-8, begin in lower case, have no full stop, and say what is wrong; what would be right.
 */
#ifndef DOVETAIL_ERROR_H
#define DOVETAIL_ERROR_H

#include <dovetail/abi.h>
#include <stdarg.h>
#include <stdio.h>

struct dvt_error {
  uint32_t struct_size;
  int32_t status;     /**< an enum dvt_status; DVT_OK while nothing is wrong */
  char message[1016]; /**< NUL-terminated; cut, never overrun */
};

#define DVT_ERROR_INIT {sizeof(struct dvt_error), DVT_OK, {0}}

/** Writes status and message into *error (NULL: nothing is written) and returns status. Any thread, any state. */
DVT_PRINTF(3, 4)
static inline int dvt_fail(struct dvt_error *error, int status, const char *format, ...) {
  if (error) {
    va_list arguments;
    error->status = status;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
  }
  return status;
}

#endif
