/* SPDX-License-Identifier: MIT */
#include "config/schema.h"

#include <string.h>

#include "base/nearest.h"
#include "config/values.h"

gboolean schema_map(const struct yaml_node *node, const char *what, const char *const *keys, GError **error) {
  if (node->kind != YAML_MAP)
    return error_at(error, node->mark, "%s is not a map; write {key: value} or indented lines of key: value", what);
  for (guint k = 0; k < node->keys->len; k++) {
    const struct yaml_node *key = node->keys->pdata[k];
    if (g_strv_contains(keys, key->text)) continue;
    g_autofree char *shown = yaml_shown(key->text);
    g_autofree char *hint = nearest_hint(key->text, keys, g_strv_length((char **)keys));
    return error_at(error, key->mark, "%s has no key %s%s", what, shown, hint);
  }
  return TRUE;
}

const struct yaml_node *schema_require(const struct yaml_node *map, const char *what, const char *key, GError **error) {
  const struct yaml_node *node = yaml_get(map, key);
  if (!node) error_at(error, map->mark, "%s lacks the key '%s'; add it", what, key);
  return node;
}

gboolean schema_count(const struct yaml_node *map, const char *key, guint64 least, guint64 greatest, guint64 *out,
                      GError **error) {
  const struct yaml_node *node = yaml_get(map, key);
  gint64 value;
  if (!node) return TRUE;
  if (!value_integer(node, (gint64)least, (gint64)greatest, &value, error)) return FALSE;
  *out = (guint64)value;
  return TRUE;
}

gboolean schema_uint(const struct yaml_node *map, const char *key, guint least, guint greatest, guint *out,
                     GError **error) {
  guint64 value = *out;
  if (!schema_count(map, key, least, greatest, &value, error)) return FALSE;
  *out = (guint)value;
  return TRUE;
}

gboolean schema_number(const struct yaml_node *map, const char *key, double least, double greatest, double *out,
                       GError **error) {
  const struct yaml_node *node = yaml_get(map, key);
  return !node || value_number(node, least, greatest, out, error);
}

gboolean schema_boolean(const struct yaml_node *map, const char *key, gboolean *out, GError **error) {
  const struct yaml_node *node = yaml_get(map, key);
  return !node || value_boolean(node, out, error);
}

gboolean schema_choice(const struct yaml_node *map, const char *key, const char *const *choices, unsigned *out,
                       GError **error) {
  const struct yaml_node *node = yaml_get(map, key);
  return !node || value_choice(node, choices, out, error);
}

struct mark schema_key_mark(const struct yaml_node *map, const char *key) {
  guint k = 0;
  while (strcmp(((const struct yaml_node *)map->keys->pdata[k])->text, key) != 0) k++;
  return ((const struct yaml_node *)map->keys->pdata[k])->mark;
}

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

static gboolean is_name(const char *text, const char *letters) {
  const gsize length = strlen(text);
  return length > 0 && length <= SCHEMA_LONGEST_NAME && *text != '.' && strspn(text, letters) == length;
}

gboolean schema_name(const struct yaml_node *node, const char *what, const char **out, GError **error) {
  const char *name;
  if (!value_string(node, &name, error)) return FALSE;
  if (!is_name(name, NAME_LETTERS)) {
    g_autofree char *shown = yaml_shown(name);
    return error_at(error, node->mark,
                    "%s is no name for %s; write at most %d letters, digits, '-', '_' and '.', the first no '.'", shown,
                    what, SCHEMA_LONGEST_NAME);
  }
  *out = name;
  return TRUE;
}

gboolean schema_label(const struct yaml_node *node, const char **out, GError **error) {
  *out = node->text;
  if (node->kind == YAML_SCALAR && is_name(node->text, NAME_LETTERS "+")) return TRUE;
  g_autofree char *shown = node->kind == YAML_SCALAR ? yaml_shown(node->text) : g_strdup("a list or map");
  return error_at(error, node->mark,
                  "%s is no label; write a map {LABEL: value}, labels of at most %d letters, digits, '-', '_', '.' and "
                  "'+', the first no '.'",
                  shown, SCHEMA_LONGEST_NAME);
}
