/* SPDX-License-Identifier: MIT */
/**
 * The figures of a sweep:
 *
 *     NAME-accuracy     own and swap accuracy of each group, with a dashed line at chance
 *     NAME-similarity   correlation of features, same index and after matching, of each group
 *
 * each as .svg, .png and, its numbers, .csv. A figure or series that no run has numbers for is left out.
 *
 * Any axes: the split points stand on the x axis where the sweep has an axis of them, otherwise the last axis does;
 * each combination of labels of the other axes is a panel. The seed is no axis: it makes the whiskers.
 */
#ifndef REPORT_FIGURES_H
#define REPORT_FIGURES_H

#include "report/summary.h"

/**
 * Draws the figures into a folder, which is made. Returns the paths of the files (GPtrArray of strings, to be unrefd);
 * NULL with DOVETAIL_FAILED that names what could not be made.
 */
GPtrArray *figures_write(const struct summary *summary, const char *folder, GError **error);

#endif
