/* SPDX-License-Identifier: MIT */
#include "store/sweep_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/file.h"
#include "store/folder.h"
#include "store/run.h"

static const char manifest_name[] = "sweep.json";

static json_t *run_at(const json_t *manifest, gsize k) { return json_array_get(json_object_get(manifest, "runs"), k); }

static const char *text_of(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

static guint count_runs(const json_t *manifest) { return (guint)json_array_size(json_object_get(manifest, "runs")); }

/* The functions that end in _fault return what is wrong with a part of a manifest, or NULL. */

static const char *labels_fault(const json_t *labels) {
  size_t k;
  json_t *label;
  if (!json_is_array(labels)) return "no list of labels";
  json_array_foreach(labels, k, label) if (!json_is_string(label)) return "a label that is no text";
  return NULL;
}

static const char *directory_fault(const json_t *run) {
  const json_t *directory = json_object_get(run, "directory");
  const char *name = json_string_value(directory);
  if (!directory) return strcmp(text_of(run, "state"), "done") ? NULL : "no directory, though it is done";
  if (!name || !*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..")) return "a wrong directory";
  return NULL;
}

static const char *run_fault(const json_t *run, gsize axes) {
  static const char *const states[] = {"pending", "running", "done", "failed", "interrupted", NULL};
  const json_t *labels = json_object_get(run, "labels");
  const char *fault = labels_fault(labels), *state = text_of(run, "state");
  if (fault) return fault;
  if (json_array_size(labels) != axes) return "another number of labels than there are axes";
  if (!text_of(run, "hash")) return "no hash";
  if (!state || !g_strv_contains(states, state)) return "no known state";
  return directory_fault(run);
}

static gboolean fail_damaged(const char *path, const char *what, GError **error) {
  return error_failed(error, "%s is damaged: %s; mend it, or move its folder out of the way", path, what);
}

static gboolean check_axes(const char *path, const json_t *axes, GError **error) {
  size_t k;
  json_t *axis;
  if (!json_is_array(axes)) return fail_damaged(path, "it has no list of axes", error);
  json_array_foreach(axes, k, axis) {
    const char *fault = text_of(axis, "key") ? labels_fault(json_object_get(axis, "labels")) : "no key";
    g_autofree char *what = g_strdup_printf("axis %zu has %s", k + 1, fault);
    if (fault) return fail_damaged(path, what, error);
  }
  return TRUE;
}

static gboolean check_manifest(const char *path, const json_t *manifest, GError **error) {
  const json_t *axes = json_object_get(manifest, "axes"), *runs = json_object_get(manifest, "runs");
  size_t k;
  json_t *run;
  if (!check_axes(path, axes, error)) return FALSE;
  if (!json_array_size(runs)) return fail_damaged(path, "it has no list of runs", error);
  json_array_foreach(runs, k, run) {
    const char *fault = run_fault(run, json_array_size(axes));
    g_autofree char *what = g_strdup_printf("run %zu has %s", k + 1, fault);
    if (fault) return fail_damaged(path, what, error);
  }
  return TRUE;
}

static json_t *read_manifest(const char *path, GError **error) {
  json_error_t fault;
  GMappedFile *map = file_map(path, error);
  if (!map) return NULL;
  json_auto_t *manifest = file_json(map, &fault);
  if (!manifest) {
    g_autofree char *what = g_strdup_printf("%s in line %d, column %d", fault.text, fault.line, fault.column);
    fail_damaged(path, what, error);
    return NULL;
  }
  return check_manifest(path, manifest, error) ? json_incref(manifest) : NULL;
}

static gboolean write_manifest(const struct sweep_directory *sweep, GError **error) {
  return folder_write_json(sweep->path, manifest_name, sweep->manifest, error);
}

/* The runs of a manifest by their hash; keys and values belong to it. */
static GHashTable *runs_by_hash(const json_t *manifest) {
  GHashTable *runs = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint k = 0; k < count_runs(manifest); k++) {
    json_t *run = run_at(manifest, k);
    g_hash_table_insert(runs, (gpointer)text_of(run, "hash"), run);
  }
  return runs;
}

static gboolean is_part(const json_t *recorded, GHashTable *planned) {
  for (guint k = 0; k < count_runs(recorded); k++)
    if (!g_hash_table_contains(planned, text_of(run_at(recorded, k), "hash"))) return FALSE;
  return TRUE;
}

/* What is damaged is as good as gone; what cannot be read, for now, is there. */
static gboolean has_results(const struct sweep_directory *sweep, const json_t *run) {
  g_autofree char *path = g_build_filename(sweep->path, text_of(run, "directory"), "results.json", NULL);
  GMappedFile *map = file_map(path, NULL);
  if (!map) return g_file_test(path, G_FILE_TEST_IS_REGULAR);
  json_auto_t *results = file_json(map, NULL);
  return json_is_object(results);
}

/* The state of a run that nobody works on. One that left results and then died had but its record to write. */
static const char *state_on_record(const struct sweep_directory *sweep, const json_t *record) {
  const char *state = text_of(record, "state");
  const gboolean done = !strcmp(state, "done"), running = !strcmp(state, "running");
  if (!done && !running) return state;
  if (text_of(record, "directory") && has_results(sweep, record)) return "done";
  return done ? "pending" : "interrupted";
}

/* What is on record of a run goes into the plan's. */
static void take_record(const struct sweep_directory *sweep, const json_t *record, json_t *run) {
  static const char *const keys[] = {"directory", "error"};
  const char *state = state_on_record(sweep, record);
  if (!strcmp(state, "pending")) return;
  json_object_set_new(run, "state", json_string(state));
  for (guint k = 0; k < G_N_ELEMENTS(keys); k++)
    if (json_object_get(record, keys[k])) json_object_set(run, keys[k], json_object_get(record, keys[k]));
}

static void take_records(const struct sweep_directory *sweep, const json_t *recorded) {
  g_autoptr(GHashTable) runs = runs_by_hash(sweep->manifest);
  for (guint k = 0; k < count_runs(recorded); k++) {
    const json_t *record = run_at(recorded, k);
    take_record(sweep, record, g_hash_table_lookup(runs, text_of(record, "hash")));
  }
}

/* Not of sweep.json, which is replaced, nor of the folder, which NFS cannot lock. FALSE: errno says why. */
static gboolean take_lock(struct sweep_directory *sweep) {
  g_autofree char *path = g_build_filename(sweep->path, ".lock", NULL);
  sweep->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  return sweep->lock >= 0 && !flock(sweep->lock, LOCK_EX | LOCK_NB);
}

static gboolean fail_lock(const struct sweep_directory *sweep, int cause, GError **error) {
  if (cause == EWOULDBLOCK)
    return error_failed(error, "%s: another dovetail works on this sweep; wait for its end, or stop it first",
                        sweep->path);
  return error_failed(error, "%s: cannot be locked: %s", sweep->path, g_strerror(cause));
}

static struct sweep_directory *sweep_new(char *path, const json_t *plan) {
  struct sweep_directory *sweep = g_new0(struct sweep_directory, 1);
  sweep->path = path;
  sweep->manifest = json_deep_copy(plan);
  sweep->lock = -1;
  return sweep;
}

/* The manifest, if all of its runs are the plan's. NULL without an error: they are not. The caller owns it. */
static json_t *read_part(const struct sweep_directory *sweep, const char *manifest_path, GError **error) {
  json_auto_t *recorded = read_manifest(manifest_path, error);
  g_autoptr(GHashTable) planned = runs_by_hash(sweep->manifest);
  return recorded && is_part(recorded, planned) ? json_incref(recorded) : NULL;
}

/* Whether the sweep of a folder is the plan's, or a part of it; the records are taken then. FALSE without an error: no.
 */
static gboolean continue_sweep(struct sweep_directory *sweep, const char *manifest_path, GError **error) {
  json_auto_t *seen = read_part(sweep, manifest_path, error);
  if (!seen) return FALSE;
  if (!take_lock(sweep)) return fail_lock(sweep, errno, error);
  json_auto_t *recorded = read_part(sweep, manifest_path, error); /* again: now nobody writes it any more */
  if (recorded) take_records(sweep, recorded);
  return recorded != NULL;
}

/* NULL without an error: there is none. */
static struct sweep_directory *find_sweep(const char *parent, const json_t *plan, GError **error) {
  const char *name = text_of(plan, "name");
  g_autoptr(GArray) counters = folder_counters(parent, name, error);
  for (guint k = 0; counters && k < counters->len; k++) {
    AUTO(sweep_directory) sweep = sweep_new(folder_path(parent, name, g_array_index(counters, guint, k)), plan);
    g_autofree char *manifest_path = g_build_filename(sweep->path, manifest_name, NULL);
    GError *fault = NULL;
    if (!g_file_test(manifest_path, G_FILE_TEST_EXISTS)) continue;
    if (continue_sweep(sweep, manifest_path, &fault)) return g_steal_pointer(&sweep);
    if (!fault) continue;
    g_propagate_error(error, fault);
    return NULL;
  }
  return NULL;
}

static struct sweep_directory *make_sweep(const char *parent, const json_t *plan, GError **error) {
  char *path = folder_make(parent, text_of(plan, "name"), error);
  if (!path) return NULL;
  AUTO(sweep_directory) sweep = sweep_new(path, plan);
  if (take_lock(sweep)) return g_steal_pointer(&sweep);
  fail_lock(sweep, errno, error);
  return NULL;
}

struct sweep_directory *sweep_directory_open(const char *parent, const json_t *plan, const char *experiment,
                                             GError **error) {
  GError *fault = NULL;
  AUTO(sweep_directory) sweep = find_sweep(parent, plan, &fault);
  if (!sweep && !fault) sweep = make_sweep(parent, plan, &fault);
  if (!fault && folder_write_text(sweep->path, "experiment.yaml", experiment, &fault) && write_manifest(sweep, &fault))
    return g_steal_pointer(&sweep);
  g_propagate_error(error, fault);
  return NULL;
}

void sweep_directory_close(struct sweep_directory *sweep) {
  if (!sweep) return;
  if (sweep->lock >= 0) close(sweep->lock);
  json_decref(sweep->manifest);
  g_free(sweep->path);
  g_free(sweep);
}

guint sweep_directory_count(const struct sweep_directory *sweep, const char *state) {
  guint count = 0;
  for (guint k = 0; k < count_runs(sweep->manifest); k++)
    count += !state || !strcmp(sweep_directory_state(sweep, k), state);
  return count;
}

const char *sweep_directory_state(const struct sweep_directory *sweep, guint run) {
  return text_of(run_at(sweep->manifest, run), "state");
}

const char *sweep_directory_folder(const struct sweep_directory *sweep, guint run) {
  return text_of(run_at(sweep->manifest, run), "directory");
}

json_t *sweep_directory_choices(const struct sweep_directory *sweep) {
  json_t *all = json_object();
  for (guint k = 0; k < count_runs(sweep->manifest); k++) {
    const char *folder = sweep_directory_folder(sweep, k);
    g_autofree char *path = g_build_filename(sweep->path, folder, NULL);
    json_auto_t *choices = folder ? run_recorded(path, RUN_CHOICES) : NULL;
    json_object_update_missing(all, choices);
  }
  return all;
}

gboolean sweep_directory_begin(struct sweep_directory *sweep, guint run, const char *path, GError **error) {
  json_t *entry = run_at(sweep->manifest, run);
  g_autofree char *name = g_path_get_basename(path);
  json_object_set_new(entry, "state", json_string("running"));
  json_object_set_new(entry, "directory", json_string(name));
  json_object_del(entry, "error");
  return write_manifest(sweep, error);
}

gboolean sweep_directory_end(struct sweep_directory *sweep, guint run, const char *state, const char *message,
                             GError **error) {
  json_t *entry = run_at(sweep->manifest, run);
  g_autofree char *valid = message ? g_utf8_make_valid(message, -1) : NULL;
  json_object_set_new(entry, "state", json_string(state));
  if (valid) json_object_set_new(entry, "error", json_string(valid));
  return write_manifest(sweep, error);
}
