/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/run.h"
#include "report/summary.h"
#include "store/sweep_directory.h"

/* A sweep at work. */
struct work {
  const struct run_settings *settings;
  const struct plan *plan;
  struct sweep_directory *directory;
  json_t *choices; /* of the runs that were started before; what is continued goes on with them */
  guint run;       /* the one at work */
};

static json_t *axis_list(const struct sweep *sweep) {
  json_t *axes = json_array();
  for (guint a = 0; a < sweep->axis_count; a++) {
    json_t *labels = json_array();
    for (guint k = 0; k < sweep->axes[a].count; k++)
      json_array_append_new(labels, json_string(sweep->axes[a].labels[k]));
    json_array_append_new(axes, json_pack("{s:s, s:o}", "key", sweep->axes[a].key, "labels", labels));
  }
  return axes;
}

/* What sweep.json is before the first run. */
static json_t *manifest_of(const struct plan *plan) {
  json_t *runs = json_array();
  for (guint k = 0; k < plan->sweep->count; k++) {
    json_t *labels = json_array();
    for (guint a = 0; a < plan->sweep->axis_count; a++)
      json_array_append_new(labels, json_string(sweep_label(plan->sweep, k, a)));
    json_array_append_new(
        runs, json_pack("{s:o, s:s, s:s}", "labels", labels, "hash", plan->runs[k].hash, "state", "pending"));
  }
  return json_pack("{s:s, s:o, s:o}", "name", plan->name, "axes", axis_list(plan->sweep), "runs", runs);
}

static gboolean on_begun(gpointer data, const char *path, GError **error) {
  struct work *work = data;
  return sweep_directory_begin(work->directory, work->run, path, error);
}

static struct session_result *run_variant(struct work *work, const char *name, GError **error) {
  AUTO(job) job = job_new(work->plan->sweep, work->run, work->settings->registry, work->settings->pool, error);
  const struct session_config config = {.runs = work->directory->path,
                                        .directory = name,
                                        .recorded_choices = work->choices,
                                        .begun = on_begun,
                                        .begun_data = work};
  return job ? run_job(work->settings, job, config, error) : NULL;
}

static void tell_title(const struct work *work) {
  g_autofree char *title = sweep_run_title(work->plan->sweep, work->run);
  if (!work->settings->quiet) fprintf(stderr, "run %u of %u: %s\n", work->run + 1, work->plan->sweep->count, title);
}

static void tell_result(const struct work *work, const struct session_result *result) {
  if (work->settings->quiet) return;
  fprintf(stderr, "run %u of %u is done in %.1f s: own accuracy %.1f%%", work->run + 1, work->plan->sweep->count,
          result->train_seconds + result->measure_seconds, 100 * result->own);
  fprintf(stderr, isnan(result->swap) ? "\n" : ", swap accuracy %.1f%%\n", 100 * result->swap);
}

static void tell_failure(const char *name, const char *message) {
  g_autofree char *text = g_strdup_printf("run %s: %s", name, message);
  cli_say(text);
}

/* FALSE with an error: its state could not be written, and the sweep cannot go on. */
static gboolean run_one(struct work *work, GError **error) {
  g_autoptr(GError) failure = NULL;
  g_autofree char *name = sweep_run_name(work->plan->sweep, work->run);
  tell_title(work);
  AUTO(session_result) result = run_variant(work, name, &failure);
  const char *state = result ? "done" : failure->code == DOVETAIL_INTERRUPTED ? "interrupted" : "failed";
  const char *message = strcmp(state, "failed") ? NULL : failure->message;
  if (result) tell_result(work, result);
  if (message) tell_failure(name, message);
  return sweep_directory_end(work->directory, work->run, state, message, error);
}

/* Runs all that is not done, unless something stops that. FALSE with an error: see run_one. */
static gboolean run_all(struct work *work, GError **error) {
  for (work->run = 0; work->run < work->plan->sweep->count; work->run++) {
    if (!strcmp(sweep_directory_state(work->directory, work->run), "done")) continue;
    if (g_atomic_int_get(work->settings->interrupted)) break;
    if (!run_one(work, error)) return FALSE;
    const gboolean failed = !strcmp(sweep_directory_state(work->directory, work->run), "failed");
    if (failed && work->settings->stop_on_error) break;
  }
  return TRUE;
}

static void tell_begin(const struct work *work) {
  const struct sweep_directory *directory = work->directory;
  const guint done = sweep_directory_count(directory, "done"), count = work->plan->sweep->count;
  if (work->settings->quiet) return;
  fprintf(stderr, "%s: %u %s, %u of them done already; results in %s\n", work->plan->name, count,
          count == 1 ? "run" : "runs", done, directory->path);
}

static void tell_failed(const struct work *work, guint failed) {
  g_autoptr(GString) names = g_string_new(NULL);
  for (guint k = 0; k < work->plan->sweep->count; k++) {
    g_autofree char *name = sweep_run_name(work->plan->sweep, k);
    if (!strcmp(sweep_directory_state(work->directory, k), "failed")) g_string_append_printf(names, " %s", name);
  }
  fprintf(stderr, "dovetail: %s: %u of %u runs failed:%s; the same command starts them anew\n", work->plan->name,
          failed, work->plan->sweep->count, names->str);
}

/* What stdout gets at the end of a sweep, and its directory for good. */
static gboolean summarise(const struct work *work, GError **error) {
  AUTO(summary) summary = summary_read(work->directory->path, error);
  if (!summary || !summary_write(summary, work->directory->path, error)) return FALSE;
  g_autoptr(GString) table = g_string_new(NULL);
  g_autofree char *json = summary_json(summary);
  summary_table(table, summary);
  fputs(work->settings->json ? json : table->str, stdout);
  return TRUE;
}

static int end(const struct work *work) {
  const guint count = work->plan->sweep->count, done = sweep_directory_count(work->directory, "done");
  const guint failed = sweep_directory_count(work->directory, "failed");
  if (g_atomic_int_get(work->settings->interrupted) && done < count) {
    fprintf(stderr, "dovetail: %s: interrupted; %u of %u runs are done; the same command continues\n", work->plan->name,
            done, count);
    return DOVETAIL_INTERRUPTED;
  }
  g_autoptr(GError) error = NULL;
  const gboolean summarised = summarise(work, &error);
  if (failed) tell_failed(work, failed);
  if (!summarised) return cli_fail(error);
  return failed ? DOVETAIL_FAILED : 0;
}

int run_sweep(const struct run_settings *settings, const struct plan *plan) {
  const char *text = yaml_text(plan->sweep->tree);
  g_autoptr(GError) error = NULL;
  json_auto_t *manifest = manifest_of(plan);
  AUTO(sweep_directory) directory = sweep_directory_open(settings->runs, manifest, text, &error);
  if (!directory) return cli_fail(error);
  json_auto_t *choices = sweep_directory_choices(directory);
  struct work work = {.settings = settings, .plan = plan, .directory = directory, .choices = choices};
  tell_begin(&work);
  return run_all(&work, &error) ? end(&work) : cli_fail(error);
}
