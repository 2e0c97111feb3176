/* SPDX-License-Identifier: MIT */
#ifndef MEASURE_ASSIGNMENT_H
#define MEASURE_ASSIGNMENT_H

#include <glib.h>

/**
 * The one-to-one assignment of every row to a column with the greatest sum of scores, exactly: column_of[rows], all
 * different. score is [rows × columns], finite, rows <= columns. Takes time of rows² · columns.
 */
void assignment_best(const double *score, guint rows, guint columns, guint *column_of);

#endif
