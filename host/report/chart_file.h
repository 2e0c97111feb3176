/* SPDX-License-Identifier: MIT */
/** Charts as files. The same chart gives the same bytes on a machine; other versions of fonts may differ. */
#ifndef REPORT_CHART_FILE_H
#define REPORT_CHART_FILE_H

#include "base/error.h"
#include "report/chart.h"

/**
 * Both replace what was there, whole or not at all; DOVETAIL_FAILED names the file. The PNG has two pixels a point, or
 * fewer where a side would have more than 32,767.
 */
gboolean chart_write_svg(const struct chart *chart, const char *path, GError **error);
gboolean chart_write_png(const struct chart *chart, const char *path, GError **error);

#endif
