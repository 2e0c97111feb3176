/* SPDX-License-Identifier: MIT */
#include "train/difference.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static char *kind_text(const struct component_info *info) { return g_strdup(info->kind); }
static char *plugin_text(const struct component_info *info) { return g_strdup(info->plugin); }
static char *split_text(const struct component_info *info) { return g_strdup(info->split); }

/* In one order and spacing, whoever wrote them. */
static char *params_text(const struct component_info *info) {
  if (!info->params) return NULL;
  json_auto_t *object = json_loads(info->params, 0, NULL);
  char *text = json_dumps(object, JSON_SORT_KEYS), *copy = g_strdup(text);
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
  for (guint k = 0; k < G_N_ELEMENTS(facts); k++) {
    g_autofree char *first = facts[k].text(one), *second = facts[k].text(other);
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
