/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <string.h>

gboolean text_is_line(const char *text) {
  if (!g_utf8_validate(text, -1, NULL)) return FALSE;
  for (; *text; text = g_utf8_next_char(text))
    if (g_unichar_iscntrl(g_utf8_get_char(text))) return FALSE;
  return TRUE;
}

char *text_line(const char *text) {
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  GString *line = g_string_sized_new(strlen(valid));
  for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
    const gunichar character = g_utf8_get_char(at);
    g_string_append_unichar(line, g_unichar_iscntrl(character) ? ' ' : character);
  }
  return g_string_free(line, FALSE);
}
