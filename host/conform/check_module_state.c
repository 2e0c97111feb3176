/* SPDX-License-Identifier: MIT */
/* The values of a module are all of its state: changed, saved, loaded, committed. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "conform/checks.h"
#include "conform/rig.h"
#include "store/component.h"

/* With running statistics, so that buffers count too. */
static gboolean try_running(struct rig *rig, struct record *record) {
  return rig_try(rig, &rig_modes[1], "state", RIG_CAPACITY, record);
}

/* Other values, as an optimiser's step would make them. */
static void step(const struct rig *rig) {
  struct module *module = rig->module;
  for (guint k = 0; k < module->weight_count; k++)
    for (gsize i = 0; i < module_weight_elements(module, k); i++) module_value(module, k)[i] *= 1.25f;
  module_changed(module);
}

void check_module_changed(struct probe *probe) {
  AUTO(rig) used = rig_open(probe);
  AUTO(rig) fresh = used ? kind_open(probe) : NULL;
  AUTO(trial) trial = fresh ? trial_new(used, &rig_modes[1], "state") : NULL;
  AUTO(record) first = record_new();
  AUTO(record) second = record_new();
  if (!trial || !trial_run(trial, RIG_CAPACITY, NULL)) return;
  if (!rig_bind_quietly(fresh)) return;
  step(fresh);
  step(used);
  if (trial_run(trial, RIG_CAPACITY, first) && try_running(fresh, second))
    probe_agree(probe, "after changed, a module that was in use and a new one with the same values", first, second, 0);
}

static struct safetensor *list_tensors(const struct module *module) {
  struct safetensor *tensors = g_new0(struct safetensor, module->weight_count + 1);
  for (guint k = 0; k < module->weight_count; k++) {
    const struct dvt_weight *weight = module->weights[k];
    tensors[k] = (struct safetensor){.name = weight->name,
                                     .dtype = "F32",
                                     .rank = weight->rank,
                                     .data = module_value(module, k),
                                     .size = module_weight_elements(module, k) * sizeof(float)};
    memcpy(tensors[k].shape, weight->shape, sizeof tensors[k].shape);
  }
  return tensors;
}

static gboolean save(const struct rig *rig, const char *path) {
  const struct component_info info = {.plugin = rig->module->plugin->name, .own_accuracy = (double)NAN};
  g_autofree struct safetensor *tensors = list_tensors(rig->module);
  g_autoptr(GError) error = NULL;
  return component_write(path, &info, tensors, rig->module->weight_count, &error) ||
         probe_fail(rig->probe, "its weights cannot be saved: %s", error->message);
}

static gboolean load(struct rig *rig, const char *path) {
  g_autoptr(GError) error = NULL;
  AUTO(safetensors) file = safetensors_read(path, &error);
  if (!file) return probe_fail(rig->probe, "its weights cannot be loaded: %s", error->message);
  for (guint k = 0; k < rig->module->weight_count; k++) {
    const char *name = rig->module->weights[k]->name;
    const struct safetensor *tensor = safetensors_find(file, name);
    if (!tensor || tensor->size != module_weight_elements(rig->module, k) * sizeof(float))
      return probe_fail(rig->probe, "a second instance has the weight %s, the first has no such one", name);
    memcpy(module_value(rig->module, k), tensor->data, tensor->size);
  }
  module_changed(rig->module);
  return TRUE;
}

/* Whether the reader refuses the file once it is cut short, or a byte of its header's length is another. */
static gboolean check_damage(struct probe *probe, const char *path) {
  g_autofree char *content = NULL;
  gsize size = 0;
  if (!g_file_get_contents(path, &content, &size, NULL)) return probe_fail(probe, "%s cannot be read", path);
  const gsize cuts[] = {0, 7, size / 2, size - 1};
  for (guint k = 0; k <= G_N_ELEMENTS(cuts); k++) {
    g_autofree char *damaged = g_strconcat(path, ".damaged", NULL);
    if (k == G_N_ELEMENTS(cuts)) content[6] ^= 1;
    g_file_set_contents(damaged, content, (gssize)(k < G_N_ELEMENTS(cuts) ? cuts[k] : size), NULL);
    AUTO(safetensors) file = safetensors_read(damaged, NULL);
    g_remove(damaged);
    if (file) return probe_fail(probe, "a damaged file of its weights is read without an error");
  }
  return TRUE;
}

static void save_and_load(struct probe *probe, const char *path) {
  AUTO(rig) first = rig_open(probe);
  AUTO(rig) second = first ? rig_open(probe) : NULL;
  AUTO(record) before = record_new();
  AUTO(record) after = record_new();
  AUTO(trial) trial = second ? trial_new(first, &rig_modes[0], "trained") : NULL;
  if (!trial || !trial_run(trial, RIG_CAPACITY, NULL)) return;
  trial_commit(trial);
  step(first);
  if (save(first, path) && check_damage(probe, path) && load(second, path) && try_running(first, before) &&
      try_running(second, after))
    probe_agree(probe, "a module and a new one with its values", before, after, 0);
}

void check_module_state(struct probe *probe) {
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp("dovetail-conform-XXXXXX", &error);
  if (!folder) {
    probe_skip(probe, "no folder for a file: %s", error->message);
    return;
  }
  g_autofree char *path = g_build_filename(folder, "state.safetensors", NULL);
  save_and_load(probe, path);
  g_remove(path);
  g_rmdir(folder);
}

/* Any bits are values, also NaN in all of them: what comes out means nothing, but comes out. */
void check_module_state_random(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  if (!rig) return;
  for (guint k = 0; k < rig->module->weight_count; k++)
    random_words(probe_stream(probe, rig->module->weights[k]->name), 1, 0, (guint32 *)module_value(rig->module, k),
                 module_weight_elements(rig->module, k));
  for (guint mode = 0; mode < 2 * RIG_MODES; mode++) {
    if (mode == RIG_MODES) block_poison(rig->module->values, rig_size(rig));
    module_changed(rig->module);
    if (!rig_try(rig, &rig_modes[mode % RIG_MODES], "random", RIG_CAPACITY, NULL)) return;
  }
}

static guint count_buffers(const struct module *module) {
  guint count = 0;
  for (guint k = 0; k < module->weight_count; k++) count += module->weights[k]->role == DVT_WEIGHT_BUFFER;
  return count;
}

/* The arena after a commit that began with buffers `add` larger than `values`. The caller frees it. */
static float *commit_from(struct trial *trial, const float *values, float add) {
  struct module *module = trial->rig->module;
  memcpy(module->values, values, module->size * sizeof(float));
  for (guint k = 0; k < module->weight_count; k++)
    for (gsize i = 0; module->weights[k]->role == DVT_WEIGHT_BUFFER && i < module_weight_elements(module, k); i++)
      module_value(module, k)[i] += add;
  module_changed(module);
  if (!trial_run(trial, RIG_CAPACITY, NULL)) return NULL;
  trial_commit(trial);
  return g_memdup2(module->values, module->size * sizeof(float));
}

static gboolean keeps_nine_tenths(struct probe *probe, const struct dvt_weight *weight, const float *low,
                                  const float *high, float add, gsize count) {
  for (gsize i = 0; i < count; i++) {
    const double kept = ((double)high[i] - (double)low[i]) / (double)add;
    if (!(fabs(kept - 0.9) < 1e-3))
      return probe_fail(probe, "commit keeps %.4g of what was in the buffer %s[%" G_GSIZE_FORMAT "], not 0.9", kept,
                        weight->name, i);
  }
  return TRUE;
}

void check_module_commit(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  if (!rig) return;
  const struct module *module = rig->module;
  if (!count_buffers(module)) {
    probe_skip(probe, "it has no buffers");
    return;
  }
  if (!module->ops->commit) {
    probe_fail(probe, "it has buffers, and its commit is NULL");
    return;
  }
  const float add = 2;
  g_autofree float *values = g_memdup2(module->values, module->size * sizeof(float));
  AUTO(trial) trial = trial_new(rig, &rig_modes[0], "commit");
  g_autofree float *low = trial ? commit_from(trial, values, 0) : NULL;
  g_autofree float *high = low ? commit_from(trial, values, add) : NULL;
  for (guint k = 0; high && k < module->weight_count; k++) {
    const gsize at = module->offsets[k];
    if (module->weights[k]->role == DVT_WEIGHT_BUFFER &&
        !keeps_nine_tenths(probe, module->weights[k], low + at, high + at, add, module_weight_elements(module, k)))
      return;
  }
}
