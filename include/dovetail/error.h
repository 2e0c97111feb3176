/* SPDX-License-Identifier: MIT */
/**
 * How a plugin says what went wrong. The caller owns the struct; the message is set once, by the lowest function that
 * knows. Messages are UTF-8, begin in lower case, have no full stop, and say what is wrong; what would be right.
 */
#ifndef DOVETAIL_ERROR_H
#define DOVETAIL_ERROR_H

#include <dovetail/abi.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

struct dvt_error {
  uint32_t struct_size;
  int32_t status;     /**< an enum dvt_status; DVT_OK while nothing is wrong */
  char message[1016]; /**< NUL-terminated; cut, never overrun */

  /**
   * Since 1.1; NULL: none, or not one alone. The parameter that is wrong: its name in the plugin's table, a string that
   * lives as long as the plugin. The host then names the place of its value in the experiment.
   */
  const char *param;
  uint64_t item; /**< since 1.1, with param, of type DVT_TYPE_STRINGS: which of the strings, from 0 */
};

#define DVT_ERROR_INIT                                                                                                 \
  { sizeof(struct dvt_error), DVT_OK, {0}, NULL, 0 }

/**
 * Writes status and message into *error, unless error is NULL, and forgets an earlier blame. Returns status. Any
 * thread, any state.
 */
DVT_PRINTF(3, 4)
static inline int dvt_fail(struct dvt_error *error, int status, const char *format, ...) {
  if (error) {
    va_list arguments;
    error->status = status;
    if (DVT_HAS(error, param)) error->param = NULL;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
  }
  return status;
}

/**
 * Around dvt_fail: says which parameter is wrong, and which item of it where it is a list (else 0). A host of 1.0 does
 * not learn of it. Returns status. Any thread, any state.
 */
static inline int dvt_blame(struct dvt_error *error, int status, const char *param, uint64_t item) {
  if (error && DVT_HAS(error, item)) {
    error->param = param;
    error->item = item;
  }
  return status;
}

#endif
