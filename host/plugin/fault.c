/* SPDX-License-Identifier: MIT */
#include "plugin/fault.h"

#include <string.h>

char *fault_text(const struct dvt_error *fault, int status) {
  const gsize length = strnlen(fault->message, sizeof fault->message);
  if (length) return g_utf8_make_valid(fault->message, (gssize)length);
  if (status == DVT_ERROR_MEMORY) return g_strdup("out of memory");
  return g_strdup_printf("it failed with status %d and did not say why", status);
}
