/* SPDX-License-Identifier: MIT */
/* The Hungarian method by shortest augmenting paths (Jonker and Volgenant, 1987); the cost of a pair is -score. */
#include "measure/assignment.h"

#include <math.h>

/* The column past the last is where the path of the row to be placed starts. */
struct solver {
  const double *score;
  guint rows, columns;
  double *row_price, *column_price; /* row price + column price <= cost, equal for pairs */
  gint *row_of;                     /* by column; -1: free */
  guint *from;                      /* by column: the one before it on the shortest path */
  double *distance;                 /* by column: of the path to it, beyond that to the columns reached */
  gboolean *reached;
};

/* Extends the shortest paths from a column that was just reached, and returns the next nearest. */
static guint reach(struct solver *solver, guint at) {
  const guint row = (guint)solver->row_of[at];
  const double *score = solver->score + (gsize)row * solver->columns;
  double least = (double)INFINITY;
  guint nearest = at;
  solver->reached[at] = TRUE;
  for (guint c = 0; c < solver->columns; c++) {
    if (solver->reached[c]) continue;
    const double distance = -score[c] - solver->row_price[row] - solver->column_price[c];
    if (distance < solver->distance[c]) solver->distance[c] = distance, solver->from[c] = at;
    if (solver->distance[c] < least) least = solver->distance[c], nearest = c;
  }
  for (guint c = 0; c <= solver->columns; c++) {
    if (!solver->reached[c]) {
      solver->distance[c] -= least;
      continue;
    }
    solver->row_price[solver->row_of[c]] += least;
    solver->column_price[c] -= least;
  }
  return nearest;
}

/* Finds the shortest path from a row to a free column, and moves the rows on it one column on. */
static void place(struct solver *solver, guint row) {
  guint at = solver->columns;
  for (guint c = 0; c <= solver->columns; c++) {
    solver->distance[c] = (double)INFINITY;
    solver->reached[c] = FALSE;
  }
  solver->row_of[at] = (gint)row;
  while (solver->row_of[at] >= 0) at = reach(solver, at);
  for (; at != solver->columns; at = solver->from[at]) solver->row_of[at] = solver->row_of[solver->from[at]];
}

void assignment_best(const double *score, guint rows, guint columns, guint *column_of) {
  g_autofree double *row_price = g_new0(double, rows + 1), *column_price = g_new0(double, columns + 1);
  g_autofree double *distance = g_new(double, columns + 1);
  g_autofree gint *row_of = g_new(gint, columns + 1);
  g_autofree guint *from = g_new(guint, columns + 1);
  g_autofree gboolean *reached = g_new(gboolean, columns + 1);
  struct solver solver = {score, rows, columns, row_price, column_price, row_of, from, distance, reached};
  for (guint c = 0; c <= columns; c++) row_of[c] = -1;
  for (guint row = 0; row < rows; row++) place(&solver, row);
  for (guint c = 0; c < columns; c++)
    if (row_of[c] >= 0) column_of[row_of[c]] = c;
}
