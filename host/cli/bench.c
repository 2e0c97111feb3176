/* SPDX-License-Identifier: MIT */
#include "bench/bench.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/columns.h"
#include "cli/plan.h"
#include "config/experiment_parts.h"
#include "store/run.h"

static const char examples[] = "  dovetail bench\n"
                               "  dovetail bench --set train.precision=float32 --set 'aligners=[{plugin: rotation}]'\n"
                               "  dovetail bench experiment.yaml --steps 20 --json\n";

/* The phases of a step: their keys and names, in the order of print. */
enum { PHASES = 9 };
static const struct {
  const char *key, *name;
} phases[PHASES] = {{"forward", "forward"},
                    {"backward_data", "backward by data"},
                    {"backward_weights", "backward by weights"},
                    {"norm", "batch norm"},
                    {"aligner", "aligner"},
                    {"optimiser", "optimiser"},
                    {"waiting", "waiting"},
                    {"other", "other"},
                    {"data", "data (beside)"}};

static void milliseconds_of(const struct bench_times *times, double out[PHASES]) {
  const struct step_times *spent = &times->phases;
  const double seconds[PHASES] = {spent->forward, spent->backward_data, spent->backward_weights,
                                  spent->norm,    spent->aligner,       spent->optimiser,
                                  spent->waiting, times->other,         spent->data};
  for (int k = 0; k < PHASES; k++) out[k] = 1e3 * seconds[k];
}

static double gflops_of(const struct bench_times *times) { return 1e-9 * times->phases.operations / times->step; }

static json_t *number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *json_times(const struct bench_times *times, const struct bench_result *result) {
  double milliseconds[PHASES];
  json_t *spent = json_object();
  const double rate = 1e9 * gflops_of(times);
  milliseconds_of(times, milliseconds);
  for (int k = 0; k < PHASES; k++) json_object_set_new(spent, phases[k].key, json_real(milliseconds[k]));
  return json_pack("{s:f, s:f, s:o, s:f, s:{s:o, s:o}}", "images_per_second", times->images, "milliseconds_per_step",
                   1e3 * times->step, "milliseconds", spent, "gflops", gflops_of(times), "share_of_peak", "float32",
                   number(rate / result->peak_float32), "bfloat16", number(rate / result->peak_bfloat16));
}

static void print_json(const struct job *job, guint steps, const struct bench_result *result) {
  const struct train_spec *train = &job->experiment->train;
  json_auto_t *all = json_pack(
      "{s:s, s:i, s:i, s:i, s:s, s:i, s:o, s:{s:o, s:o}, s:o, s:I, s:{s:o, s:o}, s:o, s:o}", "experiment",
      job->experiment->name, "networks", (int)job->composition->network_count, "batch", (int)train->batch, "threads",
      (int)result->threads, "precision", precisions[train->precision], "steps", (int)steps, "machine", run_machine(),
      "seconds_to_first_step", "begun", number(result->first.begun), "done", number(result->first.done),
      "peak_memory_bytes", number(result->memory), "operations_per_step", (json_int_t)result->fed.phases.operations,
      "peak_gflops", "float32", number(1e-9 * result->peak_float32), "bfloat16", number(1e-9 * result->peak_bfloat16),
      "with_data", json_times(&result->fed, result), "without_data", json_times(&result->still, result));
  char *text = json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
  puts(text);
  free(text);
}

/* A row: what it is, with the data pipeline, without. */
static void add_row(GPtrArray *cells, const char *what, const char *format, double fed, double still) {
  g_ptr_array_add(cells, g_strdup(what));
  for (int k = 0; k < 2; k++) {
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_ptr_array_add(cells, g_strdup(g_ascii_formatd(text, sizeof text, format, k ? still : fed)));
  }
}

static void print_peak(const char *precision, double peak, const struct bench_result *result) {
  if (isnan(peak))
    printf("  %s: this processor has no instruction for it\n", precision);
  else
    printf("  %s: %.0f GFLOP/s; of that %.0f%% with data, %.0f%% without\n", precision, 1e-9 * peak,
           1e11 * gflops_of(&result->fed) / peak, 1e11 * gflops_of(&result->still) / peak);
}

static void print_table(const struct job *job, guint steps, const struct bench_result *result) {
  const struct train_spec *train = &job->experiment->train;
  g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
  double fed[PHASES], still[PHASES];
  milliseconds_of(&result->fed, fed);
  milliseconds_of(&result->still, still);
  printf("%s: %u network%s, batch %u, %s, %u thread%s, %u steps\n", job->experiment->name,
         job->composition->network_count, job->composition->network_count == 1 ? "" : "s", train->batch,
         precisions[train->precision], result->threads, result->threads == 1 ? "" : "s", steps);
  const char *const head[] = {"", "with data", "without"};
  for (guint k = 0; k < G_N_ELEMENTS(head); k++) g_ptr_array_add(cells, g_strdup(head[k]));
  add_row(cells, "images/s, all networks", "%.1f", result->fed.images, result->still.images);
  add_row(cells, "GFLOP/s", "%.1f", gflops_of(&result->fed), gflops_of(&result->still));
  add_row(cells, "ms per step", "%.1f", 1e3 * result->fed.step, 1e3 * result->still.step);
  for (int k = 0; k < PHASES; k++) {
    g_autofree char *what = g_strdup_printf("  %s", phases[k].name);
    add_row(cells, what, "%.2f", fed[k], still[k]);
  }
  columns_print(stdout, cells, G_N_ELEMENTS(head), 0);
  puts("peak of multiplications and additions, measured");
  print_peak("float32", result->peak_float32, result);
  print_peak("bfloat16", result->peak_bfloat16, result);
  printf("first step begun %.2f s after the start, done after %.2f s; peak memory %.0f MB\n", result->first.begun,
         result->first.done, 1e-6 * result->memory);
}

/* The experiment of a file, or the built-in one. */
static struct sweep *read_experiment(const char *path, const char *const *sets, GError **error) {
  return path ? sweep_read(path, sets, error) : sweep_read_text("built-in", bench_experiment, sets, error);
}

static void tell_which(const struct sweep *sweep) {
  if (sweep->count == 1) return;
  g_autofree char *title = sweep_run_title(sweep, 0);
  fprintf(stderr, "of %u runs the first is measured: %s\n", sweep->count, title);
}

int cli_bench(int argc, char **argv) {
  g_auto(GStrv) sets = NULL;
  g_auto(GStrv) folders = NULL;
  g_autofree char *tune = NULL;
  gint steps = 10;
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
      {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &sets, "Set a value of the experiment, as train.batch=64",
       "KEY=VALUE"},
      {"steps", 'n', 0, G_OPTION_ARG_INT, &steps, "Steps to measure (10)", "N"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object", NULL},
      CLI_TUNE_OPTION(tune),
      {"plugin-path", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &folders, "Look for plugins here first", "DIR"},
      {0},
  };
  int status;
  if (!cli_options("bench", "[FILE]", examples, entries, &argc, &argv, &status)) return status;
  if (argc > 2 || steps < 1 || steps > 1000000) {
    fputs(argc > 2 ? "dovetail: bench takes one experiment file, or none\n"
                   : "dovetail: --steps is not a number from 1 to 1000000\n",
          stderr);
    return DOVETAIL_WRONG;
  }
  g_autoptr(GError) error = NULL;
  struct bench_result result;
  AUTO(choices) choices = NULL;
  if (!cli_tune(tune, &choices, &error)) return cli_fail(error);
  AUTO(registry) registry = registry_new();
  registry_scan_default(registry, (const char *const *)folders);
  AUTO(dataset_pool) pool = dataset_pool_new();
  AUTO(sweep) sweep = read_experiment(argc > 1 ? argv[1] : NULL, (const char *const *)sets, &error);
  AUTO(job) job = sweep ? job_new(sweep, 0, registry, pool, &error) : NULL;
  if (!job) return cli_fail(error);
  tell_which(sweep);
  composition_choose(job->composition, choices);
  if (!bench_run(job->experiment, job->composition, (guint)steps, &result, &error)) return cli_fail(error);
  if (json)
    print_json(job, (guint)steps, &result);
  else
    print_table(job, (guint)steps, &result);
  return 0;
}
