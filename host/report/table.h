/* SPDX-License-Identifier: MIT */
/** Results as text for people. All functions append to `out`. */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include <glib.h>

/**
 * One run in a comparison. Accuracies are shares; swap is NaN when there is nothing to swap. kept: the share of its
 * accuracy above chance that a head keeps on the other's extractor; NaN when there is none above chance.
 */
struct report_row {
  const char *name;
  double own, swap, chance, kept;
};

/** Accuracy of every extractor (rows) with every head (columns), in per cent; "-" where they do not fit. */
void report_cross(GString *out, const char *const *names, guint count, const double *accuracy);

/** How the features of two extractors resemble each other, on images of one task. A measure that is NaN shows "-". */
struct report_pair {
  const char *extractor, *other;
  const char *images; /**< whose test images; NULL where both networks have the same */
  double correlation, matched_correlation, cka;
  guint dead[2]; /**< channels without variance: of the extractor, of the other */
};

/** A line for each pair; numbers of dead channels where any pair has some. Nothing when there is no pair. */
void report_similarity(GString *out, const struct report_pair *pairs, guint count);

/** Own accuracy, swap accuracy and chance of each run. */
void report_comparison(GString *out, const struct report_row *rows, guint count);

/** The value, or 0 where so many digits after the point would show -0. */
double report_shown(double value, int digits);

/** One line that says what the rows mean: what a head keeps. Nothing when no row has a swap accuracy. */
void report_verdict(GString *out, const struct report_row *rows, guint count);

#endif
