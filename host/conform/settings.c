/* SPDX-License-Identifier: MIT */
#include "conform/settings.h"

#include <math.h>
#include <string.h>

#include "plugin/check.h"

GPtrArray *settings_new(void) { return g_ptr_array_new_with_free_func(g_free); }

static gboolean is_text(const struct dvt_param *param) {
  return param->type == DVT_TYPE_STRING || param->type == DVT_TYPE_PATH || param->type == DVT_TYPE_STRINGS;
}

void settings_add(GPtrArray *settings, const struct dvt_param *param, const char *value) {
  g_auto(GStrv) parts = g_strsplit(value, "'", -1);
  g_autofree char *quoted = g_strjoinv("''", parts);
  g_ptr_array_add(settings, is_text(param) ? g_strdup_printf("%s='%s'", param->name, quoted)
                                           : g_strdup_printf("%s=%s", param->name, value));
}

char *settings_text(const GPtrArray *settings) {
  if (!settings || !settings->len) return g_strdup("its defaults");
  GString *text = g_string_new(NULL);
  for (guint k = 0; k < settings->len; k++)
    g_string_append_printf(text, "%s%.60s", k ? ", " : "", (const char *)settings->pdata[k]);
  return g_string_free(text, FALSE);
}

/* An end of a range that may be infinite; of whole numbers, one that a double holds exactly. */
static double end_of(const struct dvt_param *param, gboolean greatest) {
  const double end = greatest ? param->greatest : param->least;
  if (param->type != DVT_TYPE_INT) return CLAMP(end, -G_MAXDOUBLE, G_MAXDOUBLE);
  return CLAMP(greatest ? floor(end) : ceil(end), -0x1p62, 0x1p62);
}

char *settings_end(const struct dvt_param *param, gboolean greatest) {
  if (param->least == param->greatest) return NULL;
  if (param->type == DVT_TYPE_INT) return g_strdup_printf("%.0f", end_of(param, greatest));
  if (param->type == DVT_TYPE_FLOAT) return g_strdup_printf("%.17g", end_of(param, greatest));
  return NULL;
}

static char *random_number(const struct dvt_param *param, guint32 word) {
  const gboolean limited = param->least != param->greatest;
  const double share = word / 0x1p32;
  const double low = limited ? end_of(param, FALSE) : -1000, high = limited ? end_of(param, TRUE) : 1000;
  if (param->type == DVT_TYPE_FLOAT) return g_strdup_printf("%.17g", low * (1 - share) + high * share);
  return g_strdup_printf("%.0f", low + floor(share * (high - low + 1)));
}

char *settings_random(const struct dvt_param *param, const guint32 words[2]) {
  if (param->type == DVT_TYPE_INT || param->type == DVT_TYPE_FLOAT) return random_number(param, words[0]);
  if (param->type == DVT_TYPE_BOOL) return g_strdup(words[0] & 1 ? "true" : "false");
  if (param->type == DVT_TYPE_PATH) return NULL;
  const guint count = param->choices ? g_strv_length((char **)param->choices) : 0;
  if (count) return g_strdup(param->choices[random_below(words[0], count)]);
  return g_strdup_printf("%x", words[1] >> random_below(words[0], 32));
}

/* What a required parameter is set to when the user says nothing; NULL: only the user knows. */
static char *chosen(const struct dvt_param *param) {
  if (param->choices && param->choices[0]) return g_strdup(param->choices[0]);
  char *least = settings_end(param, FALSE);
  if (least) return least;
  if (param->type == DVT_TYPE_BOOL) return g_strdup("false");
  return is_text(param) ? NULL : g_strdup("1");
}

static gboolean sets_param(const char *assignment, const struct dvt_param *param) {
  const gsize length = strlen(param->name);
  return !strncmp(assignment, param->name, length) && assignment[length] == '=';
}

static gboolean is_set(const char *const *sets, const struct dvt_param *param) {
  for (; sets && *sets; sets++)
    if (sets_param(*sets, param)) return TRUE;
  return FALSE;
}

/* Below what the user and the check say. */
static gboolean set_required(struct yaml_tree *tree, const struct dvt_plugin *plugin, GError **error) {
  for (guint k = 0; k < plugin->param_count; k++) {
    const struct dvt_param *param = plugin_param(plugin, k);
    g_autofree char *value = param->initial ? NULL : chosen(param);
    if (!value) continue;
    g_autoptr(GPtrArray) one = settings_new();
    settings_add(one, param, value);
    if (!yaml_set(tree, one->pdata[0], error)) return FALSE;
  }
  return TRUE;
}

static gboolean set_user(struct yaml_tree *tree, const struct dvt_plugin *plugin, const char *const *sets,
                         GError **error) {
  for (guint k = 0; k < plugin->param_count; k++)
    for (const char *const *set = sets; set && *set; set++)
      if (sets_param(*set, plugin_param(plugin, k)) && !yaml_set(tree, *set, error)) return FALSE;
  return TRUE;
}

static gboolean check_needs(const struct conform_options *options, const struct dvt_plugin *plugin,
                            const struct yaml_node *params, GError **error) {
  for (guint k = 0; k < plugin->param_count; k++) {
    const struct dvt_param *param = plugin_param(plugin, k);
    if (!param->initial && !is_set(options->sets, param) && !yaml_get(params, param->name))
      return error_failed(error, "its parameter '%s' has no default; give it with --set %s=VALUE", param->name,
                          param->name);
  }
  return TRUE;
}

struct values *settings_values(const struct conform_options *options, const struct dvt_plugin *plugin,
                               const GPtrArray *settings, GError **error) {
  AUTO(yaml_tree) tree = yaml_read_text("parameters", "{}", 2, error);
  if (!tree || !set_required(tree, plugin, error) || !set_user(tree, plugin, options->sets, error)) return NULL;
  for (guint k = 0; settings && k < settings->len; k++)
    if (!yaml_set(tree, settings->pdata[k], error)) return NULL;
  const struct yaml_node *params = yaml_root(tree);
  if (!check_needs(options, plugin, params, error)) return NULL;
  return values_check(plugin->name, plugin->params, plugin->param_size, plugin->param_count, params, (struct mark){0},
                      error);
}

static gboolean has_param(const struct dvt_plugin *plugin, const char *assignment) {
  for (guint k = 0; k < plugin->param_count; k++)
    if (sets_param(assignment, plugin_param(plugin, k))) return TRUE;
  return FALSE;
}

gboolean settings_check(const struct conform_options *options, const struct dvt_plugin *first, GError **error) {
  for (const char *const *set = options->sets; set && *set; set++) {
    const struct dvt_plugin *plugin = first;
    while (plugin && !has_param(plugin, *set)) plugin = plugin->next;
    if (!plugin) return error_at(error, (struct mark){0}, "--set %s: no plugin of the file has this parameter", *set);
  }
  for (const struct dvt_plugin *plugin = first; plugin; plugin = plugin->next) {
    g_autoptr(GError) cause = NULL;
    AUTO(values) values = settings_values(options, plugin, NULL, &cause);
    if (values || cause->code == DOVETAIL_FAILED) continue;
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
  }
  return TRUE;
}
