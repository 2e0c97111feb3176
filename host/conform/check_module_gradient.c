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

/* Batches that a gradient must be wrong for before it counts: the kinks of many ReLUs can spoil one. */
enum { BATCHES = 3 };

struct batches {
  struct rig *rig;
  struct trial *trials[BATCHES]; /* each flown when it is first wanted */
};

static struct trial *get_batch(struct batches *batches, guint number, guint mode) {
  g_autofree char *name = g_strdup_printf("gradient %u", number);
  if (batches->trials[number]) return batches->trials[number];
  batches->trials[number] = trial_new(batches->rig, &rig_modes[mode], name);
  if (!batches->trials[number] || !trial_run(batches->trials[number], EXAMPLES, NULL)) return NULL;
  return batches->trials[number];
}

/* Of a parameter, or, for -1, of the input. */
static struct gradient gradient_of(struct trial *trial, gint weight) {
  struct module *module = trial->rig->module;
  if (weight < 0)
    return (struct gradient){
        "the input", trial->input.data, trial->input_gradient.data, EXAMPLES * rig_input_size(trial->rig), loss, trial};
  return (struct gradient){module->weights[weight]->name,
                           module_value(module, (guint)weight),
                           (float *)trial->gradients.data + module->offsets[weight],
                           module_weight_elements(module, (guint)weight),
                           loss,
                           trial};
}

static gboolean check_gradient(struct batches *batches, guint mode, gint weight) {
  g_autofree char *fault = NULL;
  for (guint number = 0; number < BATCHES; number++) {
    struct trial *trial = get_batch(batches, number, mode);
    if (!trial) return FALSE;
    const struct gradient gradient = gradient_of(trial, weight);
    g_free(fault);
    fault = gradient_fault(batches->rig->probe, &gradient);
    if (!fault) return batches->rig->probe->status != CONFORM_FAILED;
  }
  return probe_fail(batches->rig->probe, "%s", fault);
}

static void batches_clear(struct batches *batches) {
  for (guint number = 0; number < BATCHES; number++) trial_free(batches->trials[number]);
}

static void check_input(struct probe *probe, guint mode) {
  AUTO(rig) rig = rig_open(probe);
  struct batches batches = {.rig = rig};
  if (rig) check_gradient(&batches, mode, -1);
  batches_clear(&batches);
}

static void check_weights(struct probe *probe, guint mode) {
  AUTO(rig) rig = rig_open(probe);
  struct batches batches = {.rig = rig};
  gboolean good = rig != NULL, any = FALSE;
  for (guint k = 0; good && k < rig->module->weight_count; k++) {
    if (rig->module->weights[k]->role != DVT_WEIGHT_PARAMETER) continue;
    good = check_gradient(&batches, mode, (gint)k);
    any = TRUE;
  }
  if (good && !any) probe_skip(probe, "it has no parameters");
  batches_clear(&batches);
}

void check_module_gradient_input(struct probe *probe) { check_input(probe, 0); }

void check_module_gradient_input_running(struct probe *probe) { check_input(probe, 1); }

void check_module_gradient_weights(struct probe *probe) { check_weights(probe, 0); }

void check_module_gradient_weights_running(struct probe *probe) { check_weights(probe, 1); }
