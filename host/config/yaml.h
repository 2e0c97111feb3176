/* SPDX-License-Identifier: MIT */
/**
 * YAML text as a tree in which every node knows its place. Aliases and merge keys (`<<`, own keys win, of several maps
 * the earlier wins) are resolved; duplicate keys, several documents, tags other than YAML's own, bytes that are not
 * UTF-8, more than YAML_MAX_DEPTH levels and more than YAML_MAX_NODES nodes after aliases are errors.
 */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include "base/auto.h"
#include "base/error.h"

enum { YAML_MAX_DEPTH = 64, YAML_MAX_NODES = 100000, YAML_MAX_BYTES = 16 << 20 };

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

/**
 * A node. Everything in it belongs to the tree. Two parents share a node that an alias repeats: what came from an
 * anchor has the anchor's mark.
 */
struct yaml_node {
  enum yaml_kind kind;
  struct mark mark;
  char *text;       /**< scalar: its text */
  gboolean quoted;  /**< scalar: written in quotes, as a block or with !!str: never null, true or a number */
  GPtrArray *keys;  /**< map: struct yaml_node scalars, in the order written; own keys before merged ones */
  GPtrArray *items; /**< list: its nodes; map: the values, in the order of keys */
};

struct yaml_tree;

/** Reads a file. Errors: DOVETAIL_WRONG, with the place. The caller frees the tree with yaml_tree_free. */
struct yaml_tree *yaml_read_file(const char *path, GError **error);

/** Reads a text; `name` stands for the file in marks. */
struct yaml_tree *yaml_read_text(const char *name, const char *text, gsize length, GError **error);

void yaml_tree_free(struct yaml_tree *tree);
AUTO_DEFINE(yaml_tree, yaml_tree_free)

/** The text that the tree was read from; belongs to the tree. */
const char *yaml_text(const struct yaml_tree *tree);

/** The root; belongs to the tree. */
struct yaml_node *yaml_root(struct yaml_tree *tree);

/** The value of `key` in a map, or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/** True for a scalar that stands for nothing: empty, `~` or `null`, and not quoted. */
gboolean yaml_is_null(const struct yaml_node *node);

/** A UTF-8 text for a message: in single quotes, cut when long, without control characters. The caller frees it. */
char *yaml_shown(const char *text);

/**
 * Sets the value at a dotted path, as `--set PATH=VALUE` does; VALUE is YAML. List items are named by number from 0.
 * '*' stands for every key of a map or item of a list. Missing maps on the way are made. What else shares the nodes on
 * the way, through an alias, keeps its values. Where a key has a dot in it, the longest key that fits is meant. VALUE
 * null takes a key of a map away. On an error, marked "--set PATH:1:column" ("--set:1:1" when there is no path),
 * nothing is changed.
 */
gboolean yaml_set(struct yaml_tree *tree, const char *assignment, GError **error);

/** A node as YAML text, without anchors. The caller frees it. */
char *yaml_write(const struct yaml_node *node);

#endif
