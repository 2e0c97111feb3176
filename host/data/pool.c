/* SPDX-License-Identifier: MIT */
#include "data/pool.h"

#include "plugin/services.h"

struct pooled {
  struct dataset *dataset;
  const struct values *values;
  struct services services; /* the dataset's */
  char *owner;
  guint users;
};

struct dataset_pool {
  GPtrArray *datasets; /* struct pooled; of those without users, the ones used last are last */
};

static void pooled_free(gpointer data) {
  struct pooled *pooled = data;
  dataset_free(pooled->dataset);
  values_free(pooled->values);
  g_free(pooled->owner);
  g_free(pooled);
}

struct dataset_pool *dataset_pool_new(void) {
  struct dataset_pool *pool = g_new0(struct dataset_pool, 1);
  pool->datasets = g_ptr_array_new_with_free_func(pooled_free);
  return pool;
}

void dataset_pool_free(struct dataset_pool *pool) {
  if (!pool) return;
  g_ptr_array_unref(pool->datasets);
  g_free(pool);
}

static struct pooled *find(const struct dataset_pool *pool, const struct dvt_plugin *plugin,
                           const struct values *values) {
  for (guint k = 0; k < pool->datasets->len; k++) {
    struct pooled *pooled = pool->datasets->pdata[k];
    if (pooled->dataset->plugin == plugin && values_equal(pooled->values, values)) return pooled;
  }
  return NULL;
}

static struct pooled *add(struct dataset_pool *pool, const struct dvt_plugin *plugin, const struct values *values,
                          const struct plugin_use *use, GError **error) {
  struct pooled *pooled = g_new0(struct pooled, 1);
  services_init(&pooled->services, 0); /* no experiment changes the data */
  pooled->services.owner = pooled->owner = g_strdup_printf("dataset %s", plugin->name);
  pooled->values = values_ref(values);
  pooled->dataset = dataset_open(plugin, values->value, &pooled->services.table, use, error);
  if (pooled->dataset)
    g_ptr_array_add(pool->datasets, pooled);
  else
    g_clear_pointer(&pooled, pooled_free);
  return pooled;
}

const struct dataset *dataset_pool_open(struct dataset_pool *pool, const struct dvt_plugin *plugin,
                                        const struct values *values, const struct plugin_use *use, GError **error) {
  struct pooled *pooled = find(pool, plugin, values);
  if (!pooled) pooled = add(pool, plugin, values, use, error);
  if (!pooled) return NULL;
  pooled->users++;
  return pooled->dataset;
}

/* A sweep over data would otherwise pile up the images of all its runs. */
static void free_idle(struct dataset_pool *pool) {
  guint idle = 0;
  for (guint k = pool->datasets->len; k-- > 0;) {
    const struct pooled *pooled = pool->datasets->pdata[k];
    if (!pooled->users && ++idle > DATASET_POOL_IDLE) g_ptr_array_remove_index(pool->datasets, k);
  }
}

void dataset_pool_close(struct dataset_pool *pool, const struct dataset *dataset) {
  guint k = 0;
  while (((struct pooled *)pool->datasets->pdata[k])->dataset != dataset) k++;
  struct pooled *pooled = pool->datasets->pdata[k];
  if (--pooled->users) return;
  g_ptr_array_add(pool->datasets, g_ptr_array_steal_index(pool->datasets, k));
  free_idle(pool);
}

void dataset_pool_choose(struct dataset_pool *pool, struct choices *choices) {
  for (guint k = 0; k < pool->datasets->len; k++) {
    struct pooled *pooled = pool->datasets->pdata[k];
    pooled->services.choices = choices;
  }
}
