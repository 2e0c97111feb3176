/* SPDX-License-Identifier: MIT */
#include "plugin/services.h"

#include <stdlib.h>

#include "base/processors.h"
#include "plugin/parallel.h"
#include "plugin/random.h"

static GLogLevelFlags glib_level(enum dvt_level level) {
  switch (level) {
  case DVT_LOG_DEBUG: return G_LOG_LEVEL_DEBUG;
  case DVT_LOG_INFO: return G_LOG_LEVEL_INFO;
  case DVT_LOG_WARNING: break;
  }
  return G_LOG_LEVEL_WARNING;
}

static void host_log(const struct dvt_host *host, enum dvt_level level, const char *message) {
  const struct services *services = host->context;
  if (services->log)
    services->log(services->log_data, level, message);
  else
    g_log("dovetail", glib_level(level), "%s", message);
}

static void *host_allocate(const struct dvt_host *host, size_t size) {
  (void)host;
  const size_t line = 64;
  if (size == 0 || size > SIZE_MAX - line) return NULL;
  return aligned_alloc(line, (size + line - 1) / line * line);
}

static void host_release(const struct dvt_host *host, void *memory) {
  (void)host;
  free(memory);
}

static void host_random(const struct dvt_host *host, const char *stream, uint64_t epoch, uint64_t index, uint32_t *out,
                        size_t count) {
  const struct services *services = host->context;
  const char *const name[] = {"plugin/", services->owner ? services->owner : "", "/", stream, NULL};
  random_words(random_stream_joined(services->seed, name), epoch, index, out, count);
}

static void host_parallel_for(const struct dvt_host *host, uint32_t threads, int64_t count,
                              void (*body)(void *data, int64_t begin, int64_t end), void *data) {
  (void)host;
  parallel_for(threads, count, body, data);
}

static uint32_t host_choose(const struct dvt_host *host, const char *key, uint32_t count, const char *const *names,
                            double (*seconds)(void *data, uint32_t way), void *data) {
  const struct services *services = host->context;
  return services->choices ? choices_choose(services->choices, key, count, names, seconds, data) : 0;
}

void services_init(struct services *services, guint64 seed) {
  *services = (struct services){
      .table = {.struct_size = sizeof(struct dvt_host),
                .abi_major = DVT_ABI_MAJOR,
                .abi_minor = DVT_ABI_MINOR,
                .context = services,
                .threads = processors_usable(),
                .log = host_log,
                .allocate = host_allocate,
                .release = host_release,
                .random = host_random,
                .parallel_for = host_parallel_for,
                .choose = host_choose},
      .seed = seed,
  };
}
