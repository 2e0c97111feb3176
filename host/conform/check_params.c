/* SPDX-License-Identifier: MIT */
/* A plugin under all the settings that its parameter table allows. */
#include <string.h>

#include "conform/checks.h"
#include "conform/kinds.h"
#include "plugin/check.h"
#include "plugin/fault.h"

enum { RANDOM_SETTINGS = 20 };

/* create alone, as the plugin does it: *instance must be untouched when it refuses. */
static gboolean try_create(struct probe *probe, const struct values *values, const char *text) {
  const struct lifecycle life = lifecycle_of(probe->plugin);
  struct dvt_error fault = DVT_ERROR_INIT;
  void *untouched = probe, *instance = untouched;
  const int status = life.create(values->value, &instance, &fault);
  if (status == DVT_OK) {
    life.destroy(instance);
    return TRUE;
  }
  g_autofree char *call = g_strdup_printf("create with %s", text);
  g_free(probe_refusal(probe, call, &fault, status));
  if (instance != untouched) probe_fail(probe, "%s failed and changed the pointer that it was given", call);
  return FALSE;
}

/* An instance made with a setting, used where that takes little time: results are finite. */
static void try_instance(struct probe *probe, gpointer instance, const char *text) {
  const struct kind *kind = kind_of(probe->plugin);
  AUTO(record) record = record_new();
  if ((!kind->is_small || kind->is_small(instance)) && kind->use(instance, record)) {
    g_autofree char *bad = record_not_finite(record);
    if (bad) probe_fail(probe, "with %s %s", text, bad);
  }
  kind->close(instance);
}

/* Whether the plugin takes a setting: by create alone or, with `init`, in earnest. */
static gboolean try_setting(struct probe *probe, const GPtrArray *settings, gboolean init) {
  g_autoptr(GError) error = NULL;
  g_autofree char *text = settings_text(settings);
  AUTO(values) values = settings_values(probe->options, probe->plugin, settings, &error);
  if (!values) return probe_skip(probe, "%s", error->message);
  if (!try_create(probe, values, text)) return FALSE;
  g_autofree char *refusal = NULL;
  if (!init) return TRUE;
  gpointer instance = kind_of(probe->plugin)->open(probe, values, &refusal);
  if (instance) try_instance(probe, instance, text);
  return instance != NULL;
}

/* What is large for a dataset is images on disk or in memory: there, sizes other than the least are not tried. */
static gboolean may_init(const struct probe *probe) { return probe->plugin->kind != DVT_KIND_DATASET; }

static gboolean has_params(struct probe *probe) {
  return probe->plugin->param_count || probe_skip(probe, "it has no parameters");
}

/* Nothing else can be checked of a plugin that takes nothing. */
void check_params_default(struct probe *probe) {
  AUTO(values) values = probe_values(probe);
  g_autofree char *refusal = NULL;
  if (!values) return;
  if (!try_create(probe, values, "its defaults")) {
    probe_fail(probe, "create refuses the plugin's own defaults");
    return;
  }
  gpointer instance = kind_of(probe->plugin)->open(probe, values, &refusal);
  if (instance) kind_of(probe->plugin)->close(instance);
  if (refusal) probe_warn(probe, "init takes nothing that was tried: %s", refusal);
}

static void check_ends(struct probe *probe, gboolean greatest) {
  guint tried = 0;
  if (!has_params(probe)) return;
  for (guint k = 0; k < probe->plugin->param_count; k++) {
    const struct dvt_param *param = plugin_param(probe->plugin, k);
    g_autofree char *end = settings_end(param, greatest);
    if (!end) continue;
    g_autoptr(GPtrArray) settings = settings_new();
    settings_add(settings, param, end);
    try_setting(probe, settings, !greatest || may_init(probe));
    tried++;
  }
  if (!tried) probe_skip(probe, "none of its parameters has a range");
}

void check_params_least(struct probe *probe) { check_ends(probe, FALSE); }

void check_params_greatest(struct probe *probe) { check_ends(probe, TRUE); }

void check_params_choices(struct probe *probe) {
  guint tried = 0;
  for (guint k = 0; k < probe->plugin->param_count; k++) {
    const struct dvt_param *param = plugin_param(probe->plugin, k);
    const char *const bools[] = {"false", "true", NULL};
    const char *const *choices = param->type == DVT_TYPE_BOOL ? bools : param->choices;
    for (; choices && *choices; choices++, tried++) {
      g_autoptr(GPtrArray) settings = settings_new();
      settings_add(settings, param, *choices);
      try_setting(probe, settings, TRUE);
    }
  }
  if (!tried) probe_skip(probe, "none of its parameters has choices");
}

static GPtrArray *random_settings(const struct probe *probe, guint number) {
  GPtrArray *settings = settings_new();
  for (guint k = 0; k < probe->plugin->param_count; k++) {
    const struct dvt_param *param = plugin_param(probe->plugin, k);
    guint32 words[2];
    random_words(probe_stream(probe, param->name), 0, number, words, 2);
    g_autofree char *value = settings_random(param, words);
    if (value) settings_add(settings, param, value);
  }
  return settings;
}

void check_params_random(struct probe *probe) {
  if (!has_params(probe)) return;
  for (guint number = 0; number < RANDOM_SETTINGS; number++) {
    g_autoptr(GPtrArray) settings = random_settings(probe, number);
    try_setting(probe, settings, may_init(probe));
  }
}

/* Values that the table does not keep away, because it states no range or choices. */
static const char *const *extremes(const struct dvt_param *param) {
  static const char *const integers[] = {"-9223372036854775808", "9223372036854775807", "0", "-1", NULL};
  static const char *const numbers[] = {"-1e308", "1e308", "0", "1e-308", NULL};
  static const char *const texts[] = {"", "no such thing", "%s%n%s%n", "\xc3\xa9\xe2\x82\xac", NULL};
  static const char *const none[] = {NULL};
  if (param->choices || param->least != param->greatest) return none;
  switch (param->type) {
  case DVT_TYPE_INT: return integers;
  case DVT_TYPE_FLOAT: return numbers;
  case DVT_TYPE_STRING:
  case DVT_TYPE_PATH: return texts;
  default: return none;
  }
}

void check_params_extreme(struct probe *probe) {
  guint tried = 0;
  for (guint k = 0; k < probe->plugin->param_count; k++) {
    const struct dvt_param *param = plugin_param(probe->plugin, k);
    for (const char *const *value = extremes(param); *value; value++, tried++) {
      g_autoptr(GPtrArray) settings = settings_new();
      settings_add(settings, param, *value);
      try_setting(probe, settings, may_init(probe));
    }
    if (param->choices || (param->type != DVT_TYPE_STRING && param->type != DVT_TYPE_PATH)) continue;
    g_autoptr(GPtrArray) settings = settings_new();
    g_autofree char *endless = g_strnfill(100000, 'x');
    settings_add(settings, param, endless);
    try_setting(probe, settings, may_init(probe));
  }
  if (!tried) probe_skip(probe, "each of its parameters has a range or choices");
}

void check_params_refusal(struct probe *probe) {
  enum { MANY = 200 };
  guint refused = 0;
  if (!has_params(probe)) return;
  for (guint number = 0; number < MANY; number++) {
    g_autoptr(GPtrArray) settings = random_settings(probe, RANDOM_SETTINGS + number);
    refused += !try_setting(probe, settings, FALSE);
  }
  if (!refused) probe_skip(probe, "create refused none of %d settings", MANY);
}

/* Messages are shown after "dataset shapes: ". */
static gboolean is_well_put(const char *message) {
  const gsize length = strlen(message);
  return length && !g_ascii_isupper(message[0]) && message[length - 1] != '.' && message[length - 1] != '\n';
}

void check_params_message(struct probe *probe) {
  enum { MANY = 200 };
  const struct lifecycle life = lifecycle_of(probe->plugin);
  guint refused = 0;
  if (!has_params(probe)) return;
  for (guint number = 0; number < MANY; number++) {
    g_autoptr(GPtrArray) settings = random_settings(probe, number);
    AUTO(values) values = settings_values(probe->options, probe->plugin, settings, NULL);
    struct dvt_error fault = DVT_ERROR_INIT;
    void *instance = NULL;
    if (!values) continue;
    if (life.create(values->value, &instance, &fault) == DVT_OK) {
      life.destroy(instance);
      continue;
    }
    refused++;
    if (fault.message[0] && !is_well_put(fault.message)) probe_warn(probe, "create says: '%s'", fault.message);
  }
  if (!refused) probe_skip(probe, "create refused none of %d settings", MANY);
}

/* What a plugin keeps of its values in something static is that of the last instance. */
void check_params_apart(struct probe *probe) {
  enum { OTHERS = 3 };
  AUTO(record) alone = record_new();
  AUTO(record) beside = record_new();
  if (!has_params(probe) || !kind_live(probe, alone)) return;
  gpointer instance = kind_open(probe);
  if (!instance) return;
  for (guint number = 0; number < OTHERS; number++) {
    g_autoptr(GPtrArray) settings = random_settings(probe, number);
    try_setting(probe, settings, may_init(probe));
  }
  if (kind_of(probe->plugin)->use(instance, beside))
    probe_agree(probe, "an instance alone, and after others were made with other settings", alone, beside, 0);
  kind_of(probe->plugin)->close(instance);
}

/* Overwrites what strings the values hold, as happens to memory that is given back. */
static void scribble(const struct values *values) {
  for (guint k = 0; k < values->count; k++) {
    const struct dvt_value *value = &values->value[k];
    const gboolean is_list = value->type == DVT_TYPE_STRINGS;
    if (!is_list && value->type != DVT_TYPE_STRING && value->type != DVT_TYPE_PATH) continue;
    for (guint i = 0; i < value->count; i++) {
      char *text = (char *)(is_list ? value->strings[i] : value->string);
      memset(text, '#', strlen(text));
    }
  }
}

/* An instance whose values are overwritten and gone before init, beside one that was made as usual. */
void check_params_values(struct probe *probe) {
  const struct lifecycle life = lifecycle_of(probe->plugin);
  AUTO(values) values = has_params(probe) ? probe_values(probe) : NULL;
  gpointer model = values ? kind_open(probe) : NULL;
  if (!model) return;
  struct dvt_error fault = DVT_ERROR_INIT;
  void *instance = NULL;
  if (life.create(values->value, &instance, &fault) == DVT_OK) {
    scribble(values);
    values_free(g_steal_pointer(&values));
    const int status = kind_of(probe->plugin)->init(model, instance, &fault);
    g_autofree char *text = status == DVT_OK ? NULL : fault_text(&fault, status);
    if (text) probe_fail(probe, "with values that are gone since create, init fails: %s", text);
    life.destroy(instance);
  }
  kind_of(probe->plugin)->close(model);
}
