/* SPDX-License-Identifier: MIT */
/** Text in columns. */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include <glib.h>
#include <stdio.h>

/**
 * Prints cells (GPtrArray of strings, row after row, `columns` in each) with every column as wide as its widest cell
 * and two spaces between; `indent` spaces before each row. Columns with nothing below their first row are left out.
 */
void columns_print(FILE *stream, const GPtrArray *cells, guint columns, guint indent);

#endif
