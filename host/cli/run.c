/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "report/table.h"

static const char examples[] = "  dovetail run experiment.yaml\n"
                               "  dovetail run independent.yaml rotation.yaml --set seed=2 --runs /data/runs\n"
                               "  dovetail run configs/short/fig4.yaml   (a sweep: this also continues it)\n"
                               "  dovetail run experiment.yaml --json | jq .swap_accuracy\n";

static gint interrupted;

/*
 * The second signal ends the process; what comes in the second of the first, or the next, is the first, sent to a group
 * as well.
 */
static void interrupt(int number) {
  static volatile sig_atomic_t first;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (!g_atomic_int_get(&interrupted)) {
    first = (sig_atomic_t)now.tv_sec;
    g_atomic_int_set(&interrupted, 1);
  } else if ((sig_atomic_t)now.tv_sec > first + 1) {
    signal(number, SIG_DFL);
    raise(number);
  }
}

/* A terminal that closes stops a run as Ctrl-C does, but for `nohup`. */
static void heed_signals(void) {
  struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART}, before;
  sigfillset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, NULL);
}

struct session_result *run_job(const struct run_settings *settings, const struct job *job, struct session_config config,
                               GError **error) {
  struct progress progress;
  config.command = settings->command;
  config.choices = settings->choices;
  config.interrupted = settings->interrupted;
  config.epoch = progress_epoch;
  config.progress = progress_step;
  config.data = &progress;
  progress_init(&progress, job->composition, settings->quiet);
  struct session_result *result = session_run(job->composition, &config, error);
  progress_finish(&progress);
  return result;
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

static void print_result(const struct experiment *experiment, const struct session_result *result) {
  g_autoptr(GString) out = g_string_new(NULL);
  g_autofree const char **names = g_new(const char *, result->count);
  for (guint t = 0; t < result->count; t++) names[t] = experiment->networks[t].name;
  g_string_append_printf(out, "%s: trained in %.1f s (%.0f images/s), measured in %.1f s; results in %s\n",
                         experiment->name, result->train_seconds, result->images_per_second, result->measure_seconds,
                         result->path);
  report_cross(out, names, result->count, result->accuracy);
  append_similarity(out, names, result);
  printf("%s\n", out->str);
  fflush(stdout);
}

static void print_comparison(const GArray *rows) {
  g_autoptr(GString) out = g_string_new(NULL);
  report_comparison(out, (const struct report_row *)rows->data, rows->len);
  report_verdict(out, (const struct report_row *)rows->data, rows->len);
  fputs(out->str, stdout);
}

static int print_json(const struct session_result *result) {
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename(result->path, "results.json", NULL), *text = NULL;
  if (!g_file_get_contents(path, &text, NULL, &error)) return cli_fail(error);
  fputs(text, stdout);
  fflush(stdout);
  return 0;
}

/* Runs a file that is no sweep, and adds a row (struct report_row). Returns the exit status. */
static int run_single(const struct run_settings *settings, const struct plan *plan, GArray *rows) {
  g_autoptr(GError) error = NULL;
  AUTO(job) job = job_new(plan->sweep, 0, settings->registry, settings->pool, &error);
  if (!job) return cli_fail(error);
  const struct session_config config = {.runs = settings->runs};
  AUTO(session_result) result = run_job(settings, job, config, &error);
  if (!result) {
    g_prefix_error(&error, "%s: ", plan->name);
    return cli_fail(error);
  }
  const struct report_row row = {plan->name, result->own, result->swap, result->chance, result->kept};
  g_array_append_val(rows, row);
  if (settings->json) return print_json(result);
  print_result(job->experiment, result);
  return 0;
}

/* The last line of those that tell what went wrong. */
static void tell_failed(const GPtrArray *failed, guint count) {
  g_autoptr(GString) paths = g_string_new(NULL);
  if (!failed->len || count == 1) return;
  for (guint k = 0; k < failed->len; k++) g_string_append_printf(paths, " %s", (const char *)failed->pdata[k]);
  fprintf(stderr, "dovetail: %u of %u files failed:%s\n", failed->len, count, paths->str);
}

static int run_plans(const struct run_settings *settings, const GPtrArray *plans) {
  g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct report_row));
  g_autoptr(GPtrArray) failed = g_ptr_array_new();
  int status = 0;
  for (guint k = 0; k < plans->len && !(failed->len && settings->stop_on_error); k++) {
    const struct plan *plan = g_ptr_array_index(plans, k);
    if (g_atomic_int_get(settings->interrupted)) return DOVETAIL_INTERRUPTED;
    const int ended = plan->sweep->axis_count ? run_sweep(settings, plan) : run_single(settings, plan, rows);
    if (ended == DOVETAIL_INTERRUPTED) return ended;
    if (ended) status = ended, g_ptr_array_add(failed, plan->sweep->path);
  }
  if (rows->len && !settings->json) print_comparison(rows);
  tell_failed(failed, plans->len);
  return status;
}

static GPtrArray *make_plans(int argc, char **argv, const char *const *sets, const struct run_settings *settings,
                             GError **error) {
  g_autoptr(GPtrArray) plans = g_ptr_array_new_with_free_func((GDestroyNotify)plan_free);
  for (int k = 1; k < argc; k++) {
    struct plan *plan = plan_new(argv[k], sets, settings->registry, settings->pool, error);
    if (!plan) return NULL;
    g_ptr_array_add(plans, plan);
  }
  return g_steal_pointer(&plans);
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
  g_autofree char *runs = NULL, *on_error = NULL, *tune = NULL;
  gboolean json = FALSE, quiet = FALSE;
  const GOptionEntry entries[] = {
      {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &sets, "Set a value of the experiments, as train.epochs=5",
       "KEY=VALUE"},
      {"runs", 0, 0, G_OPTION_ARG_FILENAME, &runs, "Folder for run directories (runs)", "DIR"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print each results.json instead of tables", NULL},
      {"on-error", 0, 0, G_OPTION_ARG_STRING, &on_error, "After a run that failed: continue (the default) or stop",
       "WHAT"},
      CLI_TUNE_OPTION(tune),
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
  struct run_settings settings = {
      .runs = runs ? runs : "runs", .command = command, .interrupted = &interrupted, .quiet = quiet, .json = json};
  AUTO(choices) choices = NULL;
  if (!cli_word("--on-error", on_error, (const char *const[]){"continue", "stop"}, &settings.stop_on_error, &error) ||
      !cli_tune(tune, &choices, &error))
    return cli_fail(error);
  settings.choices = choices;
  AUTO(registry) registry = registry_new();
  registry_scan_default(registry, (const char *const *)folders);
  settings.registry = registry;
  AUTO(dataset_pool) pool = dataset_pool_new();
  settings.pool = pool;
  g_autoptr(GPtrArray) plans = make_plans(argc, argv, (const char *const *)sets, &settings, &error);
  if (!plans) return cli_fail(error);
  heed_signals();
  cli_guard_exit(); /* once more, to come before what the plugins' libraries have registered */
  return run_plans(&settings, plans);
}
