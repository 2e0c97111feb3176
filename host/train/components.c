/* SPDX-License-Identifier: MIT */
#include "train/components.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/component.h"

/* What the components of one run have in common. */
struct common {
  const struct composition *composition;
  const struct run *run;
  const char **networks;
  struct component_aligner *aligners;
  char *hash;
};

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

static gboolean save(const struct common *common, const struct module *module, const char *name,
                     struct component_info *info, GError **error) {
  const struct composition *composition = common->composition;
  char *params = params_json(g_hash_table_lookup(composition->values, module));
  info->plugin = module->plugin->name;
  info->version = module->plugin->version;
  info->params = params;
  memcpy(info->input, module->input, sizeof info->input);
  memcpy(info->output, module->output, sizeof info->output);
  info->aligned_with = common->networks;
  info->aligned_count = composition->network_count;
  info->aligned_by = common->aligners;
  info->aligner_count = composition->aligner_count;
  info->experiment_hash = common->hash;
  info->dovetail = DOVETAIL_VERSION;
  g_autofree char *path = run_component_path(common->run, name);
  g_autofree struct safetensor *tensors = list_tensors(module);
  const gboolean good = component_write(path, info, tensors, module->weight_count, error);
  free(params);
  return good;
}

static gboolean save_network(const struct common *common, const struct network *network, double own_accuracy,
                             GError **error) {
  const struct task *task = network->task;
  const struct {
    const char *kind;
    const struct module *module;
  } components[] = {{"extractor", network->extractor}, {"head", network->head}};
  for (guint k = 0; k < G_N_ELEMENTS(components); k++) {
    struct component_info info = {
        .kind = components[k].kind,
        .split = network->spec->split,
        .class_names = task->class_names,
        .class_count = task->class_count,
        .mean = task->dataset->info->mean,
        .deviation = task->dataset->info->deviation,
        .channel_count = (guint)task->dataset->info->image[0],
        .own_accuracy = own_accuracy,
    };
    g_autofree char *name = g_strdup_printf("%s-%s", network->spec->name, components[k].kind);
    if (!save(common, components[k].module, name, &info, error)) return FALSE;
  }
  return TRUE;
}

static gboolean save_auxiliaries(const struct common *common, const struct aligner *aligner, GError **error) {
  for (guint k = 0; k < aligner->auxiliaries->len; k++) {
    const struct auxiliary *auxiliary = g_ptr_array_index(aligner->auxiliaries, k);
    struct component_info info = {
        .kind = "auxiliary head",
        .split = common->composition->networks[0].spec->split,
        .class_names = (const char *const *)auxiliary->class_names,
        .class_count = auxiliary->class_names ? g_strv_length(auxiliary->class_names) : 0,
        .own_accuracy = (double)NAN,
    };
    g_autofree char *name = g_strdup_printf("%s-%s", aligner->name, auxiliary->name);
    if (!save(common, auxiliary->module, name, &info, error)) return FALSE;
  }
  return TRUE;
}

static gboolean save_all(const struct common *common, const double *own_accuracy, GError **error) {
  const struct composition *composition = common->composition;
  for (guint t = 0; t < composition->network_count; t++)
    if (!save_network(common, &composition->networks[t], own_accuracy ? own_accuracy[t] : (double)NAN, error))
      return FALSE;
  for (guint k = 0; k < composition->aligner_count; k++)
    if (!save_auxiliaries(common, &composition->aligners[k], error)) return FALSE;
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
    aligners[k] = (struct component_aligner){composition->aligners[k].plugin->name,
                                             composition->aligners[k].spec->weight};
  const struct common common = {composition, run, networks, aligners, hash};
  return save_all(&common, own_accuracy, error);
}
