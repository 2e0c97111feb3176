/* SPDX-License-Identifier: MIT */
#include "cli/describe.h"

#include <dovetail/aligner.h>
#include <math.h>

#include "config/values.h"
#include "config/yaml.h"
#include "data/dataset.h"
#include "plugin/check.h"
#include "plugin/module.h"
#include "plugin/services.h"

/* NULL is null; bytes that are no UTF-8 are replaced. */
static json_t *text(const char *bytes) {
  if (!bytes) return json_null();
  g_autofree char *valid = g_utf8_make_valid(bytes, -1);
  return json_string(valid);
}

static json_t *shape(const gint64 sizes[3]) { return json_pack("[I I I]", sizes[0], sizes[1], sizes[2]); }

static json_t *texts(const char *const *list, guint count) {
  json_t *array = json_array();
  for (guint k = 0; k < count; k++) json_array_append_new(array, text(list[k]));
  return array;
}

static json_t *numbers(const float *list, gint64 count) {
  json_t *array = json_array();
  for (gint64 k = 0; k < count; k++) json_array_append_new(array, json_real(list[k]));
  return array;
}

/* Of what its type can hold anyway there is no limit. One of whole numbers is exact in a double. */
static void add_limit(json_t *object, const char *key, const struct dvt_param *param, double value) {
  const gboolean integer = param->type == DVT_TYPE_INT;
  if (integer ? !(fabs(value) < 0x1p63) : !isfinite(value)) return;
  json_object_set_new(object, key, integer ? json_integer((json_int_t)value) : json_real(value));
}

static json_t *describe_param(const struct dvt_param *param) {
  static const char *const types[] = {
      [DVT_TYPE_INT] = "int",       [DVT_TYPE_FLOAT] = "float", [DVT_TYPE_BOOL] = "bool",
      [DVT_TYPE_STRING] = "string", [DVT_TYPE_PATH] = "path",   [DVT_TYPE_STRINGS] = "strings"};
  json_t *object = json_pack("{ss ss so so ss}", "name", param->name, "type", types[param->type], "default",
                             text(param->initial), "unit", text(param->unit), "doc", param->doc);
  if (param->least != param->greatest) {
    add_limit(object, "least", param, param->least);
    add_limit(object, "greatest", param, param->greatest);
  }
  if (param->choices)
    json_object_set_new(object, "choices", texts(param->choices, g_strv_length((char **)param->choices)));
  return object;
}

static json_t *describe_params(const struct dvt_plugin *plugin) {
  json_t *array = json_array();
  for (guint k = 0; k < plugin->param_count; k++) json_array_append_new(array, describe_param(plugin_param(plugin, k)));
  return array;
}

static gint64 count_parameters(const struct module *module) {
  gint64 count = 0;
  for (guint k = 0; k < module->weight_count; k++)
    if (module->weights[k]->role == DVT_WEIGHT_PARAMETER) count += (gint64)module_weight_elements(module, k);
  return count;
}

/* A backbone with its parameters, cut at a split. */
struct backbone {
  const struct dvt_plugin *plugin;
  const struct values *values;
  struct services services;
};

static struct module *cut(const struct backbone *backbone, const char *split, GError **error) {
  const struct dvt_module_config config = {
      .struct_size = sizeof config, .input = {3, DESCRIBE_SIDE, DESCRIBE_SIDE}, .split = split};
  return module_new(backbone->plugin, backbone->values->value, &backbone->services.table, &config,
                    backbone->plugin->name, NULL, error);
}

static gboolean describe_splits(const struct backbone *backbone, json_t *array, GError **error) {
  AUTO(module) whole = cut(backbone, NULL, error);
  if (!whole) return FALSE;
  const struct dvt_split *split;
  for (guint k = 0; (split = module_split(whole, k)); k++) {
    AUTO(module) extractor = cut(backbone, split->name, error);
    if (!extractor) return FALSE;
    json_array_append_new(array, json_pack("{so so sI}", "name", text(split->name), "shape", shape(split->shape),
                                           "parameters", count_parameters(extractor)));
  }
  return TRUE;
}

static gboolean describe_backbone(const struct dvt_plugin *plugin, const struct values *values, json_t *object,
                                  GError **error) {
  struct backbone backbone = {.plugin = plugin, .values = values};
  services_init(&backbone.services, 0);
  json_t *array = json_array();
  json_object_set_new(object, "input", shape((const gint64[3]){3, DESCRIBE_SIDE, DESCRIBE_SIDE}));
  json_object_set_new(object, "splits", array);
  return describe_splits(&backbone, array, error);
}

static gboolean describe_dataset(const struct dvt_plugin *plugin, const struct values *values, json_t *object,
                                 GError **error) {
  struct services services;
  g_autofree char *owner = g_strdup_printf("dataset %s", plugin->name); /* as in an experiment: the same images */
  services_init(&services, 0);
  services.owner = owner;
  AUTO(dataset) dataset = dataset_open(plugin, values->value, &services.table, NULL, error);
  if (!dataset) return FALSE;
  const struct dvt_dataset_info *info = dataset->info;
  json_object_set_new(object, "train", json_integer((json_int_t)info->count[DVT_SUBSET_TRAIN]));
  json_object_set_new(object, "test", json_integer((json_int_t)info->count[DVT_SUBSET_TEST]));
  json_object_set_new(object, "image", shape(info->image));
  json_object_set_new(object, "classes", texts(info->class_names, info->class_count));
  json_object_set_new(object, "mean", numbers(info->mean, info->image[0]));
  json_object_set_new(object, "deviation", numbers(info->deviation, info->image[0]));
  return TRUE;
}

static void describe_aligner(const struct dvt_aligner_ops *ops, json_t *object) {
  const struct {
    const char *name;
    gboolean there;
  } hooks[] = {
      {"initialise", ops->initialise != NULL}, {"feature_loss", ops->feature_loss != NULL},
      {"make_view", ops->make_view != NULL},   {"view_loss", ops->view_loss != NULL},
      {"joint_loss", ops->joint_loss != NULL},
  };
  json_t *array = json_array();
  for (guint k = 0; k < G_N_ELEMENTS(hooks); k++)
    if (hooks[k].there) json_array_append_new(array, json_string(hooks[k].name));
  json_object_set_new(object, "hooks", array);
  json_object_set_new(object, "paired", json_boolean(ops->flags & DVT_ALIGNER_PAIRED));
}

static struct values *given_values(const struct dvt_plugin *plugin, const char *const *sets, GError **error) {
  AUTO(yaml_tree) tree = yaml_read_text("--set", "{}", 2, error);
  if (!tree) return NULL;
  for (; sets && *sets; sets++)
    if (!yaml_set(tree, *sets, error)) return NULL;
  return values_check(plugin->name, plugin->params, plugin->param_size, plugin->param_count, yaml_root(tree),
                      (struct mark){NULL, 0, 0}, error);
}

/* What can be known only from a plugin made with its parameters. */
static gboolean describe_made(const struct dvt_plugin *plugin, const struct values *values, json_t *object,
                              GError **error) {
  if (plugin->kind == DVT_KIND_BACKBONE) return describe_backbone(plugin, values, object, error);
  return plugin->kind != DVT_KIND_DATASET || describe_dataset(plugin, values, object, error);
}

json_t *describe_plugin(const struct registry_plugin *plugin, const char *const *sets, GError **error) {
  const struct dvt_plugin *descriptor = plugin->descriptor;
  g_autoptr(GError) cause = NULL;
  AUTO(values) values = given_values(descriptor, sets, &cause);
  if (!values && sets) {
    g_propagate_error(error, g_steal_pointer(&cause));
    return NULL;
  }
  g_autofree char *abi = g_strdup_printf("%u.%u", descriptor->abi_major, descriptor->abi_minor);
  json_t *object = json_pack("{ss ss ss ss ss ss so ss so}", "kind", registry_kind_name(descriptor->kind), "name",
                             descriptor->name, "version", descriptor->version, "description", descriptor->description,
                             "author", descriptor->author, "licence", descriptor->licence, "file", text(plugin->path),
                             "abi", abi, "parameters", describe_params(descriptor));
  if (descriptor->kind == DVT_KIND_ALIGNER) describe_aligner(descriptor->ops, object);
  if (values) describe_made(descriptor, values, object, &cause);
  if (cause) json_object_set_new(object, "unavailable", text(cause->message));
  return object;
}
