/* SPDX-License-Identifier: MIT */
/* Several passes, several threads, the same bits. */
#include <string.h>

#include "conform/checks.h"
#include "conform/rig.h"

void check_module_repeatable(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  for (guint mode = 0; rig && mode < RIG_MODES; mode++) {
    AUTO(record) first = record_new();
    AUTO(record) again = record_new();
    AUTO(record) other = record_new();
    AUTO(trial) trial = trial_new(rig, &rig_modes[mode], "repeatable");
    if (!trial || !trial_run(trial, RIG_CAPACITY, first) || !trial_run(trial, RIG_CAPACITY, again) ||
        !rig_try(rig, &rig_modes[mode], "repeatable", RIG_CAPACITY, other))
      return;
    probe_agree(probe, "the same batch twice in one pass", first, again, 0);
    probe_agree(probe, "the same batch in two passes", first, other, 0);
  }
}

enum { FLIGHTS = 4, ROUNDS = 3 };

/* One trial and what it is to yield. */
struct traffic {
  struct trial *trial;
  struct record *alone, *together;
};

static void traffic_clear(struct traffic *traffic) {
  trial_free(traffic->trial);
  record_free(traffic->alone);
  record_free(traffic->together);
}

static gpointer run_rounds(gpointer data) {
  struct traffic *traffic = data;
  for (guint k = 0; k < ROUNDS; k++)
    if (!trial_run(traffic->trial, RIG_CAPACITY, traffic->together)) break;
  return NULL;
}

static gboolean prepare(struct rig *rig, struct traffic *traffic, guint k) {
  g_autofree char *name = g_strdup_printf("trial %u", k);
  struct trial_config config = rig_modes[k % RIG_MODES];
  config.threads = 1 + k / 2;
  traffic->alone = record_new();
  traffic->together = record_new();
  traffic->trial = trial_new(rig, &config, name);
  for (guint round = 0; traffic->trial && round < ROUNDS; round++)
    if (!trial_run(traffic->trial, RIG_CAPACITY, traffic->alone)) return FALSE;
  return traffic->trial != NULL;
}

void check_module_flights(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  struct traffic traffic[FLIGHTS] = {0};
  GThread *threads[FLIGHTS];
  gboolean good = rig != NULL;
  for (guint k = 0; good && k < FLIGHTS; k++) good = prepare(rig, &traffic[k], k);
  for (guint k = 0; good && k < FLIGHTS; k++) threads[k] = g_thread_new("trial", run_rounds, &traffic[k]);
  for (guint k = 0; good && k < FLIGHTS; k++) g_thread_join(threads[k]);
  for (guint k = 0; good && k < FLIGHTS; k++)
    probe_agree(probe, "a pass alone and beside three others", traffic[k].alone, traffic[k].together, 0);
  for (guint k = 0; k < FLIGHTS; k++) traffic_clear(&traffic[k]);
}

/* The sum may go another way with other threads, so the bits may differ; the results may not. */
void check_module_threads(struct probe *probe) {
  static const guint counts[] = {2, 3};
  AUTO(rig) rig = rig_open(probe);
  for (guint mode = 0; rig && mode < RIG_MODES; mode++) {
    AUTO(record) one = record_new();
    struct trial_config config = rig_modes[mode];
    if (!rig_try(rig, &config, "threads", RIG_CAPACITY, one)) return;
    for (guint k = 0; k < G_N_ELEMENTS(counts); k++) {
      AUTO(record) many = record_new();
      config.threads = counts[k];
      if (!rig_try(rig, &config, "threads", RIG_CAPACITY, many)) return;
      g_autofree char *difference = record_difference(one, many, 1e-3);
      if (difference) probe_fail(probe, "with 1 thread and with %u: %s", counts[k], difference);
    }
  }
}

/* Passes that never fly, or never fly back, or go in another order than they came. */
void check_module_pass_life(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  if (!rig) return;
  AUTO(record) before = record_new();
  AUTO(record) after = record_new();
  rig->module->ops->pass_destroy(NULL);
  struct trial *idle = trial_new(rig, &rig_modes[0], "idle");
  struct trial *halfway = idle ? trial_new(rig, &rig_modes[0], "halfway") : NULL;
  struct trial *last = halfway ? trial_new(rig, &rig_modes[0], "last") : NULL;
  gboolean good = last && trial_forward(halfway, 2) && trial_run(last, 2, before);
  trial_free(idle);
  trial_free(halfway);
  good = good && trial_run(last, 2, after);
  trial_free(last);
  if (good) probe_agree(probe, "a pass before and after others were destroyed", before, after, 0);
}

void check_module_precision(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  if (!rig) return;
  const struct module *module = rig->module;
  for (guint precision = DVT_PRECISION_AUTO; precision <= DVT_PRECISION_BFLOAT16; precision++) {
    const struct dvt_pass_config config = {
        .struct_size = sizeof config, .capacity = 1, .threads = 1, .precision = precision};
    struct dvt_error fault = DVT_ERROR_INIT;
    void *untouched = rig, *pass = untouched;
    const int status = module->ops->pass_create(module->self, &config, &pass, &fault);
    if (status == DVT_OK) {
      module->ops->pass_destroy(pass);
      continue;
    }
    g_autofree char *text = probe_refusal(probe, "pass_create", &fault, status);
    if (pass != untouched) probe_fail(probe, "pass_create failed and changed *pass");
    if (precision != DVT_PRECISION_BFLOAT16)
      probe_fail(probe, "pass_create refused precision %u, which every module has: %s", precision, text);
    else if (status != DVT_ERROR_UNSUPPORTED)
      probe_fail(probe, "pass_create refused bfloat16 with status %d, not DVT_ERROR_UNSUPPORTED", status);
  }
}
