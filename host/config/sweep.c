/* SPDX-License-Identifier: MIT */
#include "config/sweep.h"

#include <string.h>

#include "config/experiment_parts.h"
#include "config/schema.h"
#include "config/yaml_tree.h"

enum { LONGEST_RUN_NAME = 200 /* bytes; a file name has 255, some of them for a counter */ };

/* A map's labels are its keys, a list's its items themselves. */
static const GPtrArray *label_nodes(const struct yaml_node *values) {
  return values->kind == YAML_MAP ? values->keys : values->items;
}

/* Of a sweep of one axis, the labels are names in its directory. */
static gboolean is_taken(const char *label) {
  static const char *const files[] = {"sweep.json", "experiment.yaml", "summary.csv", "summary.json", "figures", NULL};
  return g_strv_contains(files, label);
}

static gboolean add_label(struct sweep_axis *axis, const struct yaml_node *node, GError **error) {
  const char *label;
  if (!schema_label(node, &label, error)) return FALSE;
  if (is_taken(label))
    return error_at(error, node->mark, "the label '%s' is the name of a file of the sweep itself; write another",
                    label);
  for (guint k = 0; k < axis->count; k++)
    if (!strcmp(axis->labels[k], label))
      return error_at(error, node->mark, "the label '%s' is given twice; keep one, or write a map {LABEL: value}",
                      label);
  axis->labels[axis->count++] = label;
  return TRUE;
}

static gboolean read_axis(const struct yaml_node *key, const struct yaml_node *values, struct sweep_axis *axis,
                          GError **error) {
  axis->key = key->text;
  axis->mark = key->mark;
  if (!strcmp(key->text, "name"))
    return error_at(error, key->mark, "the name is the whole sweep's, its runs have labels; sweep another key");
  if (values->kind == YAML_SCALAR || values->items->len == 0)
    return error_at(error, values->mark,
                    "the values of a sweep are no scalar and not empty; write [1, 2], or a map "
                    "{LABEL: value}");
  const GPtrArray *labels = label_nodes(values);
  axis->labels = g_new(const char *, labels->len);
  for (guint k = 0; k < labels->len; k++)
    if (!add_label(axis, labels->pdata[k], error)) return FALSE;
  return TRUE;
}

static gsize longest_label(const struct sweep_axis *axis) {
  gsize longest = 0;
  for (guint k = 0; k < axis->count; k++) longest = MAX(longest, strlen(axis->labels[k]));
  return longest;
}

static gboolean read_axes(const struct yaml_node *map, struct sweep *sweep, GError **error) {
  gsize name_length = 0;
  if (map->kind != YAML_MAP)
    return error_at(error, map->mark, "'sweep' is not a map; write {KEY: [value, …]}, as in {seed: [1, 2]}");
  sweep->axes = g_new0(struct sweep_axis, map->keys->len);
  for (guint k = 0; k < map->keys->len; k++) {
    struct sweep_axis *axis = &sweep->axes[sweep->axis_count++];
    if (!read_axis(map->keys->pdata[k], map->items->pdata[k], axis, error)) return FALSE;
    if (axis->count > SWEEP_MAX_RUNS / sweep->count)
      return error_at(error, axis->mark, "with this key there are more than %d runs; sweep fewer values",
                      SWEEP_MAX_RUNS);
    name_length += longest_label(axis) + 1;
    if (name_length > LONGEST_RUN_NAME)
      return error_at(error, axis->mark, "with this key a run's labels are longer than %d together; shorten them",
                      LONGEST_RUN_NAME - 1);
    sweep->count *= axis->count;
  }
  return TRUE;
}

/* NULL where the file has none. */
static const struct yaml_node *sweep_node(const struct yaml_node *root) {
  return root->kind == YAML_MAP ? yaml_get(root, "sweep") : NULL;
}

/* text: NULL: the file's. */
static struct sweep *read_sweep(const char *path, const char *text, const char *const *sets, GError **error) {
  AUTO(sweep) sweep = g_new0(struct sweep, 1);
  sweep->path = g_strdup(path);
  sweep->count = 1;
  sweep->tree = experiment_tree(path, text, sets, error);
  if (!sweep->tree) return NULL;
  const struct yaml_node *map = sweep_node(yaml_root(sweep->tree));
  return !map || read_axes(map, sweep, error) ? g_steal_pointer(&sweep) : NULL;
}

struct sweep *sweep_read(const char *path, const char *const *sets, GError **error) {
  return read_sweep(path, NULL, sets, error);
}

struct sweep *sweep_read_text(const char *name, const char *text, const char *const *sets, GError **error) {
  return read_sweep(name, text, sets, error);
}

void sweep_free(struct sweep *sweep) {
  if (!sweep) return;
  for (guint a = 0; a < sweep->axis_count; a++) g_free(sweep->axes[a].labels);
  g_free(sweep->axes);
  yaml_tree_free(sweep->tree);
  g_free(sweep->path);
  g_free(sweep);
}

/* The number of an axis' value in a run. */
static guint choice(const struct sweep *sweep, guint run, guint axis) {
  for (guint a = sweep->axis_count - 1; a > axis; a--) run /= sweep->axes[a].count;
  return run % sweep->axes[axis].count;
}

static void remove_key(struct yaml_tree *tree, const char *name) {
  struct yaml_node *root = yaml_node_copy(tree, tree->root);
  guint k = 0;
  while (strcmp(((const struct yaml_node *)root->keys->pdata[k])->text, name) != 0) k++;
  g_ptr_array_remove_index(root->keys, k);
  g_ptr_array_remove_index(root->items, k);
  tree->root = root;
}

/* Puts a run's values in their places. `map` is that tree's own sweep. */
static gboolean assign_values(const struct sweep *sweep, guint run, struct yaml_tree *tree, const struct yaml_node *map,
                              GError **error) {
  for (guint a = 0; a < sweep->axis_count; a++) {
    const struct yaml_node *key = map->keys->pdata[a], *values = map->items->pdata[a];
    struct mark mark = key->mark;
    mark.column += key->quoted;
    if (!yaml_assign(tree, key->text, mark, values->items->pdata[choice(sweep, run, a)], error)) return FALSE;
  }
  return TRUE;
}

struct experiment *sweep_experiment(const struct sweep *sweep, guint run, GError **error) {
  AUTO(yaml_tree) tree = yaml_tree_variant(sweep->tree);
  const struct yaml_node *map = sweep_node(yaml_root(tree));
  if (map) remove_key(tree, "sweep");
  if (map && !assign_values(sweep, run, tree, map, error)) return NULL;
  return experiment_of_tree(sweep->path, g_steal_pointer(&tree), error);
}

const char *sweep_label(const struct sweep *sweep, guint run, guint axis) {
  return sweep->axes[axis].labels[choice(sweep, run, axis)];
}

char *sweep_run_name(const struct sweep *sweep, guint run) {
  GString *name = g_string_new(NULL);
  for (guint a = 0; a < sweep->axis_count; a++)
    g_string_append_printf(name, "%s%s", a ? "," : "", sweep_label(sweep, run, a));
  return g_string_free(name, FALSE);
}

char *sweep_run_title(const struct sweep *sweep, guint run) {
  GString *title = g_string_new(NULL);
  for (guint a = 0; a < sweep->axis_count; a++)
    g_string_append_printf(title, "%s%s=%s", a ? ", " : "", sweep->axes[a].key, sweep_label(sweep, run, a));
  return g_string_free(title, FALSE);
}
