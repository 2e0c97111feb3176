/* SPDX-License-Identifier: MIT */
#include "opened.h"

#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/values.h"

const struct dvt_plugin *plugin_load(const char *file, const char *name) {
  void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!library) g_error("%s", dlerror());
  const struct dvt_plugin *plugin = dlsym(library, "dovetail_plugin");
  while (plugin && strcmp(plugin->name, name) != 0) plugin = plugin->next;
  if (!plugin) g_error("%s holds no plugin %s", file, name);
  return plugin;
}

const struct dvt_host *test_host(void) {
  static struct services services;
  if (!services.table.struct_size) services_init(&services, 0);
  return &services.table;
}

struct dataset *dataset_opened(const struct dvt_plugin *plugin, const struct dvt_host *host, const char *params,
                               GError **error) {
  const struct mark mark = {"test.yaml", 1, 1};
  AUTO(yaml_tree) tree = yaml_read_text("test.yaml", params, strlen(params), error);
  if (!tree) return NULL;
  AUTO(values) values = values_check(plugin->name, plugin->params, sizeof(struct dvt_param), plugin->param_count,
                                     yaml_root(tree), mark, error);
  const struct plugin_use use = {plugin->name, mark, yaml_root(tree)};
  return values ? dataset_open(plugin, values->value, host, &use, error) : NULL;
}

void assert_refused(const struct dvt_plugin *plugin, const char *params, const char *const *words) {
  g_autoptr(GError) error = NULL;
  AUTO(dataset) dataset = dataset_opened(plugin, test_host(), params, &error);
  assert_null(dataset);
  assert_non_null(error);
  for (; *words; words++)
    if (!strstr(error->message, *words)) fail_msg("\"%s\" does not say \"%s\"", error->message, *words);
}

enum { READERS = 4 };

struct reader {
  const struct dataset *dataset;
  enum dvt_subset subset;
  guint64 step; /* has no divisor in common with the number of examples */
};

static char *example_sum(const struct dataset *dataset, enum dvt_subset subset, guint64 index) {
  const gsize size = dataset_image_size(dataset);
  g_autofree guint8 *image = g_malloc(size);
  guint32 label = 0;
  if (!dataset_read(dataset, subset, index, image, &label, NULL)) return g_strdup("unreadable");
  g_autofree char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, image, size);
  return g_strdup_printf("%s %u", sum, label);
}

static gpointer read_all(gpointer data) {
  const struct reader *reader = data;
  const guint64 count = reader->dataset->info->count[reader->subset];
  char **sums = g_new0(char *, count + 1);
  for (guint64 k = 0; k < count; k++) {
    const guint64 index = k * reader->step % count;
    sums[index] = example_sum(reader->dataset, reader->subset, index);
  }
  return sums;
}

static guint64 coprime_from(guint64 least, guint64 count) {
  for (;; least++) {
    guint64 a = least, b = count;
    while (b) {
      const guint64 rest = a % b;
      a = b;
      b = rest;
    }
    if (a == 1) return least;
  }
}

void assert_threads_agree(const struct dataset *dataset, enum dvt_subset subset) {
  const guint64 count = dataset->info->count[subset];
  struct reader readers[READERS + 1];
  GThread *threads[READERS];
  GStrv beside[READERS];
  for (guint k = 0; k <= READERS; k++)
    readers[k] = (struct reader){.dataset = dataset, .subset = subset, .step = coprime_from(1 + 5 * k, count)};
  for (guint k = 0; k < READERS; k++) threads[k] = g_thread_new("reader", read_all, &readers[k + 1]);
  for (guint k = 0; k < READERS; k++) beside[k] = g_thread_join(threads[k]);
  g_auto(GStrv) alone = read_all(&readers[0]);
  for (guint k = 0; k < READERS; k++) {
    for (guint64 index = 0; index < count; index++) assert_string_equal(beside[k][index], alone[index]);
    g_strfreev(beside[k]);
  }
}

void measure_channel(const struct dataset *dataset, guint channel, double *mean, double *deviation) {
  const guint64 count = dataset->info->count[DVT_SUBSET_TRAIN];
  const gsize area = dataset_image_size(dataset) / (gsize)dataset->info->image[0];
  g_autofree guint8 *image = g_malloc(dataset_image_size(dataset));
  double sum = 0, squares = 0;
  for (guint64 index = 0; index < count; index++) {
    guint32 label;
    assert_true(dataset_read(dataset, DVT_SUBSET_TRAIN, index, image, &label, NULL));
    for (gsize k = 0; k < area; k++) {
      const double value = image[channel * area + k] / 255.0;
      sum += value;
      squares += value * value;
    }
  }
  *mean = sum / (double)(count * area);
  *deviation = sqrt(squares / (double)(count * area) - *mean * *mean);
}
