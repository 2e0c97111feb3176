/* SPDX-License-Identifier: MIT */
#include "config/values.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/nearest.h"

/*
 * The functions that end in _problem return NULL, or what is wrong and what would be right, without the place. The
 * caller frees it.
 */

static char *describe(const struct yaml_node *node) {
  if (node->kind != YAML_SCALAR) return g_strdup(node->kind == YAML_LIST ? "a list" : "a map");
  if (yaml_is_null(node)) return g_strdup("an empty value");
  g_autofree char *shown = yaml_shown(node->text);
  return g_strconcat(shown, node->quoted ? " in quotes" : "", NULL);
}

static char *mismatch(const struct yaml_node *node, const char *noun, const char *wanted) {
  g_autofree char *what = describe(node);
  return g_strdup_printf("%s is not %s; write %s", what, noun, wanted);
}

static gboolean is_plain(const struct yaml_node *node) { return node->kind == YAML_SCALAR && !node->quoted; }

static gsize digits(const char *text) { return strspn(text, "0123456789"); }

/* "010" is 8 in YAML 1.1 and 10 to everybody else. */
static gboolean is_ambiguous(const char *text) { return text[0] == '0' && g_ascii_isdigit(text[1]); }

static gboolean is_integer(const struct yaml_node *node) {
  if (!is_plain(node)) return FALSE;
  const char *text = node->text + (*node->text == '-' || *node->text == '+');
  const gsize count = digits(text);
  return count > 0 && !text[count] && !is_ambiguous(text);
}

static gboolean is_number(const struct yaml_node *node) {
  if (!is_plain(node)) return FALSE;
  const char *text = node->text + (*node->text == '-' || *node->text == '+');
  if (is_ambiguous(text)) return FALSE;
  gsize count = digits(text);
  text += count;
  if (*text == '.') {
    const gsize fraction = digits(text + 1);
    text += 1 + fraction;
    count += fraction;
  }
  if (count == 0) return FALSE;
  if (*text == 'e' || *text == 'E') {
    text += 1 + (text[1] == '-' || text[1] == '+');
    if (!digits(text)) return FALSE;
    text += digits(text);
  }
  return !*text;
}

/* NULL for an end stands for none. */
static char *range(const char *noun, const char *least, const char *greatest) {
  if (least && greatest) return g_strdup_printf("%s from %s to %s", noun, least, greatest);
  if (least) return g_strdup_printf("%s of at least %s", noun, least);
  if (greatest) return g_strdup_printf("%s of at most %s", noun, greatest);
  return g_strdup(noun);
}

static char *out_of_range(const struct yaml_node *node, const char *wanted) {
  g_autofree char *shown = yaml_shown(node->text);
  return g_strdup_printf("%s is out of range; write %s", shown, wanted);
}

static char *integer_problem(const struct yaml_node *node, gint64 least, gint64 greatest, gint64 *out) {
  g_autofree char *low = least == G_MININT64 ? NULL : g_strdup_printf("%" G_GINT64_FORMAT, least);
  g_autofree char *high = greatest == G_MAXINT64 ? NULL : g_strdup_printf("%" G_GINT64_FORMAT, greatest);
  g_autofree char *wanted = range("an integer", low, high);
  if (!is_integer(node)) return mismatch(node, "an integer", wanted);
  errno = 0;
  const gint64 value = g_ascii_strtoll(node->text, NULL, 10);
  if (errno == ERANGE && value > 0 && !high) {
    g_autofree char *most = g_strdup_printf("an integer of at most %" G_GINT64_FORMAT, greatest);
    return out_of_range(node, most);
  }
  if (errno == ERANGE || value < least || value > greatest) return out_of_range(node, wanted);
  *out = value;
  return NULL;
}

static char *number_problem(const struct yaml_node *node, double least, double greatest, double *out) {
  g_autofree char *low = least == -G_MAXDOUBLE ? NULL : g_strdup_printf("%g", least);
  g_autofree char *high = greatest == G_MAXDOUBLE ? NULL : g_strdup_printf("%g", greatest);
  g_autofree char *wanted = range("a number", low, high);
  if (!is_number(node)) return mismatch(node, "a number", wanted);
  const double value = g_ascii_strtod(node->text, NULL);
  if (!isfinite(value) || value < least || value > greatest) return out_of_range(node, wanted);
  *out = value;
  return NULL;
}

static char *boolean_problem(const struct yaml_node *node, gboolean *out) {
  static const char *const words[] = {"false", "no", "off", "true", "yes", "on"};
  for (guint k = 0; is_plain(node) && k < G_N_ELEMENTS(words); k++)
    if (g_ascii_strcasecmp(node->text, words[k]) == 0) {
      *out = k >= 3;
      return NULL;
    }
  return mismatch(node, "true or false", "one of them");
}

static char *string_problem(const struct yaml_node *node, const char **out) {
  if (node->kind != YAML_SCALAR || yaml_is_null(node)) return mismatch(node, "a string", "one");
  *out = node->text;
  return NULL;
}

static char *choice_problem(const struct yaml_node *node, const char *const *choices, unsigned *out) {
  const char *text = node->text;
  char *problem = string_problem(node, &text);
  if (problem) return problem;
  for (unsigned k = 0; choices[k]; k++)
    if (strcmp(choices[k], text) == 0) {
      *out = k;
      return NULL;
    }
  g_autofree char *shown = yaml_shown(text), *list = g_strjoinv(", ", (char **)choices);
  const char *near = nearest_name(text, choices, g_strv_length((char **)choices));
  if (near) return g_strdup_printf("%s is not one of %s; did you mean '%s'?", shown, list, near);
  return g_strdup_printf("%s is not one of %s; write one of them", shown, list);
}

static gboolean report(const struct yaml_node *node, char *problem, GError **error) {
  if (!problem) return TRUE;
  error_at(error, node->mark, "%s", problem);
  g_free(problem);
  return FALSE;
}

gboolean value_integer(const struct yaml_node *node, gint64 least, gint64 greatest, gint64 *out, GError **error) {
  return report(node, integer_problem(node, least, greatest, out), error);
}

gboolean value_number(const struct yaml_node *node, double least, double greatest, double *out, GError **error) {
  return report(node, number_problem(node, least, greatest, out), error);
}

gboolean value_boolean(const struct yaml_node *node, gboolean *out, GError **error) {
  return report(node, boolean_problem(node, out), error);
}

gboolean value_string(const struct yaml_node *node, const char **out, GError **error) {
  return report(node, string_problem(node, out), error);
}

/* The caller frees it. */
static char *absolute(const char *file, const char *path) {
  if (g_path_is_absolute(path)) return g_strdup(path);
  g_autofree char *folder = file ? g_path_get_dirname(file) : g_strdup(".");
  g_autofree char *joined = g_build_filename(folder, path, NULL);
  return g_canonicalize_filename(joined, NULL);
}

gboolean value_path(const struct yaml_node *node, char **out, GError **error) {
  const char *path = NULL;
  if (!value_string(node, &path, error)) return FALSE;
  *out = absolute(node->mark.file, path);
  return TRUE;
}

gboolean value_choice(const struct yaml_node *node, const char *const *choices, unsigned *out, GError **error) {
  return report(node, choice_problem(node, choices, out), error);
}

/* One parameter on its way from a node to a value. */
struct check {
  const char *plugin;
  const struct dvt_param *param;
  const struct yaml_node *node;
  struct mark owner;
  gboolean is_default;
  GPtrArray *memory;
};

static gboolean refuse(const struct check *check, const struct yaml_node *node, char *problem, GError **error) {
  const char *whose = check->is_default ? "the plugin's own default: " : "";
  error_at(error, check->is_default ? check->owner : node->mark, "plugin '%s', parameter '%s': %s%s", check->plugin,
           check->param->name, whose, problem);
  g_free(problem);
  return FALSE;
}

static gpointer keep(const struct check *check, gpointer memory) {
  g_ptr_array_add(check->memory, memory);
  return memory;
}

static gint64 to_integer(double limit) {
  if (limit >= 0x1p63) return G_MAXINT64;
  return limit <= -0x1p63 ? G_MININT64 : (gint64)limit;
}

static gboolean check_integer(const struct check *check, gint64 *out, GError **error) {
  const struct dvt_param *param = check->param;
  const gboolean limited = param->least != param->greatest;
  const gint64 least = limited ? to_integer(param->least) : G_MININT64;
  const gint64 greatest = limited ? to_integer(param->greatest) : G_MAXINT64;
  char *problem = integer_problem(check->node, least, greatest, out);
  return !problem || refuse(check, check->node, problem, error);
}

static gboolean check_number(const struct check *check, double *out, GError **error) {
  const struct dvt_param *param = check->param;
  const gboolean limited = param->least != param->greatest;
  const double least = limited ? MAX(param->least, -G_MAXDOUBLE) : -G_MAXDOUBLE;
  const double greatest = limited ? MIN(param->greatest, G_MAXDOUBLE) : G_MAXDOUBLE;
  char *problem = number_problem(check->node, least, greatest, out);
  return !problem || refuse(check, check->node, problem, error);
}

static gboolean check_boolean(const struct check *check, gint64 *out, GError **error) {
  gboolean value = FALSE;
  char *problem = boolean_problem(check->node, &value);
  if (problem) return refuse(check, check->node, problem, error);
  *out = value;
  return TRUE;
}

static gboolean check_string(const struct check *check, const struct yaml_node *node, const char **out,
                             GError **error) {
  unsigned choice = 0;
  const char *const *choices = check->param->choices;
  char *problem = choices ? choice_problem(node, choices, &choice) : string_problem(node, out);
  if (problem) return refuse(check, node, problem, error);
  *out = keep(check, g_strdup(node->text));
  return TRUE;
}

static gboolean check_path(const struct check *check, const char **out, GError **error) {
  if (!check_string(check, check->node, out, error)) return FALSE;
  const char *file = check->is_default ? check->owner.file : check->node->mark.file;
  if (**out) *out = keep(check, absolute(file, *out));
  return TRUE;
}

static gboolean check_strings(const struct check *check, struct dvt_value *value, GError **error) {
  const struct yaml_node *node = check->node;
  if (node->kind == YAML_MAP) return refuse(check, node, mismatch(node, "a list of strings", "one"), error);
  const guint count = node->kind == YAML_LIST ? node->items->len : 1;
  const char **strings = keep(check, g_new0(const char *, count + 1));
  for (guint k = 0; k < count; k++) {
    const struct yaml_node *item = node->kind == YAML_LIST ? node->items->pdata[k] : node;
    if (!check_string(check, item, &strings[k], error)) return FALSE;
  }
  value->strings = strings;
  value->count = count;
  return TRUE;
}

static gboolean check_value(const struct check *check, struct dvt_value *value, GError **error) {
  *value = (struct dvt_value){.type = check->param->type, .count = 1};
  switch (check->param->type) {
  case DVT_TYPE_INT: return check_integer(check, &value->integer, error);
  case DVT_TYPE_FLOAT: return check_number(check, &value->number, error);
  case DVT_TYPE_BOOL: return check_boolean(check, &value->integer, error);
  case DVT_TYPE_STRING: return check_string(check, check->node, &value->string, error);
  case DVT_TYPE_PATH: return check_path(check, &value->string, error);
  case DVT_TYPE_STRINGS: return check_strings(check, value, error);
  }
  return refuse(check, check->node, g_strdup_printf("its type %u is unknown here; update Dovetail", check->param->type),
                error);
}

static gboolean check_default(struct check *check, struct dvt_value *value, GError **error) {
  const char *text = check->param->initial;
  if (!text)
    return error_at(error, check->owner, "plugin '%s' needs the parameter '%s' (%s); write it under params",
                    check->plugin, check->param->name, check->param->doc);
  if (!*text) text = check->param->type == DVT_TYPE_STRINGS ? "[]" : "\"\"";
  g_autoptr(GError) cause = NULL;
  AUTO(yaml_tree) tree = yaml_read_text("default", text, strlen(text), &cause);
  if (!tree) return refuse(check, NULL, g_strdup(cause->message), error);
  check->node = yaml_root(tree);
  return check_value(check, value, error);
}

static const struct dvt_param *row(const struct dvt_param *table, guint size, guint index) {
  return (const struct dvt_param *)((const char *)table + (gsize)size * index);
}

static gboolean check_keys(const char *plugin, const struct dvt_param *table, guint size, guint count,
                           const struct yaml_node *params, GError **error) {
  if (params->kind != YAML_MAP)
    return error_at(error, params->mark, "params of plugin '%s' are not a map; write {name: value}", plugin);
  g_autofree const char **names = g_new(const char *, count + 1);
  for (guint k = 0; k < count; k++) names[k] = row(table, size, k)->name;
  names[count] = NULL;
  for (guint k = 0; k < params->keys->len; k++) {
    const struct yaml_node *key = params->keys->pdata[k];
    if (g_strv_contains(names, key->text)) continue;
    g_autofree char *shown = yaml_shown(key->text), *hint = nearest_hint(key->text, names, count);
    return error_at(error, key->mark, "plugin '%s' has no parameter %s%s", plugin, shown,
                    count ? hint : "; it has none at all");
  }
  return TRUE;
}

struct values *values_check(const char *plugin, const struct dvt_param *table, guint size, guint count,
                            const struct yaml_node *params, struct mark owner, GError **error) {
  if (params && !check_keys(plugin, table, size, count, params, error)) return NULL;
  AUTO(values) values = g_atomic_rc_box_new0(struct values);
  values->count = count;
  values->table = table;
  values->size = size;
  values->value = g_new0(struct dvt_value, count);
  values->memory = g_ptr_array_new_with_free_func(g_free);
  for (guint k = 0; k < count; k++) {
    struct check check = {plugin, row(table, size, k), NULL, owner, FALSE, values->memory};
    check.node = params ? yaml_get(params, check.param->name) : NULL;
    check.is_default = !check.node;
    const gboolean good =
        check.node ? check_value(&check, &values->value[k], error) : check_default(&check, &values->value[k], error);
    if (!good) return NULL;
  }
  return g_steal_pointer(&values);
}

const struct dvt_param *values_param(const struct values *values, guint k) {
  return row(values->table, values->size, k);
}

static gboolean value_equal(const struct dvt_value *a, const struct dvt_value *b) {
  if (a->count != b->count) return FALSE;
  switch (a->type) {
  case DVT_TYPE_STRING:
  case DVT_TYPE_PATH: return !strcmp(a->string, b->string);
  case DVT_TYPE_STRINGS: return g_strv_equal(a->strings, b->strings);
  case DVT_TYPE_FLOAT: return a->number == b->number;
  default: return a->integer == b->integer;
  }
}

gboolean values_equal(const struct values *a, const struct values *b) {
  if (a->table != b->table || a->count != b->count) return FALSE;
  for (guint k = 0; k < a->count; k++)
    if (!value_equal(&a->value[k], &b->value[k])) return FALSE;
  return TRUE;
}

const struct values *values_ref(const struct values *values) { return g_atomic_rc_box_acquire((gpointer)values); }

static void values_clear(gpointer data) {
  struct values *values = data;
  g_free(values->value);
  g_ptr_array_unref(values->memory);
}

void values_free(const struct values *values) {
  if (values) g_atomic_rc_box_release_full((gpointer)values, values_clear);
}
