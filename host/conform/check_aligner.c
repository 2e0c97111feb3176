/* SPDX-License-Identifier: MIT */
/* What an aligner may touch, and what it may depend on. */
#include <math.h>
#include <string.h>

#include "conform/aligner_rig.h"
#include "conform/checks.h"

void check_aligner_flags(struct probe *probe) {
  const struct dvt_aligner_ops *ops = probe->plugin->ops;
  const guint32 unknown = ops->flags & ~(guint32)DVT_ALIGNER_PAIRED;
  if (unknown) probe_fail(probe, "its flags 0x%x have bits that ABI 1.0 does not know: 0x%x", ops->flags, unknown);
}

void check_aligner_hooks(struct probe *probe) {
  const struct dvt_aligner_ops *ops = probe->plugin->ops;
  if (!ops->initialise && !ops->feature_loss && !ops->view_loss && !ops->joint_loss)
    probe_warn(probe, "it has no hook at all, so it aligns nothing");
}

static struct aligner_rig *open_with(struct probe *probe, const char *what, gboolean has) {
  if (has) return aligner_rig_open(probe);
  probe_skip(probe, "it has no %s", what);
  return NULL;
}

static const struct dvt_aligner_ops *ops_of(const struct probe *probe) { return probe->plugin->ops; }

/* The first weight of a network that is not as it was; NULL: none. */
static const char *changed_weight(const struct paper *paper, float *const *before) {
  for (guint k = 0; k < PAPER_WEIGHTS; k++)
    if (memcmp(before[k], paper->values[k].data, paper->values[k].size)) return paper->weights[k].name;
  return NULL;
}

void check_aligner_initialise_frozen(struct probe *probe) {
  if (!ops_of(probe)->initialise) {
    probe_skip(probe, "it has no initialise");
    return;
  }
  AUTO(aligner_rig) rig = aligner_rig_open_frozen(probe);
  if (!rig) return;
  const struct paper *frozen = &rig->papers[rig->cast->frozen];
  float *before[PAPER_WEIGHTS];
  for (guint k = 0; k < PAPER_WEIGHTS; k++) before[k] = g_memdup2(frozen->values[k].data, frozen->values[k].size);
  const char *changed = aligner_rig_initialise(rig) ? changed_weight(frozen, before) : NULL;
  if (changed) probe_fail(probe, "initialise changed %s of network %s, which is frozen", changed, frozen->network.name);
  for (guint k = 0; k < PAPER_WEIGHTS; k++) g_free(before[k]);
}

void check_aligner_initialise_values(struct probe *probe) {
  AUTO(aligner_rig) rig = open_with(probe, "initialise", ops_of(probe)->initialise != NULL);
  if (!rig || !aligner_rig_initialise(rig)) return;
  for (guint t = 0; t < rig->cast->count; t++)
    for (guint k = 0; k < PAPER_WEIGHTS; k++) {
      const struct block *block = &rig->papers[t].values[k];
      const char *name = rig->papers[t].weights[k].name;
      if (!block_intact(block)) probe_fail(probe, "initialise wrote before or past %s", name);
      for (gsize i = 0; i < block->size / sizeof(float); i++)
        if (!isfinite(((float *)block->data)[i])) probe_fail(probe, "initialise made a value of %s not finite", name);
    }
}

static gboolean check_guards(struct aligner_rig *rig, enum hook hook) {
  for (guint t = 0; t < rig->cast->count; t++) {
    const struct paper *paper = &rig->papers[t];
    const struct {
      const char *name;
      const struct block *block;
    } blocks[] = {{"images", &paper->images},
                  {"labels", &paper->labels},
                  {"features", &paper->features},
                  {"gradient", &paper->gradient},
                  {"view", &paper->view}};
    for (guint k = 0; k < G_N_ELEMENTS(blocks); k++)
      if (!block_intact(blocks[k].block))
        return probe_fail(rig->probe, "%s wrote before or past its %s", hook_names[hook], blocks[k].name);
  }
  return TRUE;
}

static gboolean has_loss(struct probe *probe) {
  const struct dvt_aligner_ops *ops = probe->plugin->ops;
  return ops->feature_loss || ops->view_loss || ops->joint_loss || probe_skip(probe, "it has no loss");
}

void check_aligner_guards(struct probe *probe) {
  AUTO(aligner_rig) rig = has_loss(probe) ? aligner_rig_open(probe) : NULL;
  double loss;
  for (enum hook hook = 0; rig && hook < HOOKS; hook++)
    for (guint t = 0; t < aligner_calls(rig, hook); t++)
      if (!aligner_call(rig, hook, t, &loss) || !check_guards(rig, hook)) return;
}

static void copy_inputs(const struct paper *paper, gpointer copies[3]) {
  copies[0] = g_memdup2(paper->images.data, paper->images.size);
  copies[1] = g_memdup2(paper->labels.data, paper->labels.size);
  copies[2] = g_memdup2(paper->features.data, paper->features.size);
}

static const char *changed_input(const struct paper *paper, gpointer const copies[3]) {
  if (memcmp(paper->images.data, copies[0], paper->images.size)) return "images";
  if (memcmp(paper->labels.data, copies[1], paper->labels.size)) return "labels";
  return memcmp(paper->features.data, copies[2], paper->features.size) ? "features" : NULL;
}

void check_aligner_inputs(struct probe *probe) {
  AUTO(aligner_rig) rig = has_loss(probe) ? aligner_rig_open(probe) : NULL;
  gpointer copies[MOST_NETWORKS][3];
  double loss;
  for (guint t = 0; rig && t < rig->cast->count; t++) copy_inputs(&rig->papers[t], copies[t]);
  for (enum hook hook = 0; rig && hook < HOOKS; hook++)
    for (guint call = 0; call < aligner_calls(rig, hook) && aligner_call(rig, hook, call, &loss); call++)
      for (guint t = 0; t < rig->cast->count; t++) {
        const char *changed = changed_input(&rig->papers[t], copies[t]);
        if (changed)
          probe_fail(probe, "%s changed the %s of network %s", hook_names[hook], changed, rig->networks[t]->name);
      }
  for (guint t = 0; rig && t < rig->cast->count; t++)
    for (guint k = 0; k < 3; k++) g_free(copies[t][k]);
}

static gboolean make_view(struct aligner_rig *rig, guint t, float old, struct record *record) {
  struct paper *paper = &rig->papers[t];
  const gsize count = paper->view.size / sizeof old;
  double loss;
  for (gsize k = 0; k < count; k++) ((float *)paper->view.data)[k] = old;
  if (!aligner_call(rig, HOOK_VIEW, t, &loss)) return FALSE;
  record_floats(record, "view", paper->view.data, count);
  return TRUE;
}

void check_aligner_view(struct probe *probe) {
  AUTO(aligner_rig) rig = open_with(probe, "view", ops_of(probe)->view_loss != NULL);
  for (guint t = 0; rig && t < rig->cast->count; t++) {
    AUTO(record) first = record_new();
    AUTO(record) second = record_new();
    if (!make_view(rig, t, 1000, first) || !make_view(rig, t, -1000, second)) return;
    g_autofree char *difference = record_difference(first, second, 0), *bad = record_not_finite(first);
    if (difference) probe_fail(probe, "make_view leaves what was in the memory before: %s", difference);
    if (bad) probe_fail(probe, "make_view wrote a number that is not finite: %s", bad);
  }
}

/* Every call of a step on a thread of its own; those of one network are not called side by side. */
struct call {
  struct aligner_rig *rig;
  enum hook hook;
  guint index;
  double loss;
};

static gpointer run_call(gpointer data) {
  struct call *call = data;
  for (guint k = 0; k < 20 && aligner_call(call->rig, call->hook, call->index, &call->loss);) k++;
  return NULL;
}

static void record_calls(struct record *record, struct aligner_rig *rig, const struct call *calls) {
  for (guint t = 0; t < rig->cast->count; t++) {
    record_number(record, "loss", calls[t].loss);
    record_floats(record, "gradient", rig->papers[t].gradient.data, rig->papers[t].gradient.size / sizeof(float));
  }
}

static void compare_parallel(struct probe *probe, struct aligner_rig *rig, enum hook hook) {
  AUTO(record) serial = record_new();
  AUTO(record) parallel = record_new();
  struct call calls[MOST_NETWORKS];
  GThread *threads[MOST_NETWORKS];
  for (guint t = 0; t < rig->cast->count; t++) calls[t] = (struct call){rig, hook, t, 0};
  aligner_set_gradients(rig, 0);
  for (guint t = 0; t < rig->cast->count; t++) run_call(&calls[t]);
  record_calls(serial, rig, calls);
  aligner_set_gradients(rig, 0);
  for (guint t = 0; t < rig->cast->count; t++) threads[t] = g_thread_new("network", run_call, &calls[t]);
  for (guint t = 0; t < rig->cast->count; t++) g_thread_join(threads[t]);
  record_calls(parallel, rig, calls);
  g_autofree char *difference = record_difference(serial, parallel, 0);
  if (difference)
    probe_fail(probe, "%s of the networks one after another, and side by side: %s", hook_names[hook], difference);
}

void check_aligner_threads(struct probe *probe) {
  AUTO(aligner_rig)
  rig = open_with(probe, "feature_loss or view_loss", ops_of(probe)->feature_loss || ops_of(probe)->view_loss);
  for (enum hook hook = HOOK_FEATURE; rig && hook <= HOOK_VIEW; hook++)
    if (aligner_has(rig, hook)) compare_parallel(probe, rig, hook);
}

void check_aligner_repeatable(struct probe *probe) {
  AUTO(aligner_rig) rig = has_loss(probe) ? aligner_rig_open(probe) : NULL;
  AUTO(record) first = record_new();
  AUTO(record) second = record_new();
  if (!rig || !aligner_step(rig, 3, first) || !aligner_step(rig, 3, second)) return;
  probe_agree(probe, "the same step twice", first, second, 0);
}

void check_aligner_resumed(struct probe *probe) {
  enum { STEPS = 6 };
  AUTO(aligner_rig) whole = has_loss(probe) ? aligner_rig_open(probe) : NULL;
  AUTO(aligner_rig) resumed = whole ? aligner_rig_open(probe) : NULL;
  AUTO(record) first = record_new();
  AUTO(record) second = record_new();
  for (guint64 step = 0; resumed && step < STEPS; step++) {
    AUTO(record) ignored = record_new();
    if (!aligner_step(whole, step, ignored)) return;
  }
  if (!resumed || !aligner_step(whole, STEPS, first) || !aligner_step(resumed, STEPS, second)) return;
  g_autofree char *difference = record_difference(first, second, 0);
  if (difference)
    probe_fail(probe, "step %d after those before it, and as the first of a resumed run: %s", STEPS, difference);
}

/* A hook whose call of the host failed returns the status. */
void check_aligner_head_failure(struct probe *probe) {
  AUTO(aligner_rig) rig = has_loss(probe) ? aligner_rig_open(probe) : NULL;
  if (!rig) return;
  if (!rig->heads->len) {
    probe_skip(probe, "it asks for no auxiliary head");
    return;
  }
  rig->heads_fail = TRUE;
  for (enum hook hook = HOOK_FEATURE; hook <= HOOK_VIEW; hook++)
    for (guint t = 0; t < aligner_calls(rig, hook); t++)
      if (aligner_swallows(rig, hook, t))
        probe_fail(probe, "%s returned DVT_OK though head_forward had failed", hook_names[hook]);
}

static gboolean names_network(const struct dvt_error *fault) {
  return strstr(fault->message, "anna") || strstr(fault->message, "berta") || strstr(fault->message, "clara");
}

void check_aligner_refusal(struct probe *probe) {
  const char *what;
  guint refused = 0;
  for (guint variant = 0;; variant++) {
    struct dvt_error fault = DVT_ERROR_INIT;
    const int status = aligner_kind.fail(probe, variant, &what, &fault);
    if (status == KIND_NO_MORE) break;
    refused += status != DVT_OK;
    if (status != DVT_OK && !names_network(&fault))
      probe_warn(probe, "init refused %s and names no network: %s", what, fault.message);
  }
  if (!refused) probe_skip(probe, "init refused no networks that were tried");
}
