/* SPDX-License-Identifier: MIT */
/* What a module may read and write. */
#include <string.h>

#include "conform/checks.h"
#include "conform/rig.h"

static gboolean check_guards(const struct trial *trial, const char *call, guint n) {
  const struct rig *rig = trial->rig;
  const struct {
    const char *name;
    const struct block *block;
  } blocks[] = {{"input", &trial->input},
                {"output", &trial->output},
                {"output_gradient", &trial->output_gradient},
                {"input_gradient", &trial->input_gradient},
                {"gradients", &trial->gradients}};
  for (guint k = 0; k < G_N_ELEMENTS(blocks); k++)
    if (!block_intact(blocks[k].block))
      return probe_fail(rig->probe, "%s of %u examples wrote before or past its %s", call, n, blocks[k].name);
  const char *value = rig_overrun(rig, rig->module->values);
  if (value) return probe_fail(rig->probe, "%s of %u examples wrote past the value of %s", call, n, value);
  const char *gradient = trial->gradients.memory ? rig_overrun(rig, trial->gradients.data) : NULL;
  if (gradient) return probe_fail(rig->probe, "%s of %u examples wrote past the gradient of %s", call, n, gradient);
  return TRUE;
}

/* The outputs past the examples of a smaller batch are guards too. */
static gboolean check_rest(const struct trial *trial, guint n) {
  const struct rig *rig = trial->rig;
  const gsize output = rig_output_size(rig), input = rig_input_size(rig), rest = trial->config.capacity - n;
  if (!block_poisoned((float *)trial->output.data + n * output, rest * output))
    return probe_fail(rig->probe, "forward of %u examples wrote the output of more", n);
  if (!block_poisoned((float *)trial->input_gradient.data + n * input, rest * input))
    return probe_fail(rig->probe, "backward of %u examples wrote the input gradient of more", n);
  return TRUE;
}

static gboolean run_guarded(struct trial *trial, guint n) {
  block_poison(trial->output.data, trial->output.size / sizeof(float));
  block_poison(trial->input_gradient.data, trial->input_gradient.size / sizeof(float));
  return trial_forward(trial, n) && check_guards(trial, "forward", n) && trial_backward(trial, n, TRUE) &&
         check_guards(trial, "backward", n) && check_rest(trial, n);
}

void check_module_guards(struct probe *probe) {
  static const guint sizes[] = {RIG_CAPACITY, 3, 1, 4};
  AUTO(rig) rig = rig_open(probe);
  for (guint mode = 0; rig && mode < RIG_MODES; mode++) {
    AUTO(trial) trial = trial_new(rig, &rig_modes[mode], "guards");
    for (guint k = 0; trial && k < G_N_ELEMENTS(sizes); k++)
      if (!run_guarded(trial, sizes[k])) return;
    if (trial && mode == 0) trial_commit(trial);
    if (trial && !check_guards(trial, "commit", RIG_CAPACITY)) return;
  }
}

/* The index of the first float that is not the same, or -1. */
static gssize first_change(const float *before, const float *after, gsize count) {
  for (gsize k = 0; k < count; k++)
    if (memcmp(before + k, after + k, sizeof *before)) return (gssize)k;
  return -1;
}

static gboolean same_block(const struct trial *trial, const char *call, const char *what, const struct block *block,
                           const float *before) {
  const gssize at = first_change(before, block->data, block->size / sizeof(float));
  if (at < 0) return TRUE;
  return probe_fail(trial->rig->probe, "%s changed %s[%" G_GSSIZE_FORMAT "] from %g to %g", call, what, at,
                    (double)before[at], (double)((float *)block->data)[at]);
}

void check_module_input_unchanged(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  for (guint mode = 0; rig && mode < RIG_MODES; mode++) {
    AUTO(trial) trial = trial_new(rig, &rig_modes[mode], "unchanged");
    if (!trial) return;
    g_autofree float *input = g_memdup2(trial->input.data, trial->input.size);
    g_autofree float *gradient = g_memdup2(trial->output_gradient.data, trial->output_gradient.size);
    if (!trial_forward(trial, RIG_CAPACITY) || !same_block(trial, "forward", "input", &trial->input, input) ||
        !trial_backward(trial, RIG_CAPACITY, TRUE) || !same_block(trial, "backward", "input", &trial->input, input) ||
        !same_block(trial, "backward", "output_gradient", &trial->output_gradient, gradient))
      return;
  }
}

/* Which weight of a role has changed; NULL: none. role 0: either. */
static const char *changed_weight(const struct rig *rig, const float *before, guint role) {
  const struct module *module = rig->module;
  for (guint k = 0; k < module->weight_count; k++)
    if ((!role || module->weights[k]->role == role) &&
        first_change(before + module->offsets[k], module_value(module, k), module_weight_elements(module, k)) >= 0)
      return module->weights[k]->name;
  return NULL;
}

void check_module_values_unchanged(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  if (!rig) return;
  g_autofree float *before = g_memdup2(rig->module->values, rig_size(rig) * sizeof(float));
  for (guint mode = 0; mode < RIG_MODES; mode++) {
    AUTO(trial) trial = trial_new(rig, &rig_modes[mode], "values");
    if (!trial || !trial_run(trial, RIG_CAPACITY, NULL)) return;
    const char *changed = changed_weight(rig, before, 0);
    if (changed) probe_fail(probe, "a forward and backward without commit changed %s", changed);
    if (mode == 0) trial_commit(trial);
    changed = changed_weight(rig, before, DVT_WEIGHT_PARAMETER);
    if (changed) probe_fail(probe, "commit changed %s, which is a parameter and no buffer", changed);
    memcpy(rig->module->values, before, rig_size(rig) * sizeof(float));
    module_changed(rig->module);
  }
}

/* Runs once over buffers full of `old`. */
static struct record *run_over(struct trial *trial, float old) {
  for (gsize k = 0; k < trial->output.size / sizeof old; k++) ((float *)trial->output.data)[k] = old;
  for (gsize k = 0; k < trial->input_gradient.size / sizeof old; k++) ((float *)trial->input_gradient.data)[k] = old;
  AUTO(record) record = record_new();
  return trial_run(trial, RIG_CAPACITY, record) ? g_steal_pointer(&record) : NULL;
}

void check_module_outputs_written(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  for (guint mode = 0; rig && mode < RIG_MODES; mode++) {
    AUTO(trial) trial = trial_new(rig, &rig_modes[mode], "written");
    AUTO(record) first = trial ? run_over(trial, 1000) : NULL;
    AUTO(record) second = first ? run_over(trial, -1000) : NULL;
    if (second) probe_agree(probe, "what was in the memory before shows in the result", first, second, 0);
  }
}

static gboolean check_finite(struct trial *trial, const char *what, guint n) {
  AUTO(record) record = record_new();
  if (!trial_run(trial, n, record)) return FALSE;
  g_autofree char *bad = record_not_finite(record);
  return !bad || probe_fail(trial->rig->probe, "from %s in %u examples: %s", what, n, bad);
}

static void fill(const struct block *block, float value) {
  for (gsize k = 0; k < block->size / sizeof value; k++) ((float *)block->data)[k] = value;
}

void check_module_finite(struct probe *probe) {
  static const struct {
    const char *name;
    float value;
  } inputs[] = {{"zeros", 0}, {"ones", 1}, {"numbers of 1e-30", 1e-30f}, {"numbers of 1e4", 1e4f}};
  AUTO(rig) rig = rig_open(probe);
  for (guint mode = 0; rig && mode < RIG_MODES; mode++) {
    AUTO(trial) trial = trial_new(rig, &rig_modes[mode], "finite");
    if (!trial || !check_finite(trial, "random numbers", RIG_CAPACITY)) return;
    for (guint k = 0; k < G_N_ELEMENTS(inputs); k++) {
      fill(&trial->input, inputs[k].value);
      if (!check_finite(trial, inputs[k].name, RIG_CAPACITY) || !check_finite(trial, inputs[k].name, 2)) return;
    }
  }
}
