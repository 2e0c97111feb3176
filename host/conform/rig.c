/* SPDX-License-Identifier: MIT */
#include "conform/rig.h"

#include <string.h>

#include "base/memory.h"

enum { GAP = GUARD / sizeof(float) };

/* What third parties' modules are likely to take. A head is told the split that its features come from. */
static const gint64 images[][3] = {{3, 16, 16}, {3, 32, 32}, {1, 28, 28}, {3, 64, 64}, {1, 32, 32}, {3, 224, 224}};
static const gint64 features[][3] = {{32, 8, 8}, {16, 8, 8},   {64, 8, 8}, {64, 4, 4},    {16, 16, 16},  {32, 16, 16},
                                     {8, 8, 8},  {16, 32, 32}, {64, 1, 1}, {128, 16, 16}, {256, 14, 14}, {512, 1, 1}};
static const char *const splits[] = {"layer2", "layer1", "layer3", "conv1", "avgpool"};

static struct dvt_module_config config_of(const struct probe *probe, const struct site *site) {
  struct dvt_module_config config = {.struct_size = sizeof config, .split = site->split};
  if (probe->plugin->kind == DVT_KIND_HEAD) config.classes = site->classes;
  memcpy(config.input, site->input, sizeof config.input);
  return config;
}

struct rig *rig_new_at(struct probe *probe, const struct values *values, const struct site *site, char **refusal) {
  const struct dvt_module_config config = config_of(probe, site);
  g_autoptr(GError) error = NULL;
  struct module *module = module_new(probe->plugin, values->value, &probe->watch.services.table, &config,
                                     probe->plugin->name, NULL, &error);
  g_free(g_steal_pointer(refusal));
  if (!module && error->code == DOVETAIL_FAILED) {
    probe_fail(probe, "%s", error->message);
    return NULL;
  }
  if (!module) {
    *refusal = g_strdup(error->message);
    return NULL;
  }
  struct rig *rig = g_new0(struct rig, 1);
  *rig = (struct rig){.probe = probe, .module = module, .split = site->split};
  return rig;
}

static struct rig *try_inputs(struct probe *probe, const struct values *values, const char *split,
                              const gint64 inputs[][3], guint count, char **refusal) {
  const gint64 *wanted = probe->options->input;
  struct rig *rig = NULL;
  if (wanted[0]) count = 1;
  for (guint k = 0; !rig && probe->status != CONFORM_FAILED && k < count; k++) {
    struct site site = {.split = split, .classes = RIG_CLASSES};
    memcpy(site.input, wanted[0] ? wanted : inputs[k], sizeof site.input);
    rig = rig_new_at(probe, values, &site, refusal);
  }
  return rig;
}

struct rig *rig_new(struct probe *probe, const struct values *values, char **refusal) {
  const char *wanted = probe->options->split;
  struct rig *rig = NULL;
  if (probe->plugin->kind == DVT_KIND_BACKBONE)
    return try_inputs(probe, values, wanted, images, G_N_ELEMENTS(images), refusal);
  if (wanted) return try_inputs(probe, values, wanted, features, G_N_ELEMENTS(features), refusal);
  for (guint k = 0; !rig && probe->status != CONFORM_FAILED && k < G_N_ELEMENTS(splits); k++)
    rig = try_inputs(probe, values, splits[k], features, G_N_ELEMENTS(features), refusal);
  return rig;
}

struct rig *rig_open(struct probe *probe) {
  struct rig *rig = kind_open(probe);
  if (!rig || rig_bind(rig)) return rig;
  rig_free(rig);
  return NULL;
}

void rig_free(struct rig *rig) {
  if (!rig) return;
  module_free(rig->module);
  g_free(rig);
}

gsize rig_size(const struct rig *rig) { return rig->module->size; }

/* Moves the weights apart. */
static void lay_out(struct module *module) {
  gsize at = GAP;
  for (guint k = 0; k < module->weight_count; k++) {
    module->offsets[k] = at;
    at += (module_weight_elements(module, k) + 15) / 16 * 16 + GAP;
  }
  module->size = at;
}

/* Away from initial values at which mistakes do not show: a bias of 0, a scale of 1. Variances stay positive. */
static void move_values(const struct rig *rig) {
  struct module *module = rig->module;
  for (guint k = 0; k < module->weight_count; k++) {
    const gsize count = module_weight_elements(module, k);
    g_autofree float *moves = g_new(float, count);
    const gboolean buffer = module->weights[k]->role == DVT_WEIGHT_BUFFER;
    const gboolean constant = module->weights[k]->initialiser == DVT_INIT_CONSTANT;
    probe_numbers(rig->probe, module->weights[k]->name, constant ? 0.1 : 0.01, moves, count);
    for (gsize i = 0; i < count; i++) module_value(module, k)[i] += buffer ? ABS(moves[i]) : moves[i];
  }
}

gboolean rig_bind_quietly(struct rig *rig) {
  struct module *module = rig->module;
  g_autoptr(GError) error = NULL;
  lay_out(module);
  module->values = memory_floats(rig_size(rig), &error);
  if (!module->values) return probe_skip(rig->probe, "%s", error->message);
  block_poison(module->values, rig_size(rig));
  module_initialise(module, rig->probe->options->seed, "conform");
  move_values(rig);
  g_autofree float **values = g_new(float *, module->weight_count + 1);
  for (guint k = 0; k < module->weight_count; k++) values[k] = module_value(module, k);
  module->ops->bind(module->self, values);
  for (guint k = 0; k < module->weight_count; k++) values[k] = NULL; /* the array lived until the call returned */
  return TRUE;
}

gboolean rig_bind(struct rig *rig) {
  if (!rig_bind_quietly(rig)) return FALSE;
  module_changed(rig->module);
  return TRUE;
}

const char *rig_overrun(const struct rig *rig, const float *arena) {
  const struct module *module = rig->module;
  if (!block_poisoned(arena, GAP)) return module->weight_count ? module->weights[0]->name : "no weight";
  for (guint k = 0; k < module->weight_count; k++) {
    const gsize end = module->offsets[k] + module_weight_elements(module, k);
    const gsize next = k + 1 < module->weight_count ? module->offsets[k + 1] : module->size;
    if (!block_poisoned(arena + end, next - end)) return module->weights[k]->name;
  }
  return NULL;
}

static gpointer open_module(struct probe *probe, const struct values *values, char **refusal) {
  return rig_new(probe, values, refusal);
}

static gboolean use_module(gpointer instance, struct record *record) {
  struct rig *rig = instance;
  if (!rig->module->values && !rig_bind(rig)) return FALSE;
  for (guint mode = 0; mode < RIG_MODES; mode++)
    if (!rig_try(rig, &rig_modes[mode], "use", RIG_CAPACITY, record)) return FALSE;
  return TRUE;
}

static void close_module(gpointer instance) { rig_free(instance); }

static int init_at(struct probe *probe, void *created, const struct site *site, struct dvt_error *fault) {
  const struct dvt_module_config config = config_of(probe, site);
  const struct dvt_module_ops *ops = probe->plugin->ops;
  return ops->init(created, &probe->watch.services.table, &config, fault);
}

static int init_module(gpointer instance, void *created, struct dvt_error *fault) {
  const struct rig *rig = instance;
  struct site site = {.split = rig->split, .classes = RIG_CLASSES};
  memcpy(site.input, rig->module->input, sizeof site.input);
  return init_at(rig->probe, created, &site, fault);
}

static int fail_module(struct probe *probe, guint variant, const char **what, struct dvt_error *fault) {
  static const struct {
    const char *what;
    struct site site;
  } sites[] = {{"an unknown split", {"no-such-split", {3, 16, 16}, RIG_CLASSES}},
               {"an input of 7x1x1", {"layer2", {7, 1, 1}, RIG_CLASSES}},
               {"an input of 1x2x300", {"layer1", {1, 2, 300}, RIG_CLASSES}}};
  if (variant == G_N_ELEMENTS(sites)) return KIND_NO_MORE;
  const struct lifecycle life = lifecycle_of(probe->plugin);
  AUTO(values) values = probe_values(probe);
  void *created = NULL;
  *what = sites[variant].what;
  if (!values || life.create(values->value, &created, fault) != DVT_OK) return KIND_NO_MORE;
  const int status = init_at(probe, created, &sites[variant].site, fault);
  life.destroy(created);
  return status;
}

/* So that a pass takes far less than a second. */
static gboolean is_small_module(gpointer instance) {
  enum { MOST_WEIGHTS = 300, MOST_ELEMENTS = 1000000 };
  const struct module *module = ((const struct rig *)instance)->module;
  return module->weight_count <= MOST_WEIGHTS && module->size <= MOST_ELEMENTS;
}

const struct kind module_kind = {open_module, use_module, close_module, init_module, fail_module, is_small_module};
