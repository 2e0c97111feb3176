/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "report/summary.h"
#include "store/file.h"

/* The measures, and chance after them. */
enum { CHANCE = SUMMARY_MEASURES, NUMBERS };

/* A group while its runs are read: one array of doubles for each number. */
struct collector {
  guint *points;
  GArray *numbers[NUMBERS];
};

static void collector_free(gpointer data) {
  struct collector *collector = data;
  for (guint k = 0; k < NUMBERS; k++) g_array_unref(collector->numbers[k]);
  g_free(collector->points);
  g_free(collector);
}

/* Takes over `points`. */
static struct collector *collector_new(guint *points) {
  struct collector *collector = g_new(struct collector, 1);
  collector->points = points;
  for (guint k = 0; k < NUMBERS; k++) collector->numbers[k] = g_array_new(FALSE, FALSE, sizeof(double));
  return collector;
}

struct reader {
  const char *directory;
  char *file; /* sweep.json */
  json_t *sweep;
  guint seed; /* index of the axis in sweep.json; their number when there is none */
  GPtrArray *collectors;
  struct summary *summary;
};

static json_t *read_object(const char *path, GError **error) {
  json_error_t problem;
  GMappedFile *map = file_map(path, error);
  if (!map) return NULL;
  json_t *json = file_json(map, &problem);
  if (!json) error_failed(error, "%s:%d:%d: damaged: %s", path, problem.line, problem.column, problem.text);
  if (!json || json_is_object(json)) return json;
  json_decref(json);
  error_failed(error, "%s: damaged: a JSON object is wanted", path);
  return NULL;
}

static const char *number_key(guint number) { return number == CHANCE ? "chance" : summary_measure_key(number); }

/* Every run has these two. */
static gboolean is_needed(guint number) { return number == CHANCE || number == SUMMARY_OWN; }

/* Shares and correlations; a hair over 1 is rounding. */
static gboolean read_number(const char *path, const json_t *results, guint number, GArray *numbers, GError **error) {
  const json_t *json = json_object_get(results, number_key(number));
  const gboolean absent = !json || json_is_null(json);
  const double value = absent ? (double)NAN : json_number_value(json);
  if ((!absent && !json_is_number(json)) || (absent && is_needed(number)) || fabs(value) > 1 + 1e-9)
    return error_failed(error, "%s: damaged: '%s' should be a number from -1 to 1%s", path, number_key(number),
                        is_needed(number) ? "" : ", or null");
  g_array_append_val(numbers, value);
  return TRUE;
}

/* name: becomes the run's name, to be freed, unless it is NULL. */
static gboolean read_results(const char *directory, struct collector *collector, char **name, GError **error) {
  g_autofree char *path = g_build_filename(directory, "results.json", NULL);
  json_auto_t *results = read_object(path, error);
  if (!results) return FALSE;
  for (guint k = 0; k < NUMBERS; k++)
    if (!read_number(path, results, k, collector->numbers[k], error)) return FALSE;
  if (!name) return TRUE;
  *name = g_strdup(json_string_value(json_object_get(results, "name")));
  return *name || error_failed(error, "%s: damaged: 'name' should be a string", path);
}

static void take_groups(struct summary *summary, const GPtrArray *collectors) {
  summary->group_count = collectors->len;
  summary->groups = g_new0(struct summary_group, collectors->len);
  for (guint k = 0; k < collectors->len; k++) {
    struct collector *collector = g_ptr_array_index(collectors, k);
    struct summary_group *group = &summary->groups[k];
    group->points = g_steal_pointer(&collector->points);
    group->runs = collector->numbers[CHANCE]->len;
    group->chance = summary_value_of((double *)collector->numbers[CHANCE]->data, group->runs).mean;
    for (guint m = 0; m < SUMMARY_MEASURES; m++)
      group->values[m] = summary_value_of((double *)collector->numbers[m]->data, group->runs);
  }
}

static gboolean read_axis(struct reader *reader, size_t index, const json_t *json, GError **error) {
  struct summary *summary = reader->summary;
  const char *key = json_string_value(json_object_get(json, "key"));
  const json_t *labels = json_object_get(json, "labels");
  if (!key || !json_is_array(labels))
    return error_failed(error, "%s: damaged: axes[%zu] should have a 'key' and a list of 'labels'", reader->file,
                        index);
  if (!strcmp(key, "seed")) {
    reader->seed = (guint)index;
    return TRUE;
  }
  struct summary_axis *axis = &summary->axes[summary->axis_count++];
  *axis = (struct summary_axis){g_strdup(key), g_ptr_array_new_with_free_func(g_free)};
  for (size_t k = 0; k < json_array_size(labels); k++) {
    const char *label = json_string_value(json_array_get(labels, k));
    if (!label) return error_failed(error, "%s: damaged: the labels of '%s' should be strings", reader->file, key);
    g_ptr_array_add(axis->labels, g_strdup(label));
  }
  return TRUE;
}

static gboolean read_axes(struct reader *reader, GError **error) {
  const json_t *axes = json_object_get(reader->sweep, "axes");
  if (!json_is_array(axes)) return error_failed(error, "%s: damaged: 'axes' should be a list", reader->file);
  reader->seed = (guint)json_array_size(axes);
  reader->summary->axes = g_new0(struct summary_axis, json_array_size(axes));
  for (size_t k = 0; k < json_array_size(axes); k++)
    if (!read_axis(reader, k, json_array_get(axes, k), error)) return FALSE;
  return TRUE;
}

/* The points of a run on the axes, to be freed; NULL with an error. */
static guint *read_points(const struct reader *reader, size_t run, const json_t *labels, GError **error) {
  const struct summary *summary = reader->summary;
  const gsize wanted = summary->axis_count + (reader->seed < json_array_size(json_object_get(reader->sweep, "axes")));
  g_autofree guint *points = g_new0(guint, summary->axis_count + 1);
  if (!json_is_array(labels) || json_array_size(labels) != wanted) {
    error_failed(error, "%s: damaged: runs[%zu] should have a label for each axis", reader->file, run);
    return NULL;
  }
  for (guint k = 0; k < summary->axis_count; k++) {
    const struct summary_axis *axis = &summary->axes[k];
    const char *label = json_string_value(json_array_get(labels, k + (k >= reader->seed)));
    if (!label || !g_ptr_array_find_with_equal_func(axis->labels, label, g_str_equal, &points[k])) {
      error_failed(error, "%s: damaged: runs[%zu] should have one of the labels of '%s'", reader->file, run, axis->key);
      return NULL;
    }
  }
  return g_steal_pointer(&points);
}

/* The collector of the group at these points, which it takes over. */
static struct collector *collector_at(const struct reader *reader, guint *points) {
  const gsize size = reader->summary->axis_count * sizeof *points;
  for (guint k = 0; k < reader->collectors->len; k++) {
    struct collector *collector = g_ptr_array_index(reader->collectors, k);
    if (memcmp(collector->points, points, size)) continue;
    g_free(points);
    return collector;
  }
  struct collector *collector = collector_new(points);
  g_ptr_array_add(reader->collectors, collector);
  return collector;
}

static gboolean read_state(const struct reader *reader, size_t run, const json_t *json, enum summary_state *state,
                           GError **error) {
  const char *name = json_string_value(json);
  for (*state = 0; name && *state < SUMMARY_STATES; (*state)++)
    if (!strcmp(name, summary_state_name(*state))) return TRUE;
  return error_failed(error,
                      "%s: damaged: the state of runs[%zu] should be one of done, failed, interrupted, running, "
                      "pending",
                      reader->file, run);
}

static gboolean has_file(const char *directory, const char *name) {
  g_autofree char *path = g_build_filename(directory, name, NULL);
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

static gboolean read_run(struct reader *reader, size_t index, const json_t *run, GError **error) {
  enum summary_state state;
  guint *points = read_points(reader, index, json_object_get(run, "labels"), error);
  if (!points) return FALSE;
  struct collector *collector = collector_at(reader, points);
  if (!read_state(reader, index, json_object_get(run, "state"), &state, error)) return FALSE;
  const char *name = json_string_value(json_object_get(run, "directory"));
  if (state == SUMMARY_DONE && !name)
    return error_failed(error, "%s: damaged: runs[%zu] is done and should have a 'directory'", reader->file, index);
  g_autofree char *directory = g_build_filename(reader->directory, name, NULL);
  if (state == SUMMARY_DONE && !has_file(directory, "results.json"))
    state = SUMMARY_PENDING; /* deleted: to run again */
  reader->summary->states[state]++;
  return state != SUMMARY_DONE || read_results(directory, collector, NULL, error);
}

static gboolean read_sweep(struct reader *reader, GError **error) {
  reader->sweep = read_object(reader->file, error);
  if (!reader->sweep) return FALSE;
  const char *name = json_string_value(json_object_get(reader->sweep, "name"));
  const json_t *runs = json_object_get(reader->sweep, "runs");
  if (!name || !json_is_array(runs))
    return error_failed(error, "%s: damaged: it should have a 'name' and a list of 'runs'", reader->file);
  reader->summary->name = g_strdup(name);
  if (!read_axes(reader, error)) return FALSE;
  for (size_t k = 0; k < json_array_size(runs); k++)
    if (!read_run(reader, k, json_array_get(runs, k), error)) return FALSE;
  return TRUE;
}

static gboolean read_single(struct reader *reader, GError **error) {
  reader->summary->states[SUMMARY_DONE] = 1;
  return read_results(reader->directory, collector_at(reader, g_new0(guint, 1)), &reader->summary->name, error);
}

static gboolean read_directory(struct reader *reader, GError **error) {
  const char *directory = reader->directory;
  reader->summary->sweep = has_file(directory, "sweep.json");
  if (reader->summary->sweep) return read_sweep(reader, error);
  if (has_file(directory, "results.json")) return read_single(reader, error);
  const struct mark nowhere = {0};
  if (!g_file_test(directory, G_FILE_TEST_IS_DIR))
    return error_at(error, nowhere, "%s: is no directory; that of a sweep or a run is wanted", directory);
  return error_at(error, nowhere,
                  "%s: is neither the directory of a sweep (it has no sweep.json) nor that of a finished run (no "
                  "results.json)",
                  directory);
}

struct summary *summary_read(const char *directory, GError **error) {
  AUTO(summary) summary = g_new0(struct summary, 1);
  g_autoptr(GPtrArray) collectors = g_ptr_array_new_with_free_func(collector_free);
  struct reader reader = {.directory = directory, .collectors = collectors, .summary = summary};
  reader.file = g_build_filename(directory, "sweep.json", NULL);
  const gboolean good = read_directory(&reader, error);
  json_decref(reader.sweep);
  g_free(reader.file);
  if (!good) return NULL;
  take_groups(summary, collectors);
  return g_steal_pointer(&summary);
}
