/* SPDX-License-Identifier: MIT */
#include "plugin/module.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "plugin/border.h"
#include "plugin/fault.h"
#include "plugin/random.h"

enum { LINE = 64 / sizeof(float) }; /* floats in a cache line: what arenas are aligned to */

gsize module_weight_elements(const struct module *module, guint k) {
  gsize count = 1;
  for (guint axis = 0; axis < module->weights[k]->rank; axis++) count *= (gsize)module->weights[k]->shape[axis];
  return count;
}

const struct dvt_split *module_split(const struct module *module, guint k) {
  const guint most = 10000; /* a list without an end is a fault of the plugin, and no reason to hang */
  const struct dvt_split *split = k < most ? module->ops->split(module->self, k) : NULL;
  return split && split->name ? split : NULL;
}

float *module_value(const struct module *module, guint k) { return module->values + module->offsets[k]; }

gint module_find(const struct module *module, const char *name) {
  for (guint k = 0; k < module->weight_count; k++)
    if (!strcmp(module->weights[k]->name, name)) return (gint)k;
  return -1;
}

/* 0: parameters that decay, 1: other parameters, 2: buffers. */
static guint arena_section(const struct dvt_weight *weight) {
  if (weight->role == DVT_WEIGHT_BUFFER) return 2;
  return weight->decays ? 0 : 1;
}

/* A weight and the gap behind it, of at least a line. */
static gsize stride(gsize elements) { return (elements + 2 * LINE - 1) / LINE * LINE; }

gsize module_gap(const struct module *module, guint k) {
  const gsize elements = module_weight_elements(module, k);
  return stride(elements) - elements;
}

static void lay_out_arena(struct module *module) {
  gsize *const ends[] = {&module->decay_size, &module->parameter_size, &module->size};
  gsize at = MODULE_FIRST_GAP;
  for (guint section = 0; section < 3; section++) {
    for (guint k = 0; k < module->weight_count; k++) {
      if (arena_section(module->weights[k]) != section) continue;
      module->offsets[k] = at;
      at += stride(module_weight_elements(module, k));
    }
    *ends[section] = at;
  }
}

/* names: of the weights so far, this one's is added. */
static const char *weight_fault(GHashTable *names, const struct dvt_weight *weight) {
  if (!weight->name || !weight->name[0]) return "a weight without a name";
  if (!g_hash_table_add(names, (gpointer)weight->name)) return "two weights of one name";
  if (weight->role != DVT_WEIGHT_PARAMETER && weight->role != DVT_WEIGHT_BUFFER) return "a weight of unknown role";
  if (weight->initialiser < DVT_INIT_CONSTANT || weight->initialiser > DVT_INIT_UNIFORM)
    return "a weight with an initialiser unknown here";
  if (!isfinite(weight->init_value)) return "a weight with an initial value that is no number";
  if (weight->rank > DVT_MAX_RANK) return "a weight of too high a rank";
  gint64 elements = 1;
  for (guint axis = 0; axis < weight->rank; axis++)
    if (weight->shape[axis] < 1 || __builtin_mul_overflow(elements, weight->shape[axis], &elements) ||
        elements > G_MAXINT32)
      return "a weight of impossible shape";
  return NULL;
}

static gboolean collect_weights(struct module *module, GError **error) {
  const enum { MOST = 100000 } most = MOST;
  g_autoptr(GPtrArray) list = g_ptr_array_new();
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  const struct dvt_weight *weight;
  while (list->len < most && (weight = module->ops->weight(module->self, list->len))) {
    const char *fault = weight_fault(names, weight);
    if (fault)
      return error_failed(error, "%s declares %s (%s)", module->label, fault, weight->name ? weight->name : "?");
    g_ptr_array_add(list, (void *)weight);
  }
  if (list->len == most) return error_failed(error, "%s declares more than %d weights", module->label, MOST);
  module->weight_count = list->len;
  module->offsets = g_new0(gsize, list->len + 1);
  module->weights = g_new0(const struct dvt_weight *, list->len + 1);
  for (guint k = 0; k < list->len; k++) module->weights[k] = g_ptr_array_index(list, k);
  lay_out_arena(module);
  return TRUE;
}

static gboolean check_output(const struct module *module, GError **error) {
  const gint64 *shape = module->output;
  gint64 elements = 1;
  for (guint axis = 0; axis < 3; axis++)
    if (shape[axis] < 1 || __builtin_mul_overflow(elements, shape[axis], &elements) || elements > G_MAXINT32)
      return error_failed(error, "%s gives an output of impossible shape", module->label);
  return TRUE;
}

struct module *module_new(const struct dvt_plugin *plugin, const struct dvt_value *values, const struct dvt_host *host,
                          const struct dvt_module_config *config, const char *label, const struct plugin_use *use,
                          GError **error) {
  AUTO(module) module = g_new0(struct module, 1);
  struct dvt_error fault = DVT_ERROR_INIT;
  module->plugin = plugin;
  module->ops = plugin->ops;
  module->label = g_strdup(label);
  memcpy(module->input, config->input, sizeof module->input);
  int status = module->ops->create(values, &module->self, &fault);
  if (status == DVT_OK) status = module->ops->init(module->self, host, config, &fault);
  if (status != DVT_OK) {
    g_autofree char *text = fault_text(&fault, status);
    error_at(error, fault_mark(&fault, use), "%s: %s", label, text);
    return NULL;
  }
  module->ops->output_shape(module->self, module->output);
  if (!check_output(module, error) || !collect_weights(module, error)) return NULL;
  return g_steal_pointer(&module);
}

void module_free(struct module *module) {
  if (!module) return;
  if (module->self) module->ops->destroy(module->self);
  free(module->values);
  g_free(module->weights);
  g_free(module->offsets);
  g_free(module->label);
  g_free(module);
}

gboolean module_allocate(struct module *module, GError **error) {
  module->values = memory_floats(module->size, error);
  if (!module->values) return FALSE;
  g_autofree float **values = g_new(float *, module->weight_count + 1);
  for (guint k = 0; k < module->weight_count; k++) values[k] = module_value(module, k);
  module->ops->bind(module->self, values);
  return TRUE;
}

/* Two words give two independent normal deviates (Box and Muller, 1958). */
static void fill_normal(const guint32 *words, float *out, gsize count, float deviation) {
  for (gsize k = 0; k < count; k++) {
    const guint32 *pair = words + (k & ~(gsize)1);
    const double radius = sqrt(-2.0 * log(1.0 - random_unit(pair[0]))), angle = 2.0 * G_PI * random_unit(pair[1]);
    out[k] = (float)(deviation * radius * (k & 1 ? sin(angle) : cos(angle)));
  }
}

static void initialise_weight(const struct dvt_weight *weight, struct random_stream stream, float *out, gsize count) {
  if (weight->initialiser == DVT_INIT_CONSTANT) {
    for (gsize k = 0; k < count; k++) out[k] = weight->init_value;
    return;
  }
  const gsize words_needed = (count + 1) & ~(gsize)1;
  g_autofree guint32 *words = g_new(guint32, words_needed);
  random_words(stream, 0, 0, words, words_needed);
  if (weight->initialiser == DVT_INIT_NORMAL)
    fill_normal(words, out, count, weight->init_value);
  else
    for (gsize k = 0; k < count; k++) out[k] = weight->init_value * (2.0f * random_unit(words[k]) - 1.0f);
}

void module_initialise(struct module *module, guint64 seed, const char *stream) {
  for (guint k = 0; k < module->weight_count; k++) {
    g_autofree char *name = g_strdup_printf("%s/%s", stream, module->weights[k]->name);
    initialise_weight(module->weights[k], random_stream(seed, name), module_value(module, k),
                      module_weight_elements(module, k));
  }
}

void module_changed(struct module *module) { module->ops->changed(module->self); }

static gboolean check_call(const struct module *module, const char *call, int status, const struct dvt_error *fault,
                           GError **error) {
  if (status == DVT_OK) return TRUE;
  g_autofree char *text = fault_text(fault, status);
  return error_failed(error, "%s: %s: %s", module->label, call, text);
}

struct pass *pass_new(struct module *module, const struct dvt_pass_config *config, gboolean gradients, GError **error) {
  AUTO(pass) pass = g_new0(struct pass, 1);
  struct dvt_pass_config own = *config;
  struct dvt_error fault = DVT_ERROR_INIT;
  g_autofree float **list = g_new0(float *, module->weight_count + 1);
  pass->module = module;
  own.gradients = NULL;
  if (gradients) {
    pass->gradients = memory_floats(module->parameter_size, error);
    if (!pass->gradients) return NULL;
    for (guint k = 0; k < module->weight_count; k++)
      if (module->weights[k]->role == DVT_WEIGHT_PARAMETER) list[k] = pass->gradients + module->offsets[k];
    own.gradients = list;
  }
  const int status = module->ops->pass_create(module->self, &own, &pass->self, &fault);
  if (!check_call(module, "pass_create", status, &fault, error)) return NULL;
  return g_steal_pointer(&pass);
}

void pass_free(struct pass *pass) {
  if (!pass) return;
  if (pass->self) pass->module->ops->pass_destroy(pass->self);
  free(pass->gradients);
  g_free(pass);
}

/* After a call that was given a copy of the tensor `made`, which may be NULL. */
static gboolean border_kept(const struct pass *pass, const struct dvt_tensor *given, const struct dvt_tensor *made,
                            const char *name, GError **error) {
  const struct module *module = pass->module;
  if (made && !border_same(given, made, name, error)) return FALSE;
  if (!pass->checked) return TRUE;
  return (!made || border_good(made, name, error)) &&
         border_arena_good(module, module->values, module->size, "values", error) &&
         (!pass->gradients || border_arena_good(module, pass->gradients, module->parameter_size, "gradients", error));
}

static gboolean check_border(const struct pass *pass, const char *call, const struct dvt_tensor *given,
                             const struct dvt_tensor *made, const char *name, GError **error) {
  if (border_kept(pass, given, made, name, error)) return TRUE;
  g_prefix_error(error, "%s: %s: ", pass->module->label, call);
  return FALSE;
}

gboolean pass_forward(struct pass *pass, const struct dvt_tensor *input, struct dvt_tensor *output, GError **error) {
  struct dvt_error fault = DVT_ERROR_INIT;
  struct dvt_tensor given = *output;
  const char *name = pass->module->plugin->kind == DVT_KIND_BACKBONE ? "features" : "logits";
  const gint64 start = g_get_monotonic_time();
  const int status = pass->module->ops->forward(pass->self, input, &given, &fault);
  const gboolean good = check_call(pass->module, "forward", status, &fault, error) &&
                        check_border(pass, "forward", &given, output, name, error);
  pass->spent += g_get_monotonic_time() - start;
  return good;
}

gboolean pass_backward(struct pass *pass, const struct dvt_tensor *output_gradient, struct dvt_tensor *input_gradient,
                       GError **error) {
  struct dvt_error fault = DVT_ERROR_INIT;
  struct dvt_tensor given = input_gradient ? *input_gradient : (struct dvt_tensor){0};
  const gint64 start = g_get_monotonic_time();
  const int status = pass->module->ops->backward(pass->self, output_gradient, input_gradient ? &given : NULL, &fault);
  const gboolean good = check_call(pass->module, "backward", status, &fault, error) &&
                        check_border(pass, "backward", &given, input_gradient, "gradients of the features", error);
  pass->spent += g_get_monotonic_time() - start;
  return good;
}

void pass_commit(struct pass *pass) {
  if (pass->module->ops->commit) pass->module->ops->commit(pass->self);
}

void pass_times(const struct pass *pass, struct dvt_pass_times *times) {
  const struct dvt_module_ops *ops = pass->module->ops;
  *times = (struct dvt_pass_times){.struct_size = sizeof *times};
  if (DVT_HAS(ops, times) && ops->times) ops->times(pass->self, times);
}

void pass_clear(struct pass *pass) {
  if (pass->gradients) memset(pass->gradients, 0, pass->module->parameter_size * sizeof(float));
}
