/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/cli.h"
#include "train/compose.h"
#include "train/trainer.h"

static const char examples[] = "  dovetail check experiment.yaml\n"
                               "  dovetail check experiment.yaml --set train.batch=64 --resolved\n";

static gboolean check_file(const char *path, const char *const *sets, const struct registry *registry,
                           gboolean resolved, GError **error) {
  AUTO(experiment) experiment = experiment_read(path, sets, error);
  if (!experiment) return FALSE;
  AUTO(composition) composition = composition_new(experiment, registry, error);
  if (!composition) return FALSE;
  if (resolved) {
    g_autofree char *text = composition_resolved(composition);
    fputs(text, stdout);
  } else {
    printf("%s: good: %u networks, %u aligners, %" G_GUINT64_FORMAT " steps\n", path, composition->network_count,
           composition->aligner_count, trainer_steps(composition));
  }
  return TRUE;
}

int cli_check(int argc, char **argv) {
  g_auto(GStrv) sets = NULL;
  g_auto(GStrv) folders = NULL;
  gboolean resolved = FALSE;
  const GOptionEntry entries[] = {
      {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &sets, "Set a value of the experiment, as train.epochs=5", "KEY=VALUE"},
      {"resolved", 'r', 0, G_OPTION_ARG_NONE, &resolved, "Print the experiment with every default", NULL},
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
  for (int k = 1; k < argc; k++) {
    g_autoptr(GError) error = NULL;
    if (!check_file(argv[k], (const char *const *)sets, registry, resolved, &error)) status = cli_fail(error);
  }
  return status;
}
