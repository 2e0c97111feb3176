/* SPDX-License-Identifier: MIT */
#include "store/run.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "store/file.h"

/* Digits enough for what people read and compare, and 0.1 stays 0.1. */
#define JSON_NUMBERS JSON_REAL_PRECISION(15)

static gboolean write_text(const struct run *run, const char *name, const char *text, GError **error) {
  g_autofree char *path = g_build_filename(run->path, name, NULL);
  const struct file_part part = {text, strlen(text)};
  return file_replace(path, &part, 1, error);
}

static gboolean not_finite(const struct run *run, const char *name, GError **error) {
  return error_failed(error, "%s/%s: a number is not finite or a text is not UTF-8, which JSON cannot hold", run->path,
                      name);
}

static gboolean write_json(const struct run *run, const char *name, const json_t *json, GError **error) {
  char *text = json_dumps(json, JSON_NUMBERS | JSON_INDENT(2));
  if (!text) return not_finite(run, name, error);
  g_autofree char *lines = g_strconcat(text, "\n", NULL);
  free(text);
  return write_text(run, name, lines, error);
}

static json_t *now(void) {
  g_autoptr(GDateTime) time = g_date_time_new_now_utc();
  g_autofree char *text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
  return json_string(text);
}

/* Returns the path; mkdir succeeds for one process alone. */
static char *make_folder(const char *parent, const char *name, GError **error) {
  if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..")) {
    error_failed(error, "'%s' cannot be the name of a run: it names its directory", name);
    return NULL;
  }
  if (g_mkdir_with_parents(parent, 0777)) {
    error_failed(error, "%s: this folder for runs cannot be made: %s", parent, g_strerror(errno));
    return NULL;
  }
  g_autofree char *path = g_build_filename(parent, name, NULL);
  for (guint counter = 2; g_mkdir(path, 0777); counter++) {
    if (errno != EEXIST) {
      error_failed(error, "%s: the run's directory cannot be made: %s", path, g_strerror(errno));
      return NULL;
    }
    g_free(path);
    path = g_strdup_printf("%s/%s-%u", parent, name, counter);
  }
  return g_steal_pointer(&path);
}

static gboolean open_metrics(struct run *run, GError **error) {
  g_autofree char *path = g_build_filename(run->path, "metrics.jsonl", NULL);
  run->metrics = g_fopen(path, "ae");
  return run->metrics || error_failed(error, "%s: cannot be made: %s", path, g_strerror(errno));
}

struct run *run_create(const char *parent, const char *name, const char *experiment, const char *resolved,
                       json_t *info, GError **error) {
  AUTO(run) run = g_new0(struct run, 1);
  run->path = make_folder(parent, name, error);
  if (!run->path) return NULL;
  run->info = json_pack("{s:s, s:o, s:o}", "state", "running", "start", now(), "machine", run_machine());
  json_object_update_missing(run->info, info);
  if (!write_text(run, "experiment.yaml", experiment, error) || !write_text(run, "resolved.yaml", resolved, error) ||
      !write_json(run, "run.json", run->info, error) || !open_metrics(run, error))
    return NULL;
  return g_steal_pointer(&run);
}

gboolean run_metric(struct run *run, json_t *line, GError **error) {
  char *text = json_dumps(line, JSON_NUMBERS | JSON_COMPACT);
  json_decref(line);
  if (!text) return not_finite(run, "metrics.jsonl", error);
  const gboolean written = fprintf(run->metrics, "%s\n", text) > 0 && fflush(run->metrics) == 0;
  const int cause = errno;
  free(text);
  return written || error_failed(error, "%s/metrics.jsonl: cannot be written: %s", run->path, g_strerror(cause));
}

gboolean run_results(struct run *run, json_t *results, GError **error) {
  return write_json(run, "results.json", results, error);
}

char *run_component_file(const char *directory, const char *name) {
  g_autofree char *escaped = g_uri_escape_string(name, " ", TRUE);
  return g_strdup_printf("%s/components/%s.safetensors", directory, escaped);
}

char *run_component_path(const struct run *run, const char *name) {
  g_autofree char *folder = g_build_filename(run->path, "components", NULL);
  g_mkdir(folder, 0777); /* if it failed, the writing of the component will tell */
  return run_component_file(run->path, name);
}

gboolean run_finish(struct run *run, const char *state, GError **error) {
  json_object_set_new(run->info, "state", json_string(state));
  json_object_set_new(run->info, "end", now());
  return write_json(run, "run.json", run->info, error);
}

void run_close(struct run *run) {
  if (!run) return;
  if (run->metrics) fclose(run->metrics);
  json_decref(run->info);
  g_free(run->path);
  g_free(run);
}

char *run_checksum(const char *path, GError **error) {
  GMappedFile *map = file_map(path, error);
  if (!map) return NULL;
  char *checksum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)g_mapped_file_get_contents(map),
                                               g_mapped_file_get_length(map));
  g_mapped_file_unref(map);
  return checksum;
}
