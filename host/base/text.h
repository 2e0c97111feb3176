/* SPDX-License-Identifier: MIT */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <glib.h>

/** Whether a text can be shown as it is: UTF-8 in one line, without control characters. */
gboolean text_is_line(const char *text);

/** The text as it can be shown: with spaces for control characters, and valid UTF-8. The caller frees it. */
char *text_line(const char *text);

#endif
