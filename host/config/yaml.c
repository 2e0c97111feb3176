/* SPDX-License-Identifier: MIT */
#include "config/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/yaml_tree.h"

static void node_free(gpointer data) {
  struct yaml_node *node = data;
  g_free(node->text);
  if (node->keys) g_ptr_array_unref(node->keys);
  if (node->items) g_ptr_array_unref(node->items);
  g_free(node);
}

struct yaml_tree *yaml_tree_new(void) {
  struct yaml_tree *tree = g_new0(struct yaml_tree, 1);
  tree->nodes = g_ptr_array_new_with_free_func(node_free);
  tree->files = g_ptr_array_new_with_free_func(g_free);
  return tree;
}

struct yaml_tree *yaml_tree_variant(const struct yaml_tree *base) {
  struct yaml_tree *tree = yaml_tree_new();
  tree->root = base->root;
  tree->text = g_strdup(base->text);
  tree->count = base->count;
  return tree;
}

void yaml_tree_free(struct yaml_tree *tree) {
  if (!tree) return;
  g_ptr_array_unref(tree->nodes);
  g_ptr_array_unref(tree->files);
  g_free(tree->text);
  g_free(tree);
}

struct yaml_node *yaml_node_new(struct yaml_tree *tree, enum yaml_kind kind, struct mark mark) {
  struct yaml_node *node = g_new0(struct yaml_node, 1);
  node->kind = kind;
  node->mark = mark;
  if (kind == YAML_MAP) node->keys = g_ptr_array_new();
  if (kind != YAML_SCALAR) node->items = g_ptr_array_new();
  g_ptr_array_add(tree->nodes, node);
  return node;
}

struct yaml_node *yaml_node_copy(struct yaml_tree *tree, const struct yaml_node *node) {
  struct yaml_node *copy = yaml_node_new(tree, node->kind, node->mark);
  if (node->keys) g_ptr_array_extend(copy->keys, node->keys, NULL, NULL);
  g_ptr_array_extend(copy->items, node->items, NULL, NULL);
  return copy;
}

struct yaml_tree *yaml_read_text(const char *name, const char *text, gsize length, GError **error) {
  static const char byte_order_mark[] = "\xef\xbb\xbf";
  const gsize skipped = length >= 3 && !memcmp(text, byte_order_mark, 3) ? 3 : 0;
  text += skipped;
  length -= skipped;
  AUTO(yaml_tree) tree = yaml_tree_new();
  const struct yaml_source source = {.file = name, .text = text, .length = length};
  tree->text = g_strndup(text, length);
  tree->root = yaml_compose(tree, &source, error);
  return tree->root ? g_steal_pointer(&tree) : NULL;
}

static struct yaml_tree *fail_reading(const char *path, GError **error) {
  const char *reason = g_strerror(errno);
  error_at(error, (struct mark){0}, "%s: %s; name a YAML file that you may read", path, reason);
  return NULL;
}

/* Not g_file_get_contents: it would read all of an endless file first. */
/* All of a file, up to one byte more than may be; pipes have no size to ask for. */
static GString *read_stream(FILE *file) {
  GString *text = g_string_new(NULL);
  char piece[1 << 14];
  gsize length;
  while (text->len <= YAML_MAX_BYTES && (length = fread(piece, 1, sizeof piece, file)))
    g_string_append_len(text, piece, (gssize)length);
  return text;
}

struct yaml_tree *yaml_read_file(const char *path, GError **error) {
  FILE *file = fopen(path, "rb");
  if (!file) return fail_reading(path, error);
  g_autoptr(GString) text = read_stream(file);
  const gboolean failed = ferror(file) != 0;
  if (failed) fail_reading(path, error);
  fclose(file);
  if (failed) return NULL;
  if (text->len > YAML_MAX_BYTES) {
    error_at(error, (struct mark){0}, "%s: longer than %d MB; name a YAML file", path, YAML_MAX_BYTES >> 20);
    return NULL;
  }
  return yaml_read_text(path, text->str, text->len, error);
}

const char *yaml_text(const struct yaml_tree *tree) { return tree->text; }

struct yaml_node *yaml_root(struct yaml_tree *tree) {
  return tree->root;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key) {
  for (guint k = 0; k < map->keys->len; k++) {
    const struct yaml_node *candidate = map->keys->pdata[k];
    if (strcmp(candidate->text, key) == 0) return map->items->pdata[k];
  }
  return NULL;
}

gboolean yaml_is_null(const struct yaml_node *node) {
  if (node->kind != YAML_SCALAR || node->quoted) return FALSE;
  return !*node->text || strcmp(node->text, "~") == 0 || g_ascii_strcasecmp(node->text, "null") == 0;
}

char *yaml_shown(const char *text) {
  const guint longest = 40;
  GString *shown = g_string_new("'");
  for (guint k = 0; *text && k < longest; k++, text = g_utf8_next_char(text)) {
    const gunichar character = g_utf8_get_char(text);
    g_string_append_unichar(shown, g_unichar_iscntrl(character) ? '?' : character);
  }
  g_string_append(shown, *text ? "…'" : "'");
  return g_string_free(shown, FALSE);
}
