/* SPDX-License-Identifier: MIT */
/* What a module says of itself. */
#include <string.h>

#include "conform/checks.h"
#include "conform/rig.h"

void check_module_weights(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  if (!rig) return;
  const struct module *module = rig->module;
  for (guint k = 0; k < module->weight_count; k++)
    if (module->ops->weight(module->self, k) != module->weights[k])
      probe_fail(probe, "weight(%u) returned another pointer the second time", k);
  for (guint past = 0; past < 3; past++)
    if (module->ops->weight(module->self, module->weight_count + past))
      probe_fail(probe, "weight(%u) is not NULL, though weight(%u) was", module->weight_count + past,
                 module->weight_count);
}

void check_module_weight_sizes(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  for (guint k = 0; rig && k < rig->module->weight_count; k++) {
    const struct dvt_weight *weight = rig->module->weights[k];
    if (weight->struct_size < sizeof *weight)
      probe_fail(probe, "weight %s has struct_size %u; in ABI 1.0 it is %zu", weight->name, weight->struct_size,
                 sizeof *weight);
    if (weight->decays > 1) probe_fail(probe, "weight %s has decays %u, not 0 or 1", weight->name, weight->decays);
    if (weight->role == DVT_WEIGHT_BUFFER && weight->decays)
      probe_fail(probe, "weight %s is a buffer that decays", weight->name);
  }
}

static gboolean check_split(struct probe *probe, const struct values *values, const struct rig *whole,
                            const struct dvt_split *split) {
  struct site site = {.split = split->name};
  memcpy(site.input, whole->module->input, sizeof site.input);
  g_autofree char *refusal = NULL;
  AUTO(rig) cut = rig_new_at(probe, values, &site, &refusal);
  if (!cut && refusal) return probe_fail(probe, "init refused the split '%s' that it lists: %s", split->name, refusal);
  if (!cut) return FALSE;
  const gint64 *shape = cut->module->output;
  if (!memcmp(shape, split->shape, sizeof split->shape)) return TRUE;
  return probe_fail(probe,
                    "split '%s' is declared as %" G_GINT64_FORMAT "x%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT
                    ", but output_shape is %" G_GINT64_FORMAT "x%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT,
                    split->name, split->shape[0], split->shape[1], split->shape[2], shape[0], shape[1], shape[2]);
}

void check_module_splits(struct probe *probe) {
  AUTO(values) values = probe_values(probe);
  AUTO(rig) rig = values ? rig_open(probe) : NULL;
  if (!rig) return;
  const struct dvt_split *split;
  guint count = 0;
  for (; (split = module_split(rig->module, count)); count++)
    if (!check_split(probe, values, rig, split)) return;
  if (!count) probe_fail(probe, "split(0) is NULL; a backbone has at least one split");
}

void check_module_split_names(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  if (!rig) return;
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  const struct dvt_split *split;
  for (guint k = 0; (split = module_split(rig->module, k)); k++) {
    if (!split->name[0]) probe_fail(probe, "split %u has an empty name", k);
    if (!g_hash_table_add(names, (gpointer)split->name)) probe_fail(probe, "two splits are named '%s'", split->name);
  }
}

/* A second init is of another instance: this one only asks. */
void check_module_split_unknown(struct probe *probe) {
  AUTO(values) values = probe_values(probe);
  AUTO(rig) rig = values ? rig_open(probe) : NULL;
  if (!rig) return;
  struct site site = {.split = "no-such-split"};
  memcpy(site.input, rig->module->input, sizeof site.input);
  g_autofree char *refusal = NULL;
  AUTO(rig) cut = rig_new_at(probe, values, &site, &refusal);
  if (cut) probe_fail(probe, "init accepted the split '%s', which it does not list", site.split);
}

void check_module_output_shape(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  if (!rig) return;
  gint64 again[3] = {-1, -1, -1};
  rig->module->ops->output_shape(rig->module->self, again);
  if (memcmp(again, rig->module->output, sizeof again)) probe_fail(probe, "output_shape says something else each time");
}

void check_module_classes(struct probe *probe) {
  static const guint counts[] = {1, 2, 3, 10, 101};
  AUTO(values) values = probe_values(probe);
  AUTO(rig) rig = values ? rig_open(probe) : NULL;
  for (guint k = 0; rig && k < G_N_ELEMENTS(counts); k++) {
    struct site site = {.split = rig->split, .classes = counts[k]};
    memcpy(site.input, rig->module->input, sizeof site.input);
    g_autofree char *refusal = NULL;
    AUTO(rig) head = rig_new_at(probe, values, &site, &refusal);
    if (!head) {
      probe_warn(probe, "init refused %u classes: %s", counts[k], refusal ? refusal : "it broke the contract");
      continue;
    }
    const gint64 *shape = head->module->output;
    if (shape[0] != counts[k] || shape[1] != 1 || shape[2] != 1)
      probe_fail(probe,
                 "output_shape of a head for %u classes is %" G_GINT64_FORMAT "x%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT,
                 counts[k], shape[0], shape[1], shape[2]);
  }
}
