/* SPDX-License-Identifier: MIT */
#include "conform/checks.h"
#include "conform/gradient.h"
#include "conform/rig.h"

enum { EXAMPLES = RIG_CAPACITY };

/* Σ output_gradient · output, whose gradient with respect to the output is just that. */
static gboolean loss(gpointer data, double *sum) {
  struct trial *trial = data;
  const gsize count = EXAMPLES * rig_output_size(trial->rig);
  const float *output = trial->output.data, *weights = trial->output_gradient.data;
  module_changed(trial->rig->module);
  if (!trial_forward(trial, EXAMPLES)) return FALSE;
  *sum = 0;
  for (gsize k = 0; k < count; k++) *sum += (double)output[k] * (double)weights[k];
  return TRUE;
}

static void check_input(struct probe *probe, guint mode) {
  AUTO(rig) rig = rig_open(probe);
  AUTO(trial) trial = rig ? trial_new(rig, &rig_modes[mode], "gradient") : NULL;
  if (!trial || !trial_run(trial, EXAMPLES, NULL)) return;
  const struct gradient gradient = {
      "the input", trial->input.data, trial->input_gradient.data, EXAMPLES * rig_input_size(rig), loss, trial};
  gradient_check(probe, &gradient);
}

static void check_weights(struct probe *probe, guint mode) {
  AUTO(rig) rig = rig_open(probe);
  AUTO(trial) trial = rig ? trial_new(rig, &rig_modes[mode], "gradient") : NULL;
  if (!trial || !trial_run(trial, EXAMPLES, NULL)) return;
  struct module *module = rig->module;
  guint count = 0;
  for (guint k = 0; k < module->weight_count; k++) {
    if (module->weights[k]->role != DVT_WEIGHT_PARAMETER) continue;
    const struct gradient gradient = {module->weights[k]->name,
                                      module_value(module, k),
                                      (float *)trial->gradients.data + module->offsets[k],
                                      module_weight_elements(module, k),
                                      loss,
                                      trial};
    count++;
    if (!gradient_check(probe, &gradient)) return;
  }
  if (!count) probe_skip(probe, "it has no parameters");
}

void check_module_gradient_input(struct probe *probe) { check_input(probe, 0); }

void check_module_gradient_input_running(struct probe *probe) { check_input(probe, 1); }

void check_module_gradient_weights(struct probe *probe) { check_weights(probe, 0); }

void check_module_gradient_weights_running(struct probe *probe) { check_weights(probe, 1); }
