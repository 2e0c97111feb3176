/* SPDX-License-Identifier: MIT */
#include "config/experiment.h"

#include <string.h>

#include "config/experiment_parts.h"
#include "config/schema.h"
#include "config/values.h"

enum { MAX_NETWORKS = 64 };

const char *const schemes[] = {"joint", "incremental", NULL};

static gboolean read_use(const struct yaml_node *map, const char *what, struct plugin_use *use, GError **error) {
  const struct yaml_node *plugin = schema_require(map, what, "plugin", error);
  if (!plugin || !value_string(plugin, &use->plugin, error)) return FALSE;
  use->mark = plugin->mark;
  use->params = yaml_get(map, "params");
  if (!use->params || use->params->kind == YAML_MAP) return TRUE;
  return error_at(error, use->params->mark, "'params' is not a map; write {name: value}, or leave params out");
}

static gboolean read_component(const struct yaml_node *network, const char *owner, const char *what,
                               struct plugin_use *use, GError **error) {
  static const char *const keys[] = {"plugin", "params", NULL};
  const struct yaml_node *map = schema_require(network, owner, what, error);
  return map && schema_map(map, what, keys, error) && read_use(map, what, use, error);
}

static gboolean read_limit(const struct yaml_node *map, guint64 limit[DVT_SUBSET_COUNT], GError **error) {
  static const char *const keys[] = {"train", "test", NULL};
  limit[DVT_SUBSET_TRAIN] = limit[DVT_SUBSET_TEST] = G_MAXUINT64;
  return !map || (schema_map(map, "limit", keys, error) &&
                  schema_count(map, "train", 1, G_MAXINT64, &limit[DVT_SUBSET_TRAIN], error) &&
                  schema_count(map, "test", 1, G_MAXINT64, &limit[DVT_SUBSET_TEST], error));
}

static gboolean read_data(const struct yaml_node *map, struct data_spec *data, GError **error) {
  static const char *const keys[] = {"plugin", "params", "limit", NULL};
  return schema_map(map, "data", keys, error) && read_use(map, "data", &data->use, error) &&
         read_limit(yaml_get(map, "limit"), data->limit, error);
}

static gboolean check_classes(const struct yaml_node *classes, GError **error) {
  if (!classes) return TRUE;
  if (classes->kind != YAML_LIST || classes->items->len == 0)
    return error_at(
        error, classes->mark,
        "'classes' is not a list of at least one; write names or indices, as in [cat, dog], or leave it out");
  const char *name;
  for (guint k = 0; k < classes->items->len; k++)
    if (!value_string(classes->items->pdata[k], &name, error)) return FALSE;
  return TRUE;
}

static gboolean read_split(const struct yaml_node *map, const char *owner, struct network_spec *network,
                           GError **error) {
  const struct yaml_node *split = schema_require(map, owner, "split", error);
  if (!split || !value_string(split, &network->split, error)) return FALSE;
  network->split_mark = split->mark;
  return TRUE;
}

/* `shared` is the experiment's data, or NULL. */
static gboolean read_network_data(const struct yaml_node *map, const struct data_spec *shared,
                                  struct network_spec *network, GError **error) {
  const struct yaml_node *own = yaml_get(map, "data");
  if (own) return read_data(own, &network->data, error);
  if (!shared)
    return error_at(error, network->mark, "network '%s' has no data; add data to it or to the experiment",
                    network->name);
  network->data = *shared;
  return TRUE;
}

static gboolean read_from(const struct yaml_node *map, struct from_spec *from, GError **error) {
  const struct yaml_node *node = yaml_get(map, "from");
  if (!node) return TRUE;
  from->mark = node->mark;
  return value_path(node, &from->path, error);
}

static gboolean read_network(const struct yaml_node *key, const struct yaml_node *map, const struct data_spec *shared,
                             struct network_spec *network, GError **error) {
  static const char *const keys[] = {"from", "data", "classes", "backbone", "split", "head", NULL};
  if (!schema_name(key, "a network", &network->name, error)) return FALSE;
  network->mark = key->mark;
  g_autofree char *what = g_strdup_printf("network '%s'", network->name);
  if (!schema_map(map, what, keys, error) || !read_from(map, &network->from, error) ||
      !read_network_data(map, shared, network, error) ||
      !read_component(map, what, "backbone", &network->backbone, error) || !read_split(map, what, network, error) ||
      !read_component(map, what, "head", &network->head, error))
    return FALSE;
  network->classes = yaml_get(map, "classes");
  return check_classes(network->classes, error);
}

static gboolean read_networks(const struct yaml_node *root, const struct data_spec *shared,
                              struct experiment *experiment, GError **error) {
  const struct yaml_node *map = schema_require(root, "the experiment", "networks", error);
  if (!map) return FALSE;
  if (map->kind != YAML_MAP || map->keys->len == 0 || map->keys->len > MAX_NETWORKS)
    return error_at(error, map->mark,
                    "'networks' is not a map of 1 to %d; write NAME: {backbone: …, split: …, head: …}", MAX_NETWORKS);
  experiment->network_count = map->keys->len;
  experiment->networks = g_new0(struct network_spec, map->keys->len);
  for (guint k = 0; k < map->keys->len; k++)
    if (!read_network(map->keys->pdata[k], map->items->pdata[k], shared, &experiment->networks[k], error)) return FALSE;
  return TRUE;
}

static gboolean read_aligners(const struct yaml_node *list, struct experiment *experiment, GError **error) {
  static const char *const keys[] = {"plugin", "weight", "params", "from", NULL};
  if (!list) return TRUE;
  if (list->kind != YAML_LIST)
    return error_at(error, list->mark, "'aligners' is not a list; write [{plugin: NAME}, …], or [] for none");
  experiment->aligner_count = list->items->len;
  experiment->aligners = g_new0(struct aligner_spec, list->items->len);
  for (guint k = 0; k < list->items->len; k++) {
    const struct yaml_node *map = list->items->pdata[k];
    struct aligner_spec *aligner = &experiment->aligners[k];
    aligner->weight = 1;
    if (!schema_map(map, "an aligner", keys, error) || !read_use(map, "an aligner", &aligner->use, error) ||
        !schema_number(map, "weight", 0, 1e6, &aligner->weight, error) || !read_from(map, &aligner->from, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean check_trained(const struct experiment *experiment, GError **error) {
  for (guint k = 0; k < experiment->network_count; k++)
    if (!experiment->networks[k].from.path) return TRUE;
  return error_at(error, experiment->networks[experiment->network_count - 1].from.mark,
                  "every network has 'from', so there is nothing to train; leave it out of one");
}

static gboolean read_root(const struct yaml_node *root, struct experiment *experiment, GError **error) {
  static const char *const keys[] = {"name", "seed", "scheme", "data", "networks", "aligners", "train", "sweep", NULL};
  if (!schema_map(root, "the experiment", keys, error)) return FALSE;
  if (yaml_get(root, "sweep"))
    return error_at(error, schema_key_mark(root, "sweep"),
                    "a single experiment has no sweep; give its values one by one");
  const struct yaml_node *name = schema_require(root, "the experiment", "name", error);
  const struct yaml_node *data = yaml_get(root, "data");
  struct data_spec shared;
  unsigned scheme = SCHEME_JOINT;
  if (!schema_choice(root, "scheme", schemes, &scheme, error)) return FALSE;
  experiment->scheme = scheme;
  experiment->seed = 1;
  return name && schema_name(name, "an experiment", &experiment->name, error) &&
         schema_count(root, "seed", 0, G_MAXINT64, &experiment->seed, error) &&
         (!data || read_data(data, &shared, error)) && read_networks(root, data ? &shared : NULL, experiment, error) &&
         check_trained(experiment, error) && read_aligners(yaml_get(root, "aligners"), experiment, error) &&
         train_read(yaml_get(root, "train"), &experiment->train, error);
}

struct yaml_tree *experiment_tree(const char *path, const char *const *sets, GError **error) {
  AUTO(yaml_tree) tree = yaml_read_file(path, error);
  for (; tree && sets && *sets; sets++)
    if (!yaml_set(tree, *sets, error)) return NULL;
  return g_steal_pointer(&tree);
}

struct experiment *experiment_of_tree(const char *path, struct yaml_tree *tree, GError **error) {
  AUTO(experiment) experiment = g_new0(struct experiment, 1);
  experiment->path = g_strdup(path);
  experiment->tree = tree;
  experiment->text = yaml_text(tree);
  return read_root(yaml_root(tree), experiment, error) ? g_steal_pointer(&experiment) : NULL;
}

struct experiment *experiment_read(const char *path, const char *const *sets, GError **error) {
  struct yaml_tree *tree = experiment_tree(path, sets, error);
  return tree ? experiment_of_tree(path, tree, error) : NULL;
}

void experiment_free(struct experiment *experiment) {
  if (!experiment) return;
  g_free(experiment->path);
  yaml_tree_free(experiment->tree);
  for (guint k = 0; k < experiment->network_count; k++) g_free(experiment->networks[k].from.path);
  for (guint k = 0; k < experiment->aligner_count; k++) g_free(experiment->aligners[k].from.path);
  g_free(experiment->networks);
  g_free(experiment->aligners);
  g_free(experiment);
}
