/* SPDX-License-Identifier: MIT */
#include "cli/plan.h"

#include <string.h>

#include "train/stages.h"

/* A place in the file is not all: the same place is right in one run and wrong in another. */
static void tell_run(const struct sweep *sweep, guint run, GError *error) {
  if (!sweep->axis_count) return;
  g_autofree char *title = sweep_run_title(sweep, run), *message = error->message;
  error->message = g_strdup_printf("%s (in the run %s)", message, title);
}

struct job *job_new(const struct sweep *sweep, guint run, const struct registry *registry, struct dataset_pool *pool,
                    GError **error) {
  AUTO(job) job = g_new0(struct job, 1);
  GError *fault = NULL;
  job->experiment = sweep_experiment(sweep, run, &fault);
  if (job->experiment) job->composition = composition_new(job->experiment, registry, pool, &fault);
  if (job->composition) return g_steal_pointer(&job);
  tell_run(sweep, run, fault);
  g_propagate_error(error, fault);
  return NULL;
}

void job_free(struct job *job) {
  if (!job) return;
  composition_free(job->composition);
  experiment_free(job->experiment);
  g_free(job);
}

static gboolean plan_run(struct plan *plan, guint run, const struct registry *registry, struct dataset_pool *pool,
                         GError **error) {
  AUTO(job) job = job_new(plan->sweep, run, registry, pool, error);
  if (!job) return FALSE;
  struct planned_run *planned = &plan->runs[run];
  planned->resolved = composition_resolved(job->composition);
  planned->hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, planned->resolved, -1);
  planned->steps = stages_steps(job->composition);
  if (run) return TRUE;
  plan->name = g_strdup(job->experiment->name);
  plan->networks = job->composition->network_count;
  plan->aligners = job->composition->aligner_count;
  return TRUE;
}

static gboolean fail_same(const struct sweep *sweep, guint first, guint second, GError **error) {
  guint axis = 0;
  while (sweep_label(sweep, first, axis) == sweep_label(sweep, second, axis)) axis++;
  return error_at(error, sweep->axes[axis].mark, "'%s' and '%s' give the same experiment, all else equal; keep one",
                  sweep_label(sweep, first, axis), sweep_label(sweep, second, axis));
}

/* Runs are known by their hash. */
static gboolean check_different(const struct plan *plan, GError **error) {
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint k = 0; k < plan->sweep->count; k++) {
    gpointer first;
    if (g_hash_table_lookup_extended(seen, plan->runs[k].hash, NULL, &first))
      return fail_same(plan->sweep, GPOINTER_TO_UINT(first), k, error);
    g_hash_table_insert(seen, plan->runs[k].hash, GUINT_TO_POINTER(k));
  }
  return TRUE;
}

struct plan *plan_new(const char *path, const char *const *sets, const struct registry *registry,
                      struct dataset_pool *pool, GError **error) {
  AUTO(plan) plan = g_new0(struct plan, 1);
  plan->sweep = sweep_read(path, sets, error);
  if (!plan->sweep) return NULL;
  plan->runs = g_new0(struct planned_run, plan->sweep->count);
  for (guint k = 0; k < plan->sweep->count; k++)
    if (!plan_run(plan, k, registry, pool, error)) return NULL;
  return check_different(plan, error) ? g_steal_pointer(&plan) : NULL;
}

void plan_free(struct plan *plan) {
  if (!plan) return;
  for (guint k = 0; plan->runs && k < plan->sweep->count; k++) {
    g_free(plan->runs[k].resolved);
    g_free(plan->runs[k].hash);
  }
  sweep_free(plan->sweep);
  g_free(plan->runs);
  g_free(plan->name);
  g_free(plan);
}
