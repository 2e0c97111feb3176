/* SPDX-License-Identifier: MIT */
#include "train/components.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *value_json(const struct dvt_value *value) {
  switch (value->type) {
  case DVT_TYPE_INT: return json_integer(value->integer);
  case DVT_TYPE_FLOAT: return json_real(value->number);
  case DVT_TYPE_BOOL: return json_boolean(value->integer);
  case DVT_TYPE_STRINGS: {
    json_t *list = json_array();
    for (guint k = 0; k < value->count; k++) json_array_append_new(list, json_string(value->strings[k]));
    return list;
  }
  default: return json_string(value->string);
  }
}

/* The caller frees it, with free(). */
static char *params_json(const struct values *values) {
  json_t *object = json_object();
  for (guint k = 0; k < values->count; k++)
    json_object_set_new(object, values_param(values, k)->name, value_json(&values->value[k]));
  char *text = json_dumps(object, JSON_COMPACT);
  json_decref(object);
  return text;
}

static struct safetensor *list_tensors(const struct module *module) {
  struct safetensor *tensors = g_new0(struct safetensor, module->weight_count);
  for (guint k = 0; k < module->weight_count; k++) {
    const struct dvt_weight *weight = module->weights[k];
    tensors[k] = (struct safetensor){
        .name = weight->name,
        .dtype = "F32",
        .rank = weight->rank,
        .data = module_value(module, k),
        .size = module_weight_elements(module, k) * sizeof(float),
    };
    memcpy(tensors[k].shape, weight->shape, sizeof tensors[k].shape);
  }
  return tensors;
}

static void component_free(gpointer data) {
  struct component *component = data;
  free(component->params);
  g_free(component->seed);
  g_free(component->name);
  g_free(component);
}

/* Adds a component to the list; the caller fills in what it knows better. */
static struct component *add(GPtrArray *list, const struct composition *composition, struct module *module,
                             const char *owner, const char *part) {
  struct component *component = g_new0(struct component, 1);
  component->name = g_strdup_printf("%s-%s", owner, part);
  component->module = module;
  component->params = params_json(g_hash_table_lookup(composition->values, module));
  component->seed = g_strdup_printf("%" G_GUINT64_FORMAT, composition->experiment->seed);
  component->info = (struct component_info){
      .plugin = module->plugin->name,
      .version = module->plugin->version,
      .params = component->params,
      .seed = component->seed,
      .own_accuracy = (double)NAN,
      .dovetail = DOVETAIL_VERSION,
  };
  memcpy(component->info.input, module->input, sizeof module->input);
  memcpy(component->info.output, module->output, sizeof module->output);
  g_ptr_array_add(list, component);
  return component;
}

static void add_network(GPtrArray *list, const struct composition *composition, const struct network *network) {
  const struct task *task = network->task;
  struct module *const modules[] = {network->extractor, network->head};
  static const char *const kinds[] = {"extractor", "head"};
  for (guint k = 0; k < G_N_ELEMENTS(modules); k++) {
    struct component *component = add(list, composition, modules[k], network->spec->name, kinds[k]);
    struct component_info *info = &component->info;
    component->network = network;
    info->kind = kinds[k];
    info->network = network->spec->name;
    info->split = network->spec->split;
    info->class_names = task->class_names;
    info->class_count = task->class_count;
    info->mean = task->dataset->info->mean;
    info->deviation = task->dataset->info->deviation;
    info->channel_count = (guint)task->dataset->info->image[0];
  }
}

static void add_auxiliaries(GPtrArray *list, const struct composition *composition, const struct aligner *aligner) {
  for (guint k = 0; k < aligner->auxiliaries->len; k++) {
    const struct auxiliary *auxiliary = g_ptr_array_index(aligner->auxiliaries, k);
    struct component *component = add(list, composition, auxiliary->module, aligner->name, auxiliary->name);
    component->aligner = aligner;
    component->info.kind = "auxiliary head";
    component->info.split = composition->networks[0].spec->split;
    component->info.class_names = (const char *const *)auxiliary->class_names;
    component->info.class_count = auxiliary->class_names ? g_strv_length(auxiliary->class_names) : 0;
  }
}

GPtrArray *components_list(const struct composition *composition) {
  GPtrArray *list = g_ptr_array_new_with_free_func(component_free);
  for (guint t = 0; t < composition->network_count; t++) add_network(list, composition, &composition->networks[t]);
  for (guint k = 0; k < composition->aligner_count; k++) add_auxiliaries(list, composition, &composition->aligners[k]);
  return list;
}

gboolean component_frozen(const struct component *component) {
  return component->network ? component->network->view.frozen != 0 : component->aligner->frozen;
}

/* What the components that one run trained have in common. */
struct common {
  const struct composition *composition;
  const char **networks;
  struct component_aligner *aligners;
  char *hash;
};

static void add_common(const struct common *common, struct component_info *info) {
  info->aligned_with = common->networks;
  info->aligned_count = common->composition->network_count;
  info->aligned_by = common->aligners;
  info->aligner_count = common->composition->aligner_count;
  info->experiment_hash = common->hash;
}

static gboolean save(const struct common *common, const struct component *component, double own_accuracy,
                     const struct run *run, GError **error) {
  const struct module *module = component->module;
  const struct component_info *origin = g_hash_table_lookup(common->composition->origins, module);
  struct component_info info = origin ? *origin : component->info;
  if (!origin) add_common(common, &info);
  if (isnan(info.own_accuracy)) info.own_accuracy = own_accuracy;
  g_autofree char *path = run_component_path(run, component->name);
  g_autofree struct safetensor *tensors = list_tensors(module);
  return component_write(path, &info, tensors, module->weight_count, error);
}

static gboolean save_all(const struct common *common, const double *own_accuracy, const struct run *run,
                         GError **error) {
  g_autoptr(GPtrArray) list = components_list(common->composition);
  for (guint k = 0; k < list->len; k++) {
    const struct component *component = g_ptr_array_index(list, k);
    const struct network *network = component->network;
    const gboolean measured = own_accuracy && network && !network->spec->from.path; /* a copy stays as its file was */
    if (!save(common, component, measured ? own_accuracy[network->view.index] : (double)NAN, run, error)) return FALSE;
  }
  return TRUE;
}

gboolean components_save(const struct composition *composition, const double *own_accuracy, const struct run *run,
                         GError **error) {
  g_autofree char *resolved = composition_resolved(composition);
  g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, resolved, -1);
  g_autofree const char **networks = g_new(const char *, composition->network_count);
  g_autofree struct component_aligner *aligners = g_new(struct component_aligner, composition->aligner_count);
  for (guint t = 0; t < composition->network_count; t++) networks[t] = composition->networks[t].spec->name;
  for (guint k = 0; k < composition->aligner_count; k++)
    aligners[k] =
        (struct component_aligner){composition->aligners[k].plugin->name, composition->aligners[k].spec->weight};
  const struct common common = {composition, networks, aligners, hash};
  return save_all(&common, own_accuracy, run, error);
}
