/* SPDX-License-Identifier: MIT */
#include "train/compose.h"

#include <string.h>

#include "base/nearest.h"
#include "base/processors.h"
#include "plugin/fault.h"
#include "store/component.h"
#include "train/aligner.h"
#include "train/frozen.h"
#include "train/stages.h"

const struct values *composition_values(struct composition *composition, const struct dvt_plugin *plugin,
                                        const struct plugin_use *use, GError **error) {
  struct values *values =
      values_check(use->plugin, plugin->params, plugin->param_size, plugin->param_count, use->params, use->mark, error);
  if (!values) return NULL;
  g_ptr_array_add(composition->owned_values, values);
  g_hash_table_insert(composition->values, (gpointer)use, values);
  return values;
}

/* A struct services with the name of its owner. */
struct owned_services {
  struct services services;
  char *owner;
};

static void owned_services_free(gpointer data) {
  struct owned_services *owned = data;
  g_free(owned->owner);
  g_free(owned);
}

void composition_choose(struct composition *composition, struct choices *choices) {
  for (guint k = 0; k < composition->services->len; k++) {
    struct owned_services *owned = composition->services->pdata[k];
    owned->services.choices = choices;
  }
  dataset_pool_choose(composition->pool, choices);
  for (guint k = 0; composition->earlier && k < composition->earlier->len; k++)
    composition_choose(composition->earlier->pdata[k], choices);
}

const struct dvt_host *composition_services(struct composition *composition, const char *owner) {
  struct owned_services *owned = g_new0(struct owned_services, 1);
  services_init(&owned->services, composition->experiment->seed);
  owned->services.owner = owned->owner = g_strdup(owner);
  g_ptr_array_add(composition->services, owned);
  return &owned->services.table;
}

static const struct dataset *open_dataset(struct composition *composition, const struct plugin_use *use,
                                          GError **error) {
  const struct registry_plugin *found =
      registry_find(composition->registry, DVT_KIND_DATASET, use->plugin, use->mark, error);
  if (!found) return NULL;
  const struct values *values = composition_values(composition, found->descriptor, use, error);
  if (!values) return NULL;
  const struct dataset *dataset = dataset_pool_open(composition->pool, found->descriptor, values, use, error);
  if (dataset) g_ptr_array_add(composition->datasets, (gpointer)dataset);
  return dataset;
}

/* A class by its name or its number. */
static gboolean find_class(const struct dvt_dataset_info *info, const struct yaml_node *node, guint32 *label,
                           GError **error) {
  const char *text;
  if (!value_string(node, &text, error)) return FALSE;
  for (*label = 0; *label < info->class_count; ++*label)
    if (!strcmp(info->class_names[*label], text)) return TRUE;
  guint64 number;
  if (g_ascii_string_to_unsigned(text, 10, 0, info->class_count - 1, &number, NULL)) {
    *label = (guint32)number;
    return TRUE;
  }
  g_autofree char *hint = nearest_hint(text, info->class_names, info->class_count);
  return error_at(error, node->mark, "unknown class '%s'%s", text, hint);
}

static guint32 *find_classes(const struct dvt_dataset_info *info, const struct yaml_node *list, GError **error) {
  g_autofree guint32 *labels = g_new(guint32, list->items->len);
  for (guint k = 0; k < list->items->len; k++) {
    const struct yaml_node *node = g_ptr_array_index(list->items, k);
    if (!find_class(info, node, &labels[k], error)) return NULL;
    for (guint before = 0; before < k; before++)
      if (labels[before] == labels[k]) {
        error_at(error, node->mark, "class '%s' is given twice", info->class_names[labels[k]]);
        return NULL;
      }
  }
  return g_steal_pointer(&labels);
}

static gboolean same_classes(const struct task *task, const guint32 *classes, guint count) {
  if (task->class_count != count) return FALSE;
  for (guint k = 0; k < count; k++)
    if (task->labels[classes ? classes[k] : k] != (gint32)k) return FALSE;
  return TRUE;
}

/* Whether two limits leave the same examples. */
static gboolean same_limits(const struct dvt_dataset_info *info, const guint64 *a, const guint64 *b) {
  for (guint subset = 0; subset < DVT_SUBSET_COUNT; subset++)
    if (MIN(a[subset], info->count[subset]) != MIN(b[subset], info->count[subset])) return FALSE;
  return TRUE;
}

/* The task of an earlier network with the same examples and classes, or NULL. */
static const struct task *find_task(const struct composition *composition, const struct dataset *dataset,
                                    const guint64 *limit, const guint32 *classes, guint count) {
  for (guint t = 0; t < composition->network_count; t++) {
    const struct network *other = &composition->networks[t];
    if (other->task && other->task->dataset == dataset && same_limits(dataset->info, other->spec->data.limit, limit) &&
        same_classes(other->task, classes, count))
      return other->task;
  }
  return NULL;
}

static gboolean make_task(struct composition *composition, struct network *network, GError **error) {
  const struct network_spec *spec = network->spec;
  const struct dataset *dataset = open_dataset(composition, &spec->data.use, error);
  if (!dataset) return FALSE;
  g_autofree guint32 *classes = spec->classes ? find_classes(dataset->info, spec->classes, error) : NULL;
  if (spec->classes && !classes) return FALSE;
  const guint count = classes ? spec->classes->items->len : dataset->info->class_count;
  network->task = find_task(composition, dataset, spec->data.limit, classes, count);
  if (network->task) return TRUE;
  struct task *task =
      task_new(dataset, classes, count, spec->data.limit, spec->classes ? spec->classes->mark : spec->mark, error);
  if (!task) return FALSE;
  g_ptr_array_add(composition->tasks, task);
  network->task = task;
  const guint batch = composition->experiment->train.batch;
  if (task->count[DVT_SUBSET_TRAIN] >= batch) return TRUE;
  return error_at(error, spec->mark, "network %s has %u training examples; a batch takes %u", spec->name,
                  task->count[DVT_SUBSET_TRAIN], batch);
}

/* Says which splits there are when `split` is none of them. */
static gboolean check_split(const struct module *module, const struct network_spec *spec, GError **error) {
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  const struct dvt_split *split;
  for (guint k = 0; (split = module_split(module, k)); k++) {
    if (!strcmp(split->name, spec->split)) return TRUE;
    g_ptr_array_add(names, (void *)split->name);
  }
  g_autofree char *hint = nearest_hint(spec->split, (const char *const *)names->pdata, names->len);
  return error_at(error, spec->split_mark, "backbone %s has no split '%s'%s", spec->backbone.plugin, spec->split, hint);
}

static gboolean make_extractor(struct composition *composition, struct network *network, GError **error) {
  const struct network_spec *spec = network->spec;
  const struct plugin_use *use = &spec->backbone;
  const struct registry_plugin *found =
      registry_find(composition->registry, DVT_KIND_BACKBONE, use->plugin, use->mark, error);
  if (!found) return FALSE;
  const struct values *values = composition_values(composition, found->descriptor, use, error);
  if (!values) return FALSE;
  struct dvt_module_config config = {.struct_size = sizeof config};
  memcpy(config.input, network->task->dataset->info->image, sizeof config.input);
  config.split = spec->split;
  g_autofree char *label = g_strdup_printf("network %s: backbone %s", spec->name, use->plugin);
  const struct dvt_host *host = composition_services(composition, label);
  g_autoptr(GError) refusal = NULL;
  const struct plugin_use at_split = {use->plugin, spec->split_mark, use->params};
  network->extractor = module_new(found->descriptor, values->value, host, &config, label, &at_split, &refusal);
  if (network->extractor) {
    if (!check_split(network->extractor, spec, error)) return FALSE;
  } else {
    config.split = NULL; /* which is wrong, the split or all else? */
    AUTO(module) whole = module_new(found->descriptor, values->value, host, &config, label, use, error);
    if (whole && check_split(whole, spec, error)) g_propagate_error(error, g_steal_pointer(&refusal));
    return FALSE;
  }
  g_hash_table_insert(composition->values, network->extractor, (gpointer)values);
  return TRUE;
}

static gboolean check_logits(const struct module *head, guint classes, GError **error) {
  const gint64 *shape = head->output, logits = shape[0] * shape[1] * shape[2];
  if (logits == classes) return TRUE;
  return error_failed(error, "%s gives %" G_GINT64_FORMAT " logits; it was made for %u classes", head->label, logits,
                      classes);
}

struct module *composition_head(struct composition *composition, const struct plugin_use *use,
                                const struct module *extractor, const char *split, guint classes, const char *label,
                                GError **error) {
  const struct registry_plugin *found =
      registry_find(composition->registry, DVT_KIND_HEAD, use->plugin, use->mark, error);
  if (!found) return NULL;
  const struct values *values = composition_values(composition, found->descriptor, use, error);
  if (!values) return NULL;
  struct dvt_module_config config = {.struct_size = sizeof config, .classes = classes, .split = split};
  memcpy(config.input, extractor->output, sizeof config.input);
  const struct dvt_host *host = composition_services(composition, label);
  AUTO(module) module = module_new(found->descriptor, values->value, host, &config, label, use, error);
  if (!module || !check_logits(module, classes, error)) return NULL;
  g_hash_table_insert(composition->values, module, (gpointer)values);
  return g_steal_pointer(&module);
}

static void list_weights(struct network *network) {
  const struct module *modules[] = {network->extractor, network->head};
  const guint count = network->extractor->weight_count + network->head->weight_count;
  struct dvt_network_weight *weights = g_new0(struct dvt_network_weight, count);
  const struct dvt_network_weight **list = g_new0(const struct dvt_network_weight *, count + 1);
  guint at = 0;
  for (guint m = 0; m < G_N_ELEMENTS(modules); m++)
    for (guint k = 0; k < modules[m]->weight_count; k++, at++) {
      const struct dvt_weight *weight = modules[m]->weights[k];
      weights[at] = (struct dvt_network_weight){
          .struct_size = sizeof weights[at],
          .component = m ? DVT_COMPONENT_HEAD : DVT_COMPONENT_EXTRACTOR,
          .role = weight->role,
          .frozen = network->view.frozen,
          .name = weight->name,
          .value = {.dtype = DVT_F32, .place = DVT_PLACE_HOST, .rank = weight->rank},
      };
      memcpy(weights[at].value.shape, weight->shape, sizeof weight->shape);
      list[at] = &weights[at];
    }
  network->view.weights = list;
  network->view.weight_count = count;
}

static void show_network(struct network *network, guint index, guint batch, gboolean frozen) {
  const struct task *task = network->task;
  network->view = (struct dvt_network){
      .struct_size = sizeof network->view,
      .index = index,
      .name = network->spec->name,
      .dataset = task->dataset->plugin->name,
      .class_names = task->class_names,
      .class_count = task->class_count,
      .batch = batch,
      .split = network->spec->split,
      .frozen = frozen,
  };
  memcpy(network->view.image, network->extractor->input, sizeof network->view.image);
  memcpy(network->view.features, network->extractor->output, sizeof network->view.features);
  list_weights(network);
}

/* Network t of the experiment. */
static gboolean make_network(struct composition *composition, guint t, GError **error) {
  const guint index = composition->network_count++;
  struct network *network = &composition->networks[index];
  const struct network_spec *spec = network->spec = &composition->experiment->networks[t];
  composition->views[index] = &network->view;
  if (!make_task(composition, network, error) || !make_extractor(composition, network, error)) return FALSE;
  g_autofree char *label = g_strdup_printf("network %s: head %s", spec->name, spec->head.plugin);
  network->head = composition_head(composition, &spec->head, network->extractor, spec->split,
                                   network->task->class_count, label, error);
  if (!network->head) return FALSE;
  show_network(network, index, composition->experiment->train.batch,
               !stage_trains(composition->experiment, composition->stage, t));
  return TRUE;
}

struct composition *composition_stage(const struct experiment *experiment, const struct registry *registry,
                                      struct dataset_pool *pool, guint stage, GError **error) {
  AUTO(composition) composition = g_new0(struct composition, 1);
  composition->experiment = experiment;
  composition->registry = registry;
  composition->pool = pool;
  composition->stage = stage;
  composition->whole = composition;
  composition->earlier = g_ptr_array_new_with_free_func((GDestroyNotify)composition_free);
  composition->origins = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)component_info_free);
  composition->services = g_ptr_array_new_with_free_func(owned_services_free);
  composition->datasets = g_ptr_array_new();
  composition->tasks = g_ptr_array_new_with_free_func((GDestroyNotify)task_free);
  composition->values = g_hash_table_new(NULL, NULL);
  composition->owned_values = g_ptr_array_new_with_free_func((GDestroyNotify)values_free);
  composition->networks = g_new0(struct network, experiment->network_count);
  composition->views = g_new0(const struct dvt_network *, experiment->network_count);
  composition->aligners = g_new0(struct aligner, experiment->aligner_count + 1);
  for (guint t = 0; t < experiment->network_count; t++)
    if (stage_has(experiment, stage, t) && !make_network(composition, t, error)) return NULL;
  for (guint k = 0; k < experiment->aligner_count; k++) {
    composition->aligner_count = k + 1;
    if (!aligner_init(&composition->aligners[k], composition, &experiment->aligners[k], error)) return NULL;
  }
  return g_steal_pointer(&composition);
}

static void warn_of_threads(guint asked) {
  if (asked <= processors_usable()) return;
  g_log("dovetail", G_LOG_LEVEL_WARNING,
        "train.threads is %u, and this process may use %u cores: threads will wait for each other; leave it out, "
        "and there is one for each core",
        asked, processors_usable());
}

struct composition *composition_new(const struct experiment *experiment, const struct registry *registry,
                                    struct dataset_pool *pool, GError **error) {
  AUTO(composition) whole = composition_stage(experiment, registry, pool, stages_count(experiment) - 1, error);
  warn_of_threads(experiment->train.threads);
  return whole && frozen_check(whole, error) && stages_make(whole, error) ? g_steal_pointer(&whole) : NULL;
}

guint composition_trained(const struct composition *composition) {
  guint count = 0;
  for (guint t = 0; t < composition->network_count; t++) count += !composition->networks[t].view.frozen;
  return count;
}

static void network_finish(struct network *network) {
  if (network->view.weights) g_free((void *)network->view.weights[0]);
  g_free((void *)network->view.weights);
  module_free(network->extractor);
  module_free(network->head);
}

void composition_free(struct composition *composition) {
  if (!composition) return;
  g_ptr_array_unref(composition->earlier);
  for (guint k = 0; k < composition->aligner_count; k++) aligner_finish(&composition->aligners[k]);
  for (guint t = 0; t < composition->network_count; t++) network_finish(&composition->networks[t]);
  g_hash_table_unref(composition->origins);
  g_hash_table_unref(composition->values);
  g_ptr_array_unref(composition->owned_values);
  g_ptr_array_unref(composition->tasks);
  for (guint k = 0; k < composition->datasets->len; k++)
    dataset_pool_close(composition->pool, composition->datasets->pdata[k]);
  g_ptr_array_unref(composition->datasets);
  g_ptr_array_unref(composition->services);
  g_free(composition->aligners);
  g_free(composition->networks);
  g_free(composition->views);
  g_free(composition);
}

static gboolean initialise_module(struct module *module, guint64 seed, const char *owner, const char *component,
                                  GError **error) {
  g_autofree char *stream = g_strdup_printf("initial/%s/%s", owner, component);
  if (!module_allocate(module, error)) return FALSE;
  module_initialise(module, seed, stream);
  return TRUE;
}

/* Where the values are, for `initialise`; NULL again afterwards. */
static void show_values(struct network *network, gboolean shown) {
  for (guint k = 0; k < network->view.weight_count; k++) {
    const guint extractor = network->extractor->weight_count;
    const struct module *module = k < extractor ? network->extractor : network->head;
    struct dvt_network_weight *weight = (struct dvt_network_weight *)network->view.weights[k];
    weight->value.data = shown ? module_value(module, k < extractor ? k : k - extractor) : NULL;
  }
}

static gboolean initialise_aligner(struct aligner *aligner, guint64 seed, GError **error) {
  for (guint k = 0; k < aligner->auxiliaries->len; k++) {
    struct auxiliary *auxiliary = g_ptr_array_index(aligner->auxiliaries, k);
    if (!initialise_module(auxiliary->module, seed, aligner->name, auxiliary->name, error)) return FALSE;
  }
  struct dvt_error fault = DVT_ERROR_INIT;
  const int status = aligner->ops->initialise ? aligner->ops->initialise(aligner->self, &fault) : DVT_OK;
  if (status == DVT_OK) return TRUE;
  g_autofree char *text = fault_text(&fault, status);
  return error_failed(error, "aligner %s: initialise: %s", aligner->name, text);
}

char *composition_resolved(const struct composition *composition) {
  return experiment_resolved(composition->experiment, composition->whole->values);
}

gboolean composition_initialise(struct composition *composition, GError **error) {
  const guint64 seed = composition->experiment->seed;
  for (guint t = 0; t < composition->network_count; t++) {
    struct network *network = &composition->networks[t];
    if (!initialise_module(network->extractor, seed, network->spec->name, "extractor", error) ||
        !initialise_module(network->head, seed, network->spec->name, "head", error))
      return FALSE;
    show_values(network, TRUE);
  }
  gboolean good = TRUE;
  for (guint k = 0; good && k < composition->aligner_count; k++)
    good = initialise_aligner(&composition->aligners[k], seed, error);
  for (guint t = 0; t < composition->network_count; t++) {
    show_values(&composition->networks[t], FALSE);
    module_changed(composition->networks[t].extractor);
    module_changed(composition->networks[t].head);
  }
  for (guint k = 0; k < composition->aligner_count; k++)
    for (guint h = 0; h < composition->aligners[k].auxiliaries->len; h++)
      module_changed(((struct auxiliary *)g_ptr_array_index(composition->aligners[k].auxiliaries, h))->module);
  return good;
}
