/* SPDX-License-Identifier: MIT */
/** Scalars of a tree as typed values, and the parameters of a plugin by its table. */
#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include <dovetail/param.h>

#include "config/yaml.h"

/**
 * Each reads one scalar; on a wrong type or a value outside [least, greatest], an error at its place. Integers and
 * numbers are decimal, finite and without quotes; booleans true, false, yes, no, on or off; a string is any scalar that
 * is not null. Both ends at the limits of their type: no range.
 */
gboolean value_integer(const struct yaml_node *node, gint64 least, gint64 greatest, gint64 *out, GError **error);
gboolean value_number(const struct yaml_node *node, double least, double greatest, double *out, GError **error);
gboolean value_boolean(const struct yaml_node *node, gboolean *out, GError **error);
gboolean value_string(const struct yaml_node *node, const char **out, GError **error);

/** A path, made absolute from the folder of the node's file. The caller frees it. */
gboolean value_path(const struct yaml_node *node, char **out, GError **error);

/** The index of the scalar in a NULL-terminated list of choices, or an error with them and the nearest one. */
gboolean value_choice(const struct yaml_node *node, const char *const *choices, unsigned *out, GError **error);

/** Checked values of a parameter table, in its order; the strings belong to it. */
struct values {
  guint count;
  struct dvt_value *value;
  const struct dvt_param *table; /**< the table, whose rows are `size` bytes apart; it belongs to the plugin */
  guint size;
  GPtrArray *memory; /**< strings and string lists */
};

/**
 * Checks `params` (a map, or NULL: all defaults) against a table whose rows are `size` bytes apart. Unknown keys,
 * wrong types, values outside range or choices and missing required ones are errors at their place (`owner`'s when
 * something is missing or a default is wrong), which name the plugin. Relative paths are made absolute: from the folder
 * of the node's file, of a default from the folder of owner's; an empty path stays empty. The caller frees the values.
 */
struct values *values_check(const char *plugin, const struct dvt_param *table, guint size, guint count,
                            const struct yaml_node *params, struct mark owner, GError **error);

/** Row k of the table. */
const struct dvt_param *values_param(const struct values *values, guint k);

/** Whether two are of the same table and value by value the same. */
gboolean values_equal(const struct values *a, const struct values *b);

/** The same values once more: they live until each of their owners has freed them. Any thread. */
const struct values *values_ref(const struct values *values);
void values_free(const struct values *values);
AUTO_DEFINE(values, values_free)

#endif
