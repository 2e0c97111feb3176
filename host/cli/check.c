/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/plan.h"

static const char examples[] = "  dovetail check experiment.yaml\n"
                               "  dovetail check experiment.yaml --set train.batch=64 --resolved\n";

static void print_resolved(const struct plan *plan) {
  for (guint k = 0; k < plan->sweep->count; k++) {
    g_autofree char *title = sweep_run_title(plan->sweep, k);
    if (plan->sweep->axis_count) printf("--- # run %u of %u: %s\n", k + 1, plan->sweep->count, title);
    fputs(plan->runs[k].resolved, stdout);
  }
}

static const char *plural(guint64 count) { return count == 1 ? "" : "s"; }

static void print_verdict(const char *path, const struct plan *plan) {
  guint64 steps = 0;
  for (guint k = 0; k < plan->sweep->count; k++) steps += plan->runs[k].steps;
  if (plan->sweep->axis_count)
    printf("%s: good: a sweep of %u run%s, %" G_GUINT64_FORMAT " steps in all\n", path, plan->sweep->count,
           plural(plan->sweep->count), steps);
  else
    printf("%s: good: %u network%s, %u aligner%s, %" G_GUINT64_FORMAT " step%s\n", path, plan->networks,
           plural(plan->networks), plan->aligners, plural(plan->aligners), steps, plural(steps));
}

static gboolean check_file(const char *path, const char *const *sets, const struct registry *registry,
                           struct dataset_pool *pool, gboolean resolved, GError **error) {
  AUTO(plan) plan = plan_new(path, sets, registry, pool, error);
  if (!plan) return FALSE;
  if (resolved)
    print_resolved(plan);
  else
    print_verdict(path, plan);
  return TRUE;
}

int cli_check(int argc, char **argv) {
  g_auto(GStrv) sets = NULL;
  g_auto(GStrv) folders = NULL;
  gboolean resolved = FALSE;
  const GOptionEntry entries[] = {
      {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &sets, "Set a value of the experiment, as train.epochs=5",
       "KEY=VALUE"},
      {"resolved", 'r', 0, G_OPTION_ARG_NONE, &resolved, "Print each experiment with every default", NULL},
      {"plugin-path", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &folders, "Look for plugins here first", "DIR"},
      {0},
  };
  int status;
  if (!cli_options("check", "FILE…", examples, entries, &argc, &argv, &status)) return status;
  if (argc < 2) {
    fputs("dovetail: check wants at least one experiment file\n", stderr);
    return DOVETAIL_WRONG;
  }
  AUTO(registry) registry = registry_new();
  registry_scan_default(registry, (const char *const *)folders);
  AUTO(dataset_pool) pool = dataset_pool_new();
  for (int k = 1; k < argc; k++) {
    g_autoptr(GError) error = NULL;
    if (!check_file(argv[k], (const char *const *)sets, registry, pool, resolved, &error)) status = cli_fail(error);
  }
  return status;
}
