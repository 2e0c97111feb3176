/* SPDX-License-Identifier: MIT */
/** The inside of a tree, for the files that make and change trees. */
#ifndef CONFIG_YAML_TREE_H
#define CONFIG_YAML_TREE_H

#include "config/yaml.h"

struct yaml_tree {
  struct yaml_node *root;
  GPtrArray *nodes; /**< every node made for it: nodes are shared, so only the tree frees them */
  GPtrArray *files; /**< the names in the marks */
  char *text;       /**< that it was read from */
  guint count;      /**< nodes made so far, and nodes that aliases or a '*' in a path repeated */
};

struct yaml_tree *yaml_tree_new(void);

/** A tree that begins as another one, which must outlive it: what is assigned is this tree's alone. */
struct yaml_tree *yaml_tree_variant(const struct yaml_tree *base);

/** A new scalar without text, or an empty list or map. */
struct yaml_node *yaml_node_new(struct yaml_tree *tree, enum yaml_kind kind, struct mark mark);

/** A new list or map with the items of `node`, which are shared. */
struct yaml_node *yaml_node_copy(struct yaml_tree *tree, const struct yaml_node *node);

/**
 * Puts a node of the tree at a dotted path, as yaml_set does. mark: of the path's first character. On an error nothing
 * is changed.
 */
gboolean yaml_assign(struct yaml_tree *tree, const char *path, struct mark mark, struct yaml_node *value,
                     GError **error);

/** A text to compose. */
struct yaml_source {
  const char *file;
  const char *text;
  gsize length;
  guint column; /**< characters before the text in its first line */
  guint depth;  /**< levels above the text's root */
};

/** Adds the nodes of a text to a tree and returns their root; NULL on an error. */
struct yaml_node *yaml_compose(struct yaml_tree *tree, const struct yaml_source *source, GError **error);

#endif
