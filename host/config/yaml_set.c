/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "config/yaml_tree.h"

struct assignment {
  struct yaml_tree *tree;
  const char *path; /* up to its NUL */
  struct mark mark; /* of the path's begin */
  struct yaml_node *value;
};

/* The place of a later part of the path. */
static struct mark path_mark(const struct assignment *assignment, const char *part) {
  struct mark mark = assignment->mark;
  mark.column += (guint)g_utf8_strlen(assignment->path, part - assignment->path);
  return mark;
}

/* What follows the first `length` bytes and their dot; NULL at the end. */
static const char *rest(const char *path, gsize length) { return path[length] ? path + length + 1 : NULL; }

/* The length of the path's first key: the longest in the map that fits, else up to the first dot. */
static gsize key_length(const struct yaml_node *map, const char *path) {
  gsize longest = strcspn(path, ".");
  for (guint k = 0; k < map->keys->len; k++) {
    const struct yaml_node *key = map->keys->pdata[k];
    const gsize length = strlen(key->text);
    const gboolean fits = g_str_has_prefix(path, key->text) && (path[length] == '.' || !path[length]);
    if (fits && length > longest) longest = length;
  }
  return longest;
}

static struct yaml_node *assign(const struct assignment *assignment, const struct yaml_node *old, const char *path,
                                GError **error);

static struct yaml_node *assign_item(const struct assignment *assignment, const struct yaml_node *old, const char *path,
                                     GError **error) {
  const guint count = old->items->len;
  const gsize length = strcspn(path, ".");
  g_autofree char *number = g_strndup(path, length);
  guint64 index;
  if (!g_ascii_string_to_unsigned(number, 10, 0, G_MAXUINT, &index, NULL) || index >= count) {
    g_autofree char *shown = yaml_shown(number);
    error_at(error, path_mark(assignment, path), "%s is no item of this list of %u; items are numbered from 0", shown,
             count);
    return NULL;
  }
  struct yaml_node *list = yaml_node_copy(assignment->tree, old);
  list->items->pdata[index] = assign(assignment, old->items->pdata[index], rest(path, length), error);
  return list->items->pdata[index] ? list : NULL;
}

static void append_key(struct yaml_tree *tree, struct yaml_node *map, char *name, struct mark mark) {
  struct yaml_node *key = yaml_node_new(tree, YAML_SCALAR, mark);
  key->text = name;
  g_ptr_array_add(map->keys, key);
  g_ptr_array_add(map->items, NULL);
}

/* Whether what the assignment names with the last of its path is to go. */
static gboolean takes_away(const struct assignment *assignment, const char *after) {
  return !after && yaml_is_null(assignment->value);
}

static gboolean take_away(struct yaml_node *map, guint index, const char *name, struct mark mark, GError **error) {
  if (index == map->keys->len) {
    g_autofree char *shown = yaml_shown(name);
    return error_at(error, mark, "there is no %s that null could take away; write the name of a key that is there",
                    shown);
  }
  g_ptr_array_remove_index(map->keys, index);
  g_ptr_array_remove_index(map->items, index);
  return TRUE;
}

static struct yaml_node *assign_key(const struct assignment *assignment, const struct yaml_node *old, const char *path,
                                    GError **error) {
  const struct mark mark = path_mark(assignment, path);
  struct yaml_node *map = old ? yaml_node_copy(assignment->tree, old) : yaml_node_new(assignment->tree, YAML_MAP, mark);
  const gsize length = key_length(map, path);
  if (length == 0) {
    error_at(error, mark, "a name is missing in the path; write names with dots between, as in train.epochs");
    return NULL;
  }
  g_autofree char *name = g_strndup(path, length);
  guint index = 0;
  while (index < map->keys->len && strcmp(((struct yaml_node *)map->keys->pdata[index])->text, name) != 0) index++;
  if (takes_away(assignment, rest(path, length))) return take_away(map, index, name, mark, error) ? map : NULL;
  if (index == map->keys->len) append_key(assignment->tree, map, g_steal_pointer(&name), mark);
  map->items->pdata[index] = assign(assignment, map->items->pdata[index], rest(path, length), error);
  return map->items->pdata[index] ? map : NULL;
}

static gboolean is_star(const char *path) { return *path == '*' && (path[1] == '.' || !path[1]); }

/* For the path "*" and what follows it: every item of a list, or value of a map. */
static struct yaml_node *assign_all(const struct assignment *assignment, const struct yaml_node *old, const char *path,
                                    GError **error) {
  if (!old || old->kind == YAML_SCALAR || old->items->len == 0) {
    error_at(error, path_mark(assignment, path),
             "'*' stands for all keys of a map or all items of a list, and here are none; name what is meant");
    return NULL;
  }
  if (takes_away(assignment, rest(path, 1))) {
    error_at(error, path_mark(assignment, path), "null takes one key away; write its name instead of '*'");
    return NULL;
  }
  struct yaml_node *all = yaml_node_copy(assignment->tree, old);
  for (guint k = 0; k < all->items->len; k++) {
    all->items->pdata[k] = assign(assignment, old->items->pdata[k], rest(path, 1), error);
    if (!all->items->pdata[k]) return NULL;
  }
  return all;
}

/* What takes the place of `old` (NULL: nothing was there). Nodes may be shared, so those on the way are copied. */
static struct yaml_node *assign(const struct assignment *assignment, const struct yaml_node *old, const char *path,
                                GError **error) {
  if (!path) return assignment->value;
  if (++assignment->tree->count > YAML_MAX_NODES) {
    error_at(error, path_mark(assignment, path), "more than %d nodes, with those that '*' stands for; write fewer",
             YAML_MAX_NODES);
    return NULL;
  }
  if (is_star(path)) return assign_all(assignment, old, path, error);
  if (!old || old->kind == YAML_MAP) return assign_key(assignment, old, path, error);
  if (old->kind == YAML_LIST) return assign_item(assignment, old, path, error);
  error_at(error, path_mark(assignment, path), "nothing can lie below a scalar; end the path before this name");
  return NULL;
}

static guint dots(const char *path) {
  guint count = 0;
  for (; *path; path++) count += *path == '.';
  return count;
}

gboolean yaml_assign(struct yaml_tree *tree, const char *path, struct mark mark, struct yaml_node *value,
                     GError **error) {
  const struct assignment assignment = {tree, path, mark, value};
  if (dots(path) >= YAML_MAX_DEPTH)
    return error_at(error, mark, "nested deeper than %d levels; write fewer levels", YAML_MAX_DEPTH);
  struct yaml_node *root = assign(&assignment, tree->root, path, error);
  if (root) tree->root = root;
  return root != NULL;
}

gboolean yaml_set(struct yaml_tree *tree, const char *text, GError **error) {
  struct mark begin = {"--set", 1, 1};
  if (!g_utf8_validate(text, -1, NULL))
    return error_at(error, begin, "this is not UTF-8 text; write PATH=VALUE in UTF-8");
  const char *equals = strchr(text, '=');
  if (!equals) return error_at(error, begin, "there is no '='; write PATH=VALUE, as in train.epochs=5");
  g_autofree char *path = g_strndup(text, (gsize)(equals - text));
  begin.file = g_strconcat("--set ", path, NULL);
  g_ptr_array_add(tree->files, (gpointer)begin.file);
  const struct yaml_source source = {.file = begin.file,
                                     .text = equals + 1,
                                     .length = strlen(equals + 1),
                                     .column = (guint)g_utf8_strlen(text, equals + 1 - text),
                                     .depth = dots(path) + 1};
  struct yaml_node *value = yaml_compose(tree, &source, error);
  return value && yaml_assign(tree, path, begin, value, error);
}
