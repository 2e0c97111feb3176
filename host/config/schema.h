/* SPDX-License-Identifier: MIT */
/** Fields of a map by name. All but schema_require leave *out, its default, as it is where the map has no such key. */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include "config/yaml.h"

/** Checks that a node is a map that has none but these keys (NULL-terminated); `what` names it in messages. */
gboolean schema_map(const struct yaml_node *node, const char *what, const char *const *keys, GError **error);

/** The value of a key; NULL with an error at the map's place where it has none. */
const struct yaml_node *schema_require(const struct yaml_node *map, const char *what, const char *key, GError **error);

gboolean schema_count(const struct yaml_node *map, const char *key, guint64 least, guint64 greatest, guint64 *out,
                      GError **error);
gboolean schema_uint(const struct yaml_node *map, const char *key, guint least, guint greatest, guint *out,
                     GError **error);
gboolean schema_number(const struct yaml_node *map, const char *key, double least, double greatest, double *out,
                       GError **error);
gboolean schema_boolean(const struct yaml_node *map, const char *key, gboolean *out, GError **error);
gboolean schema_choice(const struct yaml_node *map, const char *key, const char *const *choices, unsigned *out,
                       GError **error);

/** The mark of a key that the map has. */
struct mark schema_key_mark(const struct yaml_node *map, const char *key);

enum { SCHEMA_LONGEST_NAME = 64 };

/**
 * Whether a node is a name: letters, digits, '-', '_' and '.', at most SCHEMA_LONGEST_NAME, the first no '.'. `what`
 * names it in messages.
 */
gboolean schema_name(const struct yaml_node *node, const char *what, const char **out, GError **error);

/** Whether a node is a label of a sweep: as a name, and '+' too. */
gboolean schema_label(const struct yaml_node *node, const char **out, GError **error);

#endif
