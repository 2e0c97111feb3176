/* SPDX-License-Identifier: MIT */
#include "plugin/scan.h"

#include "base/error.h"
#include "plugin/cache.h"
#include "plugin/places.h"

enum { SECONDS = 2, MOST_SECONDS = 3600 };

/* How long a file may take to load. */
static guint time_limit(void) {
  const char *variable = g_getenv("DOVETAIL_SCAN_SECONDS");
  guint64 seconds = SECONDS;
  if (variable && *variable && !g_ascii_string_to_unsigned(variable, 10, 1, MOST_SECONDS, &seconds, NULL))
    g_log("dovetail", G_LOG_LEVEL_WARNING, "DOVETAIL_SCAN_SECONDS is '%s', not a whole number from 1 to %d; %d is used",
          variable, MOST_SECONDS, SECONDS);
  return (guint)seconds;
}

static gboolean is_answer(const json_t *answer, guint count) {
  if (json_array_size(answer) != count) return FALSE;
  for (guint k = 0; k < count; k++)
    if (!found_is_good(json_array_get(answer, k))) return FALSE;
  return TRUE;
}

/* The answer of dovetail-scan: what is in each file, in their order. */
static json_t *ask(const GPtrArray *paths, guint seconds, GError **error) {
  g_autofree char *program = places_scanner(), *limit = g_strdup_printf("%u", seconds), *output = NULL;
  g_autoptr(GPtrArray) arguments = g_ptr_array_new();
  g_ptr_array_add(arguments, program);
  g_ptr_array_add(arguments, limit);
  g_ptr_array_extend(arguments, (GPtrArray *)paths, NULL, NULL);
  g_ptr_array_add(arguments, NULL);
  int status;
  if (!g_spawn_sync(NULL, (char **)arguments->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL, &status,
                    error) ||
      !g_spawn_check_wait_status(status, error))
    return NULL;
  json_t *answer = json_loads(output, 0, NULL);
  if (is_answer(answer, paths->len)) return answer;
  json_decref(answer);
  error_failed(error, "it gave no answer");
  return NULL;
}

struct file {
  char *path, *stamp;
  json_t *found; /* NULL: not known yet; a reference of its own */
};

static void ask_for_unknown(struct file *files, guint count, struct cache *cache, guint seconds) {
  g_autoptr(GPtrArray) unknown = g_ptr_array_new();
  g_autoptr(GError) error = NULL;
  for (guint k = 0; k < count; k++)
    if (!files[k].found) g_ptr_array_add(unknown, files[k].path);
  if (!unknown->len) return;
  json_t *answer = ask(unknown, seconds, &error);
  for (guint k = 0, next = 0; k < count; k++) {
    if (files[k].found) continue;
    files[k].found = answer ? json_incref(json_array_get(answer, next++))
                            : found_refused("could not be looked at: dovetail-scan: %s", error->message);
    if (answer) cache_put(cache, files[k].path, files[k].stamp, files[k].found);
  }
  if (answer) cache_save(cache);
  json_decref(answer);
}

json_t *scan_files(char *const *paths, guint count) {
  const guint seconds = time_limit();
  AUTO(cache) cache = cache_open(seconds);
  g_autofree struct file *files = g_new(struct file, count);
  json_t *all = json_array();
  for (guint k = 0; k < count; k++) {
    files[k] = (struct file){.path = paths[k], .stamp = cache_stamp(paths[k])};
    files[k].found = json_incref(cache_get(cache, paths[k], files[k].stamp));
  }
  ask_for_unknown(files, count, cache, seconds);
  for (guint k = 0; k < count; k++) {
    json_array_append_new(all, files[k].found);
    g_free(files[k].stamp);
  }
  return all;
}
