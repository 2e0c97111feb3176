/* SPDX-License-Identifier: MIT */
#include "base/error.h"

G_DEFINE_QUARK(dovetail_error, dovetail_error)

gboolean error_at(GError **error, struct mark mark, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *message = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_set_error_literal(error, DOVETAIL_ERROR, DOVETAIL_WRONG, message);
  return error_place(error, mark);
}

gboolean error_place(GError **error, struct mark mark) {
  if (mark.line) g_prefix_error(error, "%s:%u:%u: ", mark.file, mark.line, mark.column);
  return FALSE;
}

gboolean error_failed(GError **error, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *message = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_set_error_literal(error, DOVETAIL_ERROR, DOVETAIL_FAILED, message);
  return FALSE;
}
