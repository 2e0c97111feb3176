/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"

#include <glib.h>
#include <string.h>

/* Damerau-Levenshtein distance with adjacent swaps (optimal string alignment). */
static unsigned edits(const char *a, const char *b) {
  const unsigned n = (unsigned)strlen(a), m = (unsigned)strlen(b), width = m + 1;
  g_autofree unsigned *rows = g_new(unsigned, (gsize)(n + 1) * width);
  for (unsigned i = 0; i <= n; i++) rows[i * width] = i;
  for (unsigned j = 0; j <= m; j++) rows[j] = j;
  for (unsigned i = 1; i <= n; i++)
    for (unsigned j = 1; j <= m; j++) {
      unsigned best = rows[(i - 1) * width + j - 1] + (a[i - 1] != b[j - 1]);
      best = MIN(best, rows[(i - 1) * width + j] + 1);
      best = MIN(best, rows[i * width + j - 1] + 1);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        best = MIN(best, rows[(i - 2) * width + j - 2] + 1);
      rows[i * width + j] = best;
    }
  return rows[n * width + m];
}

const char *nearest_name(const char *name, const char *const *names, unsigned count) {
  const gsize longest = 64; /* nobody means a name of ours by more */
  if (strlen(name) > longest) return NULL;
  const char *best = NULL;
  unsigned least = MAX(1u, (unsigned)strlen(name) / 3) + 1;
  for (unsigned k = 0; k < count; k++) {
    if (strlen(names[k]) > longest) continue;
    const unsigned distance = edits(name, names[k]);
    if (distance < least) best = names[k], least = distance;
  }
  return best;
}

char *nearest_hint(const char *name, const char *const *names, unsigned count) {
  const char *near = nearest_name(name, names, count);
  if (near) return g_strdup_printf("; did you mean '%s'?", near);
  GString *hint = g_string_new(count ? "; known: " : "");
  for (unsigned k = 0; k < count; k++) g_string_append_printf(hint, "%s%s", k ? ", " : "", names[k]);
  return g_string_free(hint, FALSE);
}
