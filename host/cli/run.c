/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "report/table.h"
#include "train/session.h"

static const char examples[] = "  dovetail run experiment.yaml\n"
                               "  dovetail run independent.yaml rotation.yaml --set seed=2 --runs /data/runs\n"
                               "  dovetail run experiment.yaml --json | jq .swap_accuracy\n";

static gint interrupted;

static void interrupt(int number) {
  (void)number;
  g_atomic_int_set(&interrupted, 1);
}

/* One file: checked with all the others before the first of them runs. */
struct job {
  struct experiment *experiment;
  struct composition *composition;
  struct session_result *result;
};

static void job_free(gpointer data) {
  struct job *job = data;
  session_result_free(job->result);
  composition_free(job->composition);
  experiment_free(job->experiment);
  g_free(job);
}

static struct job *job_new(const char *path, const char *const *sets, const struct registry *registry,
                           GError **error) {
  struct job *job = g_new0(struct job, 1);
  job->experiment = experiment_read(path, sets, error);
  if (job->experiment) job->composition = composition_new(job->experiment, registry, error);
  if (job->composition) return job;
  job_free(job);
  return NULL;
}

static gboolean run_job(struct job *job, const char *runs, const char *command, gboolean quiet, GError **error) {
  struct progress progress;
  const struct session_config config = {
      .runs = runs,
      .command = command,
      .interrupted = &interrupted,
      .epoch = progress_epoch,
      .progress = progress_step,
      .data = &progress,
  };
  progress_init(&progress, job->composition, quiet);
  job->result = session_run(job->composition, &config, error);
  progress_finish(&progress);
  return job->result != NULL;
}

/* Pairs whose features were compared; those with the same images once. */
static void append_similarity(GString *out, const char *const *names, const struct session_result *result) {
  const guint count = result->count;
  g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(struct report_pair));
  for (guint i = 0; i < count; i++)
    for (guint j = 0; j < count; j++) {
      const struct similarity *similarity = &result->similarity[i * count + j];
      if (!similarity->dead[0] || (similarity->symmetric && j < i)) continue;
      const struct report_pair pair = {
          .extractor = names[i],
          .other = names[j],
          .images = similarity->symmetric ? NULL : names[j],
          .correlation = similarity->correlation,
          .matched_correlation = similarity->matched_correlation,
          .cka = similarity->cka,
          .dead = {similarity->dead[0]->len, similarity->dead[1]->len},
      };
      g_array_append_val(pairs, pair);
    }
  report_similarity(out, (const struct report_pair *)pairs->data, pairs->len);
}

static void print_job(const struct job *job) {
  const struct session_result *result = job->result;
  g_autoptr(GString) out = g_string_new(NULL);
  g_autofree const char **names = g_new(const char *, result->count);
  for (guint t = 0; t < result->count; t++) names[t] = job->experiment->networks[t].name;
  g_string_append_printf(out, "%s: trained in %.1f s (%.0f images/s), measured in %.1f s; results in %s\n",
                         job->experiment->name, result->train_seconds, result->images_per_second,
                         result->measure_seconds, result->path);
  report_cross(out, names, result->count, result->accuracy);
  append_similarity(out, names, result);
  printf("%s\n", out->str);
  fflush(stdout);
}

static void print_comparison(const GPtrArray *jobs) {
  g_autofree struct report_row *rows = g_new(struct report_row, jobs->len);
  g_autoptr(GString) out = g_string_new(NULL);
  for (guint k = 0; k < jobs->len; k++) {
    const struct job *job = g_ptr_array_index(jobs, k);
    rows[k] = (struct report_row){job->experiment->name, job->result->own, job->result->swap, job->result->chance};
  }
  report_comparison(out, rows, jobs->len);
  report_verdict(out, rows, jobs->len);
  fputs(out->str, stdout);
}

static int print_json(const struct job *job) {
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename(job->result->path, "results.json", NULL), *text = NULL;
  if (!g_file_get_contents(path, &text, NULL, &error)) return cli_fail(error);
  fputs(text, stdout);
  return 0;
}

static int run_jobs(const GPtrArray *jobs, const char *runs, const char *command, gboolean quiet, gboolean json) {
  for (guint k = 0; k < jobs->len; k++) {
    struct job *job = g_ptr_array_index(jobs, k);
    g_autoptr(GError) error = NULL;
    if (g_atomic_int_get(&interrupted)) return DOVETAIL_INTERRUPTED;
    if (!run_job(job, runs, command, quiet, &error)) {
      g_prefix_error(&error, "%s: ", job->experiment->name);
      return cli_fail(error);
    }
    if (json && print_json(job)) return DOVETAIL_FAILED;
    if (!json) print_job(job);
    composition_free(g_steal_pointer(&job->composition));
  }
  if (!json) print_comparison(jobs);
  return 0;
}

static GPtrArray *make_jobs(int argc, char **argv, const char *const *sets, const struct registry *registry,
                            GError **error) {
  g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(job_free);
  for (int k = 1; k < argc; k++) {
    struct job *job = job_new(argv[k], sets, registry, error);
    if (!job) return NULL;
    g_ptr_array_add(jobs, job);
  }
  return g_steal_pointer(&jobs);
}

/* The command line as a shell would take it again. The caller frees it. */
static char *quote_command(char **argv) {
  GString *command = g_string_new("dovetail");
  for (; *argv; argv++) {
    g_autofree char *word = g_shell_quote(*argv);
    g_string_append_printf(command, " %s", word);
  }
  return g_string_free(command, FALSE);
}

int cli_run(int argc, char **argv) {
  g_auto(GStrv) sets = NULL;
  g_auto(GStrv) folders = NULL;
  g_autofree char *runs = NULL;
  gboolean json = FALSE, quiet = FALSE;
  const GOptionEntry entries[] = {
      {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &sets, "Set a value of the experiments, as train.epochs=5", "KEY=VALUE"},
      {"runs", 0, 0, G_OPTION_ARG_FILENAME, &runs, "Folder for run directories (runs)", "DIR"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print each results.json instead of tables", NULL},
      {"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "Show no progress", NULL},
      {"plugin-path", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &folders, "Look for plugins here first", "DIR"},
      {0},
  };
  int status;
  g_autofree char *command = quote_command(argv);
  if (!cli_options("run", "FILE…", examples, entries, &argc, &argv, &status)) return status;
  if (argc < 2) {
    fputs("dovetail: run wants at least one experiment file\n", stderr);
    return DOVETAIL_WRONG;
  }
  g_autoptr(GError) error = NULL;
  AUTO(registry) registry = registry_new();
  registry_scan_default(registry, (const char *const *)folders);
  g_autoptr(GPtrArray) jobs = make_jobs(argc, argv, (const char *const *)sets, registry, &error);
  if (!jobs) return cli_fail(error);
  const struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  return run_jobs(jobs, runs ? runs : "runs", command, quiet, json);
}
