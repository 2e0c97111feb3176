/* SPDX-License-Identifier: MIT */
#include "conform/record.h"

#include <math.h>
#include <string.h>

struct section {
  const char *name;
  float *values;
  gsize count;
};

struct record {
  GPtrArray *sections;
};

static void section_free(gpointer data) {
  struct section *section = data;
  g_free(section->values);
  g_free(section);
}

struct record *record_new(void) {
  struct record *record = g_new(struct record, 1);
  record->sections = g_ptr_array_new_with_free_func(section_free);
  return record;
}

void record_free(struct record *record) {
  if (!record) return;
  g_ptr_array_unref(record->sections);
  g_free(record);
}

static float *add(struct record *record, const char *name, gsize count) {
  struct section *section = g_new(struct section, 1);
  *section = (struct section){g_intern_string(name), g_new(float, count + 1), count};
  g_ptr_array_add(record->sections, section);
  return section->values;
}

void record_floats(struct record *record, const char *name, const float *values, gsize count) {
  memcpy(add(record, name, count), values, count * sizeof *values);
}

void record_bytes(struct record *record, const char *name, const guint8 *values, gsize count) {
  float *copy = add(record, name, count);
  for (gsize k = 0; k < count; k++) copy[k] = values[k];
}

/* A double is kept as the nearest float and what is missing to it. */
void record_number(struct record *record, const char *name, double value) {
  const float nearest = (float)value;
  record_floats(record, name, (float[]){nearest, (float)(value - (double)nearest)}, 2);
}

static double largest(const struct section *section) {
  double most = 0;
  for (gsize k = 0; k < section->count; k++) most = fmax(most, fabs((double)section->values[k]));
  return most;
}

static char *section_difference(const struct section *a, const struct section *b, double tolerance) {
  const double bound = tolerance * largest(a);
  if (a->count != b->count) return g_strdup_printf("%s has another size", a->name);
  for (gsize k = 0; k < a->count; k++) {
    const gboolean same = memcmp(&a->values[k], &b->values[k], sizeof(float)) == 0;
    if (same || (tolerance > 0 && fabs((double)a->values[k] - (double)b->values[k]) <= bound)) continue;
    return g_strdup_printf("%s[%" G_GSIZE_FORMAT "] is %.9g and then %.9g", a->name, k, (double)a->values[k],
                           (double)b->values[k]);
  }
  return NULL;
}

char *record_difference(const struct record *first, const struct record *second, double tolerance) {
  const GPtrArray *others = second->sections;
  char *difference = NULL;
  guint at = 0;
  for (guint k = 0; !difference && k < first->sections->len; k++) {
    const struct section *section = first->sections->pdata[k];
    guint other = at;
    while (other < others->len && strcmp(((struct section *)others->pdata[other])->name, section->name)) other++;
    if (other == others->len) continue;
    difference = section_difference(section, others->pdata[other], tolerance);
    at = other + 1;
  }
  return difference;
}

char *record_not_finite(const struct record *record) {
  for (guint s = 0; s < record->sections->len; s++) {
    const struct section *section = record->sections->pdata[s];
    for (gsize k = 0; k < section->count; k++)
      if (!isfinite(section->values[k]))
        return g_strdup_printf("%s[%" G_GSIZE_FORMAT "] is %g", section->name, k, (double)section->values[k]);
  }
  return NULL;
}
