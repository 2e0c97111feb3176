/* SPDX-License-Identifier: MIT */
#include "store/run.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "store/file.h"
#include "store/folder.h"

static json_t *now(void) {
  g_autoptr(GDateTime) time = g_date_time_new_now_utc();
  g_autofree char *text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
  return json_string(text);
}

static gboolean open_metrics(struct run *run, GError **error) {
  g_autofree char *path = g_build_filename(run->path, "metrics.jsonl", NULL);
  run->metrics = g_fopen(path, "ae");
  return run->metrics || error_failed(error, "%s: cannot be made: %s", path, g_strerror(errno));
}

struct run *run_create(const char *parent, const char *name, const char *experiment, const char *resolved, json_t *info,
                       GError **error) {
  AUTO(run) run = g_new0(struct run, 1);
  run->path = folder_make(parent, name, error);
  if (!run->path) return NULL;
  run->info = json_pack("{s:s, s:o, s:o}", "state", "running", "start", now(), "machine", run_machine());
  json_object_update_missing(run->info, info);
  if (!folder_write_text(run->path, "experiment.yaml", experiment, error) ||
      !folder_write_text(run->path, "resolved.yaml", resolved, error) ||
      !folder_write_json(run->path, "run.json", run->info, error) || !open_metrics(run, error))
    return NULL;
  return g_steal_pointer(&run);
}

gboolean run_metric(struct run *run, json_t *line, GError **error) {
  g_autofree char *text = folder_json(run->path, "metrics.jsonl", line, JSON_COMPACT, error);
  json_decref(line);
  if (!text) return FALSE;
  const gboolean written = fprintf(run->metrics, "%s\n", text) > 0 && fflush(run->metrics) == 0;
  const int cause = errno;
  return written || error_failed(error, "%s/metrics.jsonl: cannot be written: %s", run->path, g_strerror(cause));
}

gboolean run_record(struct run *run, const char *key, json_t *value, GError **error) {
  json_object_set_new(run->info, key, value);
  return folder_write_json(run->path, "run.json", run->info, error);
}

json_t *run_recorded(const char *directory, const char *key) {
  g_autofree char *path = g_build_filename(directory, "run.json", NULL);
  GMappedFile *map = file_map(path, NULL);
  json_auto_t *info = map ? file_json(map, NULL) : NULL;
  return json_incref(json_object_get(info, key));
}

gboolean run_results(struct run *run, json_t *results, GError **error) {
  return folder_write_json(run->path, "results.json", results, error);
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

gboolean run_finish(struct run *run, const char *state, const char *message, GError **error) {
  json_object_set_new(run->info, "end", now());
  g_autofree char *text = message ? g_utf8_make_valid(message, -1) : NULL;
  if (text) json_object_set_new(run->info, "error", json_string(text));
  return run_record(run, "state", json_string(state), error);
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
