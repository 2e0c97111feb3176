/* SPDX-License-Identifier: MIT */
#include "base/text.h"

gboolean text_is_line(const char *text) {
  if (!g_utf8_validate(text, -1, NULL)) return FALSE;
  for (; *text; text = g_utf8_next_char(text))
    if (g_unichar_iscntrl(g_utf8_get_char(text))) return FALSE;
  return TRUE;
}
