/* SPDX-License-Identifier: MIT */
/* An aligner's losses and their gradients. */
#include <math.h>
#include <string.h>

#include "conform/aligner_rig.h"
#include "conform/checks.h"
#include "conform/gradient.h"

struct slope {
  struct aligner_rig *rig;
  enum hook hook;
  guint call;
};

static gboolean loss(gpointer data, double *value) {
  const struct slope *slope = data;
  return aligner_call(slope->rig, slope->hook, slope->call, value);
}

/* Of call `call` of a hook, with respect to the features of network t. */
static gboolean check_slope(struct aligner_rig *rig, enum hook hook, guint call, guint t) {
  const struct paper *paper = &rig->papers[t];
  double value;
  aligner_set_gradients(rig, 0);
  if (!aligner_call(rig, hook, call, &value)) return FALSE;
  g_autofree float *computed = g_memdup2(paper->gradient.data, paper->gradient.size);
  g_autofree char *name =
      g_strdup_printf("%s with respect to the features of network %s", hook_names[hook], paper->network.name);
  struct slope slope = {rig, hook, call};
  const struct gradient gradient = {name,  paper->features.data, computed, paper->features.size / sizeof(float), loss,
                                    &slope};
  g_autofree char *fault = gradient_fault(rig->probe, &gradient);
  return !fault || probe_fail(rig->probe, "%s", fault);
}

static void check_hook(struct probe *probe, enum hook hook) {
  AUTO(aligner_rig) rig = aligner_rig_open(probe);
  if (!rig) return;
  if (!aligner_has(rig, hook)) probe_skip(probe, "it has no %s", hook_names[hook]);
  for (guint call = 0; call < aligner_calls(rig, hook); call++)
    for (guint t = 0; t < rig->cast->count; t++)
      if ((hook == HOOK_JOINT || t == call) && !check_slope(rig, hook, call, t)) return;
}

void check_aligner_gradient_features(struct probe *probe) { check_hook(probe, HOOK_FEATURE); }

void check_aligner_gradient_view(struct probe *probe) { check_hook(probe, HOOK_VIEW); }

void check_aligner_gradient_joint(struct probe *probe) { check_hook(probe, HOOK_JOINT); }

/* Opens a rig for an aligner that has a loss; NULL with a verdict. */
static struct aligner_rig *open_losses(struct probe *probe) {
  struct aligner_rig *rig = aligner_rig_open(probe);
  if (!rig || aligner_has(rig, HOOK_FEATURE) || aligner_has(rig, HOOK_VIEW) || aligner_has(rig, HOOK_JOINT)) return rig;
  probe_skip(probe, "it has no loss");
  aligner_rig_free(rig);
  return NULL;
}

/* Losses and gradients of every hook, which began with `start` in the gradients and are less it, divided by `scale`. */
static gboolean record_losses(struct aligner_rig *rig, double weight, float start, struct record *record) {
  for (guint t = 0; t < rig->cast->count; t++) rig->papers[t].batch.weight = weight;
  for (enum hook hook = 0; hook < HOOKS; hook++) {
    aligner_set_gradients(rig, start);
    for (guint call = 0; call < aligner_calls(rig, hook); call++) {
      double value;
      if (!aligner_call(rig, hook, call, &value)) return FALSE;
      record_number(record, hook_names[hook], value);
    }
    for (guint t = 0; aligner_has(rig, hook) && t < rig->cast->count; t++) {
      const gsize count = rig->papers[t].gradient.size / sizeof(float);
      g_autofree float *plain = g_memdup2(rig->papers[t].gradient.data, count * sizeof(float));
      for (gsize k = 0; k < count; k++) plain[k] = (float)(((double)plain[k] - (double)start) / weight);
      record_floats(record, "gradient", plain, count);
    }
  }
  return TRUE;
}

static void compare(struct probe *probe, double weight, float start, const char *what) {
  AUTO(aligner_rig) rig = open_losses(probe);
  AUTO(record) plain = record_new();
  AUTO(record) other = record_new();
  if (!rig || !record_losses(rig, 1, 0, plain) || !record_losses(rig, weight, start, other)) return;
  g_autofree char *difference = record_difference(plain, other, 1e-3);
  if (difference) probe_fail(probe, "%s: %s", what, difference);
}

void check_aligner_gradient_adds(struct probe *probe) {
  compare(probe, 1, 0.5f, "what is added to a gradient of 0, and of 0.5");
}

void check_aligner_weight(struct probe *probe) {
  compare(probe, 4, 0, "the loss, and the gradient over the weight, with a weight of 1 and of 4");
}

void check_aligner_loss(struct probe *probe) {
  AUTO(aligner_rig) rig = open_losses(probe);
  AUTO(record) record = record_new();
  for (guint64 step = 0; rig && step < 4; step++)
    if (!aligner_step(rig, step, record)) return;
  g_autofree char *bad = record_not_finite(record);
  if (bad) probe_fail(probe, "from finite features: %s", bad);
}

/* Features that are all the same, as those of a dead extractor. */
void check_aligner_loss_flat(struct probe *probe) {
  AUTO(aligner_rig) rig = open_losses(probe);
  AUTO(record) record = record_new();
  if (!rig) return;
  for (guint t = 0; t < rig->cast->count; t++) memset(rig->papers[t].features.data, 0, rig->papers[t].features.size);
  if (!aligner_step(rig, 0, record)) return;
  g_autofree char *bad = record_not_finite(record);
  if (bad) probe_fail(probe, "from features that are all 0: %s", bad);
}

/* Its loss is wanted still, so that it can be shown. */
void check_aligner_frozen(struct probe *probe) {
  AUTO(aligner_rig) trained = open_losses(probe);
  AUTO(aligner_rig) frozen = trained ? aligner_rig_open_frozen(probe) : NULL;
  AUTO(record) record = record_new();
  if (!frozen || !aligner_step(frozen, 0, record)) return;
  g_autofree char *bad = record_not_finite(record);
  if (bad) probe_fail(probe, "beside a frozen network: %s", bad);
}
