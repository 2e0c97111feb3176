/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "report/summary.h"
#include "store/folder.h"

/* As RFC 4180 has it; text that begins or ends with a space keeps it in every reader when it is quoted. */
static void append_field(GString *out, const char *text) {
  const gsize length = strlen(text);
  if (length && !strpbrk(text, ",\"\r\n") && *text != ' ' && text[length - 1] != ' ') {
    g_string_append(out, text);
    return;
  }
  g_string_append_c(out, '"');
  for (const char *c = text; *c; c++) g_string_append(out, *c == '"' ? "\"\"" : (char[]){*c, 0});
  g_string_append_c(out, '"');
}

static void append_number(GString *out, double value) {
  g_string_append_c(out, ',');
  if (!isnan(value)) g_string_append_printf(out, "%.15g", value);
}

void summary_csv(GString *out, const struct summary *summary, enum summary_measure first, enum summary_measure last) {
  for (guint k = 0; k < summary->axis_count; k++) {
    append_field(out, summary->axes[k].key);
    g_string_append_c(out, ',');
  }
  g_string_append(out, "runs,chance");
  for (enum summary_measure m = first; m <= last; m++)
    g_string_append_printf(out, ",%s_mean,%s_sd", summary_measure_key(m), summary_measure_key(m));
  g_string_append_c(out, '\n');
  for (guint k = 0; k < summary->group_count; k++) {
    const struct summary_group *group = &summary->groups[k];
    for (guint axis = 0; axis < summary->axis_count; axis++) {
      append_field(out, summary_label(summary, group, axis));
      g_string_append_c(out, ',');
    }
    g_string_append_printf(out, "%u", group->runs);
    append_number(out, group->chance);
    for (enum summary_measure m = first; m <= last; m++) {
      append_number(out, group->values[m].mean);
      append_number(out, group->values[m].deviation);
    }
    g_string_append_c(out, '\n');
  }
}

static json_t *number(double value) { return isnan(value) ? json_null() : json_real(value); }

static json_t *group_json(const struct summary *summary, const struct summary_group *group) {
  json_t *labels = json_array();
  for (guint axis = 0; axis < summary->axis_count; axis++)
    json_array_append_new(labels, json_string(summary_label(summary, group, axis)));
  json_t *json =
      json_pack("{s:o, s:I, s:o}", "labels", labels, "runs", (json_int_t)group->runs, "chance", number(group->chance));
  for (enum summary_measure m = 0; m < SUMMARY_MEASURES; m++)
    json_object_set_new(
        json, summary_measure_key(m),
        json_pack("{s:o, s:o}", "mean", number(group->values[m].mean), "sd", number(group->values[m].deviation)));
  return json;
}

char *summary_json(const struct summary *summary) {
  json_auto_t *axes = json_array(), *groups = json_array(), *runs = json_object();
  for (guint k = 0; k < summary->axis_count; k++) json_array_append_new(axes, json_string(summary->axes[k].key));
  for (guint k = 0; k < summary->group_count; k++)
    json_array_append_new(groups, group_json(summary, &summary->groups[k]));
  for (enum summary_state k = 0; k < SUMMARY_STATES; k++)
    json_object_set_new(runs, summary_state_name(k), json_integer(summary->states[k]));
  json_auto_t *json =
      json_pack("{s:s, s:O, s:O, s:O}", "name", summary->name, "axes", axes, "runs", runs, "groups", groups);
  char *text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
  char *copy = g_strconcat(text, "\n", NULL);
  free(text);
  return copy;
}

gboolean summary_write(const struct summary *summary, const char *directory, GError **error) {
  g_autoptr(GString) csv = g_string_new(NULL);
  g_autofree char *json = summary_json(summary);
  summary_csv(csv, summary, 0, SUMMARY_MEASURES - 1);
  return folder_write_text(directory, "summary.csv", csv->str, error) &&
         folder_write_text(directory, "summary.json", json, error);
}
