/* SPDX-License-Identifier: MIT */
/* What backward does with the gradients that are there, or not wanted. */
#include <math.h>
#include <string.h>

#include "conform/checks.h"
#include "conform/rig.h"

/* Gradients of the weights after a trial that began with `start` in them. */
static gboolean fly_from(struct trial *trial, float start, float *gradients) {
  trial_set_gradients(trial, start);
  if (!trial_forward(trial, RIG_CAPACITY) || !trial_backward(trial, RIG_CAPACITY, TRUE)) return FALSE;
  memcpy(gradients, trial->gradients.data, trial->gradients.size);
  return TRUE;
}

static gboolean adds(struct probe *probe, const struct dvt_weight *weight, const float *zero, const float *one,
                     gsize count) {
  for (gsize k = 0; k < count; k++)
    if (fabs((double)one[k] - (double)zero[k] - 1) > 1e-4 * (1 + fabs((double)zero[k])))
      return probe_fail(probe, "backward made the gradient %s[%" G_GSIZE_FORMAT "] %g from 0, and %g from 1",
                        weight->name, k, (double)zero[k], (double)one[k]);
  return TRUE;
}

void check_module_backward_adds(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  AUTO(trial) trial = rig ? trial_new(rig, &rig_modes[0], "adds") : NULL;
  if (!trial) return;
  const struct module *module = rig->module;
  g_autofree float *zero = g_malloc(trial->gradients.size), *one = g_malloc(trial->gradients.size);
  if (!fly_from(trial, 0, zero) || !fly_from(trial, 1, one)) return;
  for (guint k = 0; k < module->weight_count; k++)
    if (module->weights[k]->role == DVT_WEIGHT_PARAMETER &&
        !adds(probe, module->weights[k], zero + module->offsets[k], one + module->offsets[k],
              module_weight_elements(module, k)))
      return;
}

void check_module_backward_null(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  for (guint mode = 0; rig && mode < RIG_MODES; mode++) {
    AUTO(record) whole = record_new();
    AUTO(record) part = record_new();
    AUTO(trial) trial = trial_new(rig, &rig_modes[mode], "null");
    if (!trial || !trial_run(trial, RIG_CAPACITY, whole)) return;
    const gsize count = trial->input_gradient.size / sizeof(float);
    block_poison(trial->input_gradient.data, count);
    trial_set_gradients(trial, 0);
    if (!trial_forward(trial, RIG_CAPACITY) || !trial_backward(trial, RIG_CAPACITY, FALSE)) return;
    if (!block_poisoned(trial->input_gradient.data, count))
      probe_fail(probe, "backward wrote an input gradient that was not asked for");
    for (guint k = 0; k < rig->module->weight_count; k++)
      if (rig->module->weights[k]->role == DVT_WEIGHT_PARAMETER)
        record_floats(part, rig->module->weights[k]->name, (float *)trial->gradients.data + rig->module->offsets[k],
                      module_weight_elements(rig->module, k));
    probe_agree(probe, "with and without input_gradient", whole, part, 1e-4);
  }
}

/* What a pass yields with gradients of the weights and backward, and without some of them. */
static void compare_without(struct probe *probe, const char *what, guint flags) {
  AUTO(rig) rig = rig_open(probe);
  for (guint mode = 0; rig && mode < RIG_MODES; mode++) {
    AUTO(record) whole = record_new();
    AUTO(record) part = record_new();
    struct trial_config config = rig_modes[mode];
    if (!rig_try(rig, &config, "without", RIG_CAPACITY, whole)) return;
    config.flags &= ~flags;
    config.frozen = TRUE;
    if (rig_try(rig, &config, "without", RIG_CAPACITY, part)) probe_agree(probe, what, whole, part, 1e-4);
  }
}

void check_module_backward_frozen(struct probe *probe) {
  compare_without(probe, "with and without gradients of the weights", 0);
}

void check_module_forward_only(struct probe *probe) {
  compare_without(probe, "with and without DVT_PASS_BACKWARD", DVT_PASS_BACKWARD);
}

/* backward is that of the last forward: an earlier one, of other inputs, leaves no trace. */
void check_module_backward_last(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  AUTO(trial) trial = rig ? trial_new(rig, &rig_modes[0], "last") : NULL;
  AUTO(record) direct = record_new();
  AUTO(record) after = record_new();
  if (!trial || !trial_run(trial, RIG_CAPACITY, direct)) return;
  g_autofree float *input = g_memdup2(trial->input.data, trial->input.size);
  probe_numbers(probe, "another", 2, trial->input.data, trial->input.size / sizeof(float));
  if (!trial_forward(trial, RIG_CAPACITY)) return;
  memcpy(trial->input.data, input, trial->input.size);
  if (trial_run(trial, RIG_CAPACITY, after)) probe_agree(probe, "after a forward without backward", direct, after, 0);
}
