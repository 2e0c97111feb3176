/* SPDX-License-Identifier: MIT */
#include "train/difference.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static char *kind_text(const struct component_info *info) { return g_strdup(info->kind); }
static char *plugin_text(const struct component_info *info) { return g_strdup(info->plugin); }
static char *split_text(const struct component_info *info) { return g_strdup(info->split); }

static char *params_text(const struct component_info *info) { return g_strdup(info->params); }

/* Those that the other knows too, as another version of the plugin may know more; in one order and spacing. */
static char *common_params(const struct component_info *info, const struct component_info *other) {
  if (!info->params || !other->params) return NULL;
  json_auto_t *params = json_loads(info->params, 0, NULL), *known = json_loads(other->params, 0, NULL);
  const char *name;
  json_t *value;
  void *next;
  json_object_foreach_safe(params, next, name, value) {
    if (!json_object_get(known, name)) json_object_del(params, name);
  }
  char *text = json_dumps(params, JSON_SORT_KEYS), *copy = g_strdup(text);
  free(text);
  return copy;
}

static char *shape_text(const gint64 shape[3]) {
  if (!shape[0]) return NULL;
  return g_strdup_printf("%" G_GINT64_FORMAT "×%" G_GINT64_FORMAT "×%" G_GINT64_FORMAT, shape[0], shape[1], shape[2]);
}

static char *input_text(const struct component_info *info) { return shape_text(info->input); }
static char *output_text(const struct component_info *info) { return shape_text(info->output); }

static char *classes_text(const struct component_info *info) {
  if (!info->class_count || !g_strcmp0(info->kind, "extractor")) return NULL;
  GString *text = g_string_new(NULL);
  for (guint k = 0; k < info->class_count; k++)
    g_string_append_printf(text, "%s%s", k ? ", " : "", info->class_names[k]);
  return g_string_free(text, FALSE);
}

static char *channels_text(const struct component_info *info) {
  if (!info->channel_count) return NULL;
  GString *text = g_string_new(NULL);
  for (guint k = 0; k < info->channel_count; k++)
    g_string_append_printf(text, "%s%.6g ± %.6g", k ? ", " : "", (double)info->mean[k], (double)info->deviation[k]);
  return g_string_free(text, FALSE);
}

static const struct {
  const char *what;
  char *(*text)(const struct component_info *info); /* NULL: it does not say */
} facts[] = {
    {"kind", kind_text},           {"plugin", plugin_text},           {"parameters", params_text},
    {"split", split_text},         {"classes", classes_text},         {"input shape", input_text},
    {"output shape", output_text}, {"image channels", channels_text},
};

gboolean difference_find(const struct component_info *one, const struct component_info *other,
                         struct difference *difference) {
  g_autofree char *own = common_params(one, other), *theirs = common_params(other, one);
  struct component_info left = *one, right = *other;
  left.params = own;
  right.params = theirs;
  for (guint k = 0; k < G_N_ELEMENTS(facts); k++) {
    g_autofree char *first = facts[k].text(&left), *second = facts[k].text(&right);
    if (!first || !second || !strcmp(first, second)) continue;
    *difference = (struct difference){facts[k].what, g_steal_pointer(&first), g_steal_pointer(&second)};
    return TRUE;
  }
  return FALSE;
}

void difference_clear(struct difference *difference) {
  g_free(difference->one);
  g_free(difference->other);
}
