/* SPDX-License-Identifier: MIT */
#include "plugin/choices.h"

#include <glib.h>
#include <math.h>
#include <string.h>

#include "plugin/cache_file.h"

enum {
  MOST_WAYS = 64,
  ROUNDS = 3 /* in turns, so that a busy moment does not hit one way alone; the best of each counts */
};

/* What a way must be ahead of those before it, so that noise alone does not choose. */
static const double advantage = 0.97;

struct choices {
  char *machine, *path;
  json_t *known;    /* {KEY: …} of this machine */
  json_t *recorded; /* {KEY: NAME} of earlier runs, or NULL */
  json_t *used;     /* {KEY: NAME} */
  GMutex mutex;
};

static json_t *read_all(const char *path) {
  json_t *all = cache_file_read(path);
  if (json_is_object(all)) return all;
  json_decref(all);
  return json_object();
}

struct choices *choices_new(const char *machine) {
  struct choices *choices = g_new0(struct choices, 1);
  choices->machine = g_utf8_make_valid(machine, -1);
  choices->path = cache_file_path("choices.json");
  json_auto_t *all = read_all(choices->path);
  json_t *known = json_object_get(all, choices->machine);
  choices->known = json_is_object(known) ? json_incref(known) : json_object();
  choices->used = json_object();
  g_mutex_init(&choices->mutex);
  return choices;
}

void choices_free(struct choices *choices) {
  if (!choices) return;
  json_decref(choices->known);
  json_decref(choices->recorded);
  json_decref(choices->used);
  g_mutex_clear(&choices->mutex);
  g_free(choices->machine);
  g_free(choices->path);
  g_free(choices);
}

/* Together with what other processes have added meanwhile. */
static void save(struct choices *choices) {
  json_auto_t *all = read_all(choices->path);
  json_object_update_missing(choices->known, json_object_get(all, choices->machine));
  json_object_set(all, choices->machine, choices->known);
  cache_file_write(choices->path, all, JSON_INDENT(1) | JSON_REAL_PRECISION(4) | JSON_SORT_KEYS,
                   "choices are not kept");
}

/* Best of some rounds, in seconds; negative where a way failed, which is not asked again. */
static void measure(uint32_t count, double (*seconds)(void *data, uint32_t way), void *data, double *best) {
  for (uint32_t way = 0; way < count; way++) best[way] = G_MAXDOUBLE;
  for (int round = 0; round < ROUNDS; round++)
    for (uint32_t way = 0; way < count; way++) {
      const double took = best[way] < 0 ? -1 : seconds(data, way);
      best[way] = took >= 0 && isfinite(took) ? MIN(best[way], took) : -1;
    }
}

static uint32_t fastest(uint32_t count, const double *best) {
  uint32_t chosen = 0;
  for (uint32_t way = 1; way < count; way++)
    if (best[way] >= 0 && (best[chosen] < 0 || best[way] < advantage * best[chosen])) chosen = way;
  return chosen;
}

static void keep(struct choices *choices, const char *key, uint32_t count, const char *const *names, const double *best,
                 uint32_t chosen) {
  json_t *times = json_object();
  for (uint32_t way = 0; way < count; way++)
    if (best[way] >= 0) json_object_set_new(times, names[way], json_real(1e3 * best[way]));
  json_object_set_new(choices->known, key, json_pack("{s:s, s:o}", "way", names[chosen], "milliseconds", times));
  save(choices);
}

/* What this run did, what those did that it goes on with, what was measured; count: nothing names one of the ways. */
static uint32_t recall(const struct choices *choices, const char *key, uint32_t count, const char *const *names) {
  const json_t *said[] = {
      json_object_get(choices->used, key),
      json_object_get(choices->recorded, key),
      json_object_get(json_object_get(choices->known, key), "way"),
  };
  for (guint k = 0; k < G_N_ELEMENTS(said); k++) {
    const char *name = json_string_value(said[k]);
    for (uint32_t way = 0; name && way < count; way++)
      if (!strcmp(name, names[way])) return way;
  }
  return count;
}

/* Where no way could be measured nothing is kept for the machine: another process may have more memory. */
static uint32_t find(struct choices *choices, const char *key, uint32_t count, const char *const *names,
                     double (*seconds)(void *data, uint32_t way), void *data) {
  double best[MOST_WAYS] = {0};
  measure(count, seconds, data, best);
  const uint32_t way = fastest(count, best);
  if (best[way] >= 0) keep(choices, key, count, names, best, way);
  return way;
}

static gboolean is_text(const char *text) { return text && g_utf8_validate(text, -1, NULL); }

static gboolean is_question(const char *key, uint32_t count, const char *const *names) {
  if (!is_text(key) || !names || count < 1 || count > MOST_WAYS) return FALSE;
  for (uint32_t way = 0; way < count; way++)
    if (!is_text(names[way])) return FALSE;
  return TRUE;
}

uint32_t choices_choose(struct choices *choices, const char *key, uint32_t count, const char *const *names,
                        double (*seconds)(void *data, uint32_t way), void *data) {
  if (!is_question(key, count, names) || !seconds) return 0;
  g_mutex_lock(&choices->mutex);
  uint32_t way = recall(choices, key, count, names);
  if (way == count) way = find(choices, key, count, names, seconds, data);
  json_object_set_new(choices->used, key, json_string(names[way]));
  g_mutex_unlock(&choices->mutex);
  return way;
}

void choices_begin(struct choices *choices, json_t *recorded) {
  g_mutex_lock(&choices->mutex);
  json_object_clear(choices->used);
  json_decref(choices->recorded);
  choices->recorded = json_incref(recorded);
  g_mutex_unlock(&choices->mutex);
}

json_t *choices_used(struct choices *choices) {
  g_mutex_lock(&choices->mutex);
  json_t *used = json_deep_copy(choices->used);
  g_mutex_unlock(&choices->mutex);
  return used;
}
