/* SPDX-License-Identifier: MIT */
#include "train/frozen.h"

#include <math.h>
#include <string.h>

#include "train/components.h"
#include "train/difference.h"

/* A frozen component and the file that it is read from. */
struct source {
  const struct component *component;
  struct mark mark; /* of `from`; no place for what an earlier stage left */
  char *path;
  char *owner; /* "network a" */
  struct safetensors *file;
  struct component_info *info; /* what the file says */
};

static void source_free(struct source *source) {
  if (source->info) component_info_free(source->info);
  if (source->file) safetensors_free(source->file);
  g_free(source->owner);
  g_free(source->path);
  g_free(source);
}
AUTO_DEFINE(source, source_free)

/* Damage is a failure and not a wrong experiment, but whoever reads of it wants the place too. */
static gboolean damaged(const struct source *source, GError **error) { return error_place(error, source->mark); }

static gboolean open_file(struct source *source, GError **error) {
  if (!g_file_test(source->path, G_FILE_TEST_EXISTS))
    return error_at(error, source->mark,
                    "the %s of %s is not there: no file %s; write the directory of a run that has it",
                    source->component->info.kind, source->owner, source->path);
  source->file = safetensors_read(source->path, error);
  if (!source->file) return damaged(source, error);
  source->info = g_new0(struct component_info, 1);
  return component_read_info(source->file, source->info, error) || damaged(source, error);
}

static gboolean check_info(const struct source *source, GError **error) {
  struct difference difference;
  if (!difference_find(source->info, &source->component->info, &difference)) return TRUE;
  error_at(error, source->mark, "%s does not fit: its %s: %s; of %s in the experiment: %s", source->path,
           difference.what, difference.one, source->owner, difference.other);
  difference_clear(&difference);
  return FALSE;
}

static char *weight_shape(guint rank, const gint64 *shape) {
  GString *text = g_string_new("[");
  for (guint axis = 0; axis < rank; axis++)
    g_string_append_printf(text, "%s%" G_GINT64_FORMAT, axis ? ", " : "", shape[axis]);
  return g_string_free(g_string_append_c(text, ']'), FALSE);
}

static gboolean check_finite(const struct source *source, const struct safetensor *tensor, GError **error) {
  for (gsize at = 0; at < tensor->size; at += sizeof(float)) {
    float value;
    memcpy(&value, (const char *)tensor->data + at, sizeof value);
    if (isfinite(value)) continue;
    error_failed(error, "%s: tensor '%s' holds a value that is not finite", source->path, tensor->name);
    return damaged(source, error);
  }
  return TRUE;
}

static gboolean check_tensor(const struct source *source, const struct dvt_weight *weight, GError **error) {
  const struct safetensor *tensor = safetensors_find(source->file, weight->name);
  if (!tensor)
    return error_at(error, source->mark, "%s does not fit: it has no tensor '%s', %s in the experiment has one",
                    source->path, weight->name, source->owner);
  if (tensor->rank == weight->rank && !memcmp(tensor->shape, weight->shape, weight->rank * sizeof *weight->shape) &&
      !strcmp(tensor->dtype, "F32"))
    return check_finite(source, tensor, error);
  g_autofree char *theirs = weight_shape(tensor->rank, tensor->shape),
                  *ours = weight_shape(weight->rank, weight->shape);
  return error_at(error, source->mark, "%s does not fit: its tensor '%s' is %s %s; that of %s in the experiment F32 %s",
                  source->path, weight->name, tensor->dtype, theirs, source->owner, ours);
}

/* Damage that leaves shapes and finite values; last, for what does not fit at all is better told as that. */
static gboolean check_checksum(const struct source *source, GError **error) {
  return component_check_tensors(source->file, error) || damaged(source, error);
}

static gboolean check_tensors(const struct source *source, GError **error) {
  const struct module *module = source->component->module;
  for (guint k = 0; k < module->weight_count; k++)
    if (!check_tensor(source, module->weights[k], error)) return FALSE;
  for (guint k = 0; k < source->file->tensors->len; k++) {
    const struct safetensor *tensor = g_ptr_array_index(source->file->tensors, k);
    if (module_find(module, tensor->name) < 0)
      return error_at(error, source->mark, "%s does not fit: it has a tensor '%s', %s in the experiment has none",
                      source->path, tensor->name, source->owner);
  }
  return TRUE;
}

static const struct from_spec *from_of(const struct component *component) {
  return component->network ? &component->network->spec->from : &component->aligner->spec->from;
}

/* Opens the file of a component and checks all of it. The caller frees the source. */
static struct source *source_new(const struct component *component, const char *directory, GError **error) {
  AUTO(source) source = g_new0(struct source, 1);
  source->component = component;
  source->mark = from_of(component)->mark;
  source->path = run_component_file(directory, component->name);
  source->owner = component->network ? g_strdup_printf("network %s", component->network->spec->name)
                                     : g_strdup_printf("aligner %s", component->aligner->name);
  if (!open_file(source, error) || !check_info(source, error) || !check_tensors(source, error) ||
      !check_checksum(source, error))
    return NULL;
  return g_steal_pointer(&source);
}

/* An aligner that sets initial values sees those that are drawn here, not those that the component once had. */
static void warn_of_initial_values(const struct composition *composition, const struct source *source) {
  const struct component_info *theirs = source->info, *ours = &source->component->info;
  if (g_strcmp0(ours->kind, "extractor") != 0) return;
  if (!g_strcmp0(theirs->seed, ours->seed) && !g_strcmp0(theirs->network, ours->network)) return;
  for (guint k = 0; k < composition->aligner_count; k++)
    if (composition->aligners[k].ops->initialise)
      g_log("dovetail", G_LOG_LEVEL_WARNING,
            "%s: trained as network %s with seed %s, here it is %s with seed %s: aligner %s cannot have the initial "
            "values of that run, it takes those of this one",
            source->path, theirs->network ? theirs->network : "(not known)",
            theirs->seed ? theirs->seed : "(not known)", ours->network, ours->seed, composition->aligners[k].name);
}

/* A run adds the own accuracy at its end. What others made need not have it. */
static void warn_of_unfinished(const struct source *source) {
  if (source->info->dovetail && !g_strcmp0(source->info->kind, "extractor") && isnan(source->info->own_accuracy))
    g_log("dovetail", G_LOG_LEVEL_WARNING, "%s: its run did not come to its end; it may be trained in part only",
          source->path);
}

/* Views of frozen networks are not run: what an auxiliary head learns of views alone, it learns without them. */
static void warn_of_lone_heads(const struct composition *composition, const struct aligner *aligner) {
  if (aligner->spec->from.path || !aligner->auxiliaries->len || aligner->ops->feature_loss) return;
  for (guint t = 0; t < composition->network_count; t++)
    if (composition->networks[t].spec->from.path)
      g_log("dovetail", G_LOG_LEVEL_WARNING,
            "aligner %s: its auxiliary heads are trained without network %s, so nothing aligns the others with it; the "
            "heads of its run can be had with 'from'",
            aligner->name, composition->networks[t].spec->name);
}

static gboolean check_aligner(const struct composition *composition, const struct aligner *aligner, GError **error) {
  const struct from_spec *from = &aligner->spec->from;
  if (from->path && !aligner->auxiliaries->len)
    return error_at(error, from->mark, "aligner %s has no auxiliary heads that a run could give; leave 'from' out",
                    aligner->name);
  warn_of_lone_heads(composition, aligner);
  return TRUE;
}

gboolean frozen_check(const struct composition *composition, GError **error) {
  g_autoptr(GPtrArray) list = components_list(composition);
  for (guint k = 0; k < list->len; k++) {
    const struct component *component = g_ptr_array_index(list, k);
    const char *directory = from_of(component)->path;
    if (!directory) continue;
    AUTO(source) source = source_new(component, directory, error);
    if (!source) return FALSE;
    warn_of_initial_values(composition, source);
    warn_of_unfinished(source);
  }
  for (guint k = 0; k < composition->aligner_count; k++)
    if (!check_aligner(composition, &composition->aligners[k], error)) return FALSE;
  return TRUE;
}

static void take_values(struct composition *composition, struct source *source) {
  struct module *module = source->component->module;
  for (guint k = 0; k < module->weight_count; k++) {
    const struct safetensor *tensor = safetensors_find(source->file, module->weights[k]->name);
    memcpy(module_value(module, k), tensor->data, tensor->size);
  }
  module_changed(module);
  g_hash_table_insert(composition->origins, module, g_steal_pointer(&source->info));
}

gboolean frozen_load(struct composition *composition, const char *run, GError **error) {
  g_autoptr(GPtrArray) list = components_list(composition);
  for (guint k = 0; k < list->len; k++) {
    const struct component *component = g_ptr_array_index(list, k);
    const char *directory = from_of(component)->path;
    if (!component_frozen(component)) continue;
    AUTO(source) source = source_new(component, directory ? directory : run, error);
    if (!source) return FALSE;
    take_values(composition, source);
  }
  return TRUE;
}
