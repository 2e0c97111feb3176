/* SPDX-License-Identifier: MIT */
/** What came out of a plugin, in named sections, to be compared with what came out another time. */
#ifndef CONFORM_RECORD_H
#define CONFORM_RECORD_H

#include <glib.h>

#include "base/auto.h"

struct record;

struct record *record_new(void);
void record_free(struct record *record);
AUTO_DEFINE(record, record_free)

/** Appends a section; the same name may come again. */
void record_floats(struct record *record, const char *name, const float *values, gsize count);
void record_bytes(struct record *record, const char *name, const guint8 *values, gsize count);
void record_number(struct record *record, const char *name, double value);

/**
 * Compares the sections that both have, in order: bit by bit when tolerance is 0, else no element may differ by more
 * than that share of the section's largest. NULL when they agree, else "output[3] is 0.5 and then 0.25", which the
 * caller frees.
 */
char *record_difference(const struct record *first, const struct record *second, double tolerance);

/** The first element that is not finite, as "output[3] is nan"; NULL: none. The caller frees it. */
char *record_not_finite(const struct record *record);

#endif
