/* SPDX-License-Identifier: MIT */
#include "conform/watch.h"

#include <stdlib.h>
#include <string.h>

static struct watch *watch_of(const struct dvt_host *host) { return host->context; }

static void *allocate(const struct dvt_host *host, size_t size) {
  struct watch *watch = watch_of(host);
  void *memory = NULL;
  g_mutex_lock(&watch->mutex);
  if (watch->budget && size && size <= SIZE_MAX - 64) memory = aligned_alloc(64, (size + 63) / 64 * 64);
  if (watch->budget > 0) watch->budget--;
  if (memory) g_hash_table_add(watch->live, memory);
  g_mutex_unlock(&watch->mutex);
  return memory;
}

static void release(const struct dvt_host *host, void *memory) {
  struct watch *watch = watch_of(host);
  if (!memory) return;
  g_mutex_lock(&watch->mutex);
  const gboolean known = g_hash_table_remove(watch->live, memory);
  if (!known) watch->strangers++;
  g_mutex_unlock(&watch->mutex);
  if (known) free(memory);
}

static void note_log(void *data, enum dvt_level level, const char *message) {
  struct watch *watch = data;
  const gboolean good = level >= DVT_LOG_DEBUG && level <= DVT_LOG_WARNING && message && message[0] &&
                        g_utf8_validate(message, -1, NULL) && !strchr(message, '\n');
  g_mutex_lock(&watch->mutex);
  if (!good && !watch->bad_log) watch->bad_log = message ? g_utf8_make_valid(message, -1) : g_strdup("NULL");
  g_mutex_unlock(&watch->mutex);
}

void watch_init(struct watch *watch, guint64 seed) {
  *watch = (struct watch){.budget = -1};
  services_init(&watch->services, seed);
  watch->services.log = note_log;
  watch->services.log_data = watch;
  watch->services.table.threads = 2;
  watch->services.table.allocate = allocate;
  watch->services.table.release = release;
  watch->live = g_hash_table_new(NULL, NULL);
  g_mutex_init(&watch->mutex);
}

void watch_clear(struct watch *watch) {
  g_hash_table_unref(watch->live);
  g_mutex_clear(&watch->mutex);
  g_free(watch->bad_log);
}

guint watch_live(struct watch *watch) {
  g_mutex_lock(&watch->mutex);
  const guint live = g_hash_table_size(watch->live);
  g_mutex_unlock(&watch->mutex);
  return live;
}
