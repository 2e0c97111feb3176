/* SPDX-License-Identifier: MIT */
#include "plugin/border.h"

#include <math.h>
#include <string.h>

#include "base/guard.h"

gboolean border_same(const struct dvt_tensor *tensor, const struct dvt_tensor *made, const char *name, GError **error) {
  if (tensor->data == made->data && tensor->dtype == made->dtype && tensor->place == made->place &&
      tensor->rank == made->rank && !memcmp(tensor->shape, made->shape, made->rank * sizeof *made->shape))
    return TRUE;
  return error_failed(error, "the plugin changed memory, type or shape of the %s, which are the host's", name);
}

/* The first of `count` values that is not finite, or count. The loop without a branch is what runs as a rule. */
static gsize find_not_finite(const float *values, gsize count) {
  const guint32 exponent = 0x7f800000;
  gboolean found = FALSE;
  gsize k = 0;
  for (gsize i = 0; i < count; i++) {
    guint32 bits;
    memcpy(&bits, &values[i], sizeof bits);
    found |= (bits & exponent) == exponent;
  }
  if (!found) return count;
  while (isfinite(values[k])) k++;
  return k;
}

static gboolean not_finite(const char *name, float value, GError **error) {
  return error_failed(error,
                      "the %s are not finite: there is %s; the plugin is wrong, or the training diverges, and a lower "
                      "learning rate or a longer warm-up may help",
                      name, isnan(value) ? "a NaN" : "an infinity");
}

static gboolean overwritten(const char *name, GError **error) {
  return error_failed(error, "memory beside the %s was overwritten: the plugin writes past their end", name);
}

gboolean border_good(const struct dvt_tensor *tensor, const char *name, GError **error) {
  const gsize count = (gsize)dvt_tensor_count(tensor), bad = find_not_finite(tensor->data, count);
  if (bad < count) return not_finite(name, ((const float *)tensor->data)[bad], error);
  return guard_intact(tensor->data) || overwritten(name, error);
}

static gboolean all_zero(const float *values, gsize count) {
  for (gsize k = 0; k < count; k++)
    if (values[k] != 0) return FALSE;
  return TRUE;
}

gboolean border_arena_good(const struct module *module, const float *arena, gsize size, const char *name,
                           GError **error) {
  for (guint k = 0; k < module->weight_count; k++) {
    const gsize at = module->offsets[k], count = module_weight_elements(module, k);
    if (at >= size) continue;
    const gsize bad = find_not_finite(arena + at, count);
    const gboolean apart = all_zero(arena + at + count, module_gap(module, k)) && all_zero(arena, MODULE_FIRST_GAP);
    if (bad == count && apart) continue;
    g_autofree char *what = g_strdup_printf("%s of %s", name, module->weights[k]->name);
    return bad < count ? not_finite(what, arena[at + bad], error) : overwritten(what, error);
  }
  return TRUE;
}
