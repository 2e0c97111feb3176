/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "conform/rig.h"
#include "plugin/tensors.h"

const struct trial_config rig_modes[RIG_MODES] = {{.flags = DVT_PASS_BATCH_STATISTICS | DVT_PASS_BACKWARD},
                                                  {.flags = DVT_PASS_BACKWARD}};
const char *const rig_mode_names[RIG_MODES] = {"the batch's statistics", "running statistics"};

gsize rig_input_size(const struct rig *rig) {
  const gint64 *shape = rig->module->input;
  return (gsize)(shape[0] * shape[1] * shape[2]);
}

gsize rig_output_size(const struct rig *rig) {
  const gint64 *shape = rig->module->output;
  return (gsize)(shape[0] * shape[1] * shape[2]);
}

static void make_buffers(struct trial *trial, const char *name) {
  const struct rig *rig = trial->rig;
  const gsize input = trial->config.capacity * rig_input_size(rig),
              output = trial->config.capacity * rig_output_size(rig);
  g_autofree char *gradients = g_strconcat(name, "/gradient", NULL);
  block_init(&trial->input, input * sizeof(float));
  block_init(&trial->input_gradient, input * sizeof(float));
  block_init(&trial->output, output * sizeof(float));
  block_init(&trial->output_gradient, output * sizeof(float));
  probe_numbers(rig->probe, name, 2, trial->input.data, input);
  probe_numbers(rig->probe, gradients, 1, trial->output_gradient.data, output);
  if (trial->config.frozen) return;
  block_init(&trial->gradients, rig_size(rig) * sizeof(float));
  block_poison(trial->gradients.data, rig_size(rig));
  trial_set_gradients(trial, 0);
}

static gboolean make_pass(struct trial *trial) {
  const struct trial_config *config = &trial->config;
  const struct module *module = trial->rig->module;
  g_autofree float **list = g_new0(float *, module->weight_count + 1);
  for (guint k = 0; !config->frozen && k < module->weight_count; k++)
    if (module->weights[k]->role == DVT_WEIGHT_PARAMETER) list[k] = (float *)trial->gradients.data + module->offsets[k];
  const struct dvt_pass_config own = {
      .struct_size = sizeof own,
      .flags = config->flags,
      .capacity = config->capacity,
      .threads = config->threads,
      .precision = config->precision,
      .gradients = config->frozen ? NULL : list,
  };
  struct dvt_error fault = DVT_ERROR_INIT;
  const int status = module->ops->pass_create(module->self, &own, &trial->self, &fault);
  return probe_called(trial->rig->probe, "pass_create", &fault, status);
}

struct trial *trial_new(struct rig *rig, const struct trial_config *config, const char *name) {
  AUTO(trial) trial = g_new0(struct trial, 1);
  trial->rig = rig;
  trial->config = *config;
  if (!config->capacity) trial->config.capacity = RIG_CAPACITY;
  if (!config->threads) trial->config.threads = 1;
  if (!config->precision) trial->config.precision = DVT_PRECISION_FLOAT32;
  make_buffers(trial, name);
  return make_pass(trial) ? g_steal_pointer(&trial) : NULL;
}

void trial_free(struct trial *trial) {
  if (!trial) return;
  if (trial->self) trial->rig->module->ops->pass_destroy(trial->self);
  block_clear(&trial->input);
  block_clear(&trial->output);
  block_clear(&trial->output_gradient);
  block_clear(&trial->input_gradient);
  block_clear(&trial->gradients);
  g_free(trial);
}

static struct dvt_tensor output_tensor(const struct trial *trial, gpointer data, guint n) {
  const struct module *module = trial->rig->module;
  if (module->plugin->kind == DVT_KIND_HEAD) return tensor_logits(data, n, module->output[0]);
  return tensor_maps(data, n, module->output);
}

gboolean trial_forward(struct trial *trial, guint n) {
  const struct module *module = trial->rig->module;
  const struct dvt_tensor input = tensor_maps(trial->input.data, n, module->input);
  struct dvt_tensor output = output_tensor(trial, trial->output.data, n);
  struct dvt_error fault = DVT_ERROR_INIT;
  const int status = module->ops->forward(trial->self, &input, &output, &fault);
  return probe_called(trial->rig->probe, "forward", &fault, status);
}

gboolean trial_backward(struct trial *trial, guint n, gboolean input_gradient) {
  const struct module *module = trial->rig->module;
  const struct dvt_tensor from = output_tensor(trial, trial->output_gradient.data, n);
  struct dvt_tensor to = tensor_maps(trial->input_gradient.data, n, module->input);
  struct dvt_error fault = DVT_ERROR_INIT;
  const int status = module->ops->backward(trial->self, &from, input_gradient ? &to : NULL, &fault);
  return probe_called(trial->rig->probe, "backward", &fault, status);
}

void trial_commit(struct trial *trial) {
  const struct dvt_module_ops *ops = trial->rig->module->ops;
  if (ops->commit) ops->commit(trial->self);
}

void trial_set_gradients(struct trial *trial, float value) {
  const struct module *module = trial->rig->module;
  for (guint k = 0; trial->gradients.memory && k < module->weight_count; k++) {
    if (module->weights[k]->role != DVT_WEIGHT_PARAMETER) continue;
    float *gradient = (float *)trial->gradients.data + module->offsets[k];
    for (gsize i = 0; i < module_weight_elements(module, k); i++) gradient[i] = value;
  }
}

void trial_record(const struct trial *trial, guint n, struct record *record) {
  const struct rig *rig = trial->rig;
  const struct module *module = rig->module;
  record_floats(record, "output", trial->output.data, n * rig_output_size(rig));
  if (!(trial->config.flags & DVT_PASS_BACKWARD)) return;
  record_floats(record, "input gradient", trial->input_gradient.data, n * rig_input_size(rig));
  for (guint k = 0; trial->gradients.memory && k < module->weight_count; k++)
    if (module->weights[k]->role == DVT_WEIGHT_PARAMETER)
      record_floats(record, module->weights[k]->name, (float *)trial->gradients.data + module->offsets[k],
                    module_weight_elements(module, k));
}

gboolean trial_run(struct trial *trial, guint n, struct record *record) {
  trial_set_gradients(trial, 0);
  if (!trial_forward(trial, n)) return FALSE;
  if ((trial->config.flags & DVT_PASS_BACKWARD) && !trial_backward(trial, n, TRUE)) return FALSE;
  if (record) trial_record(trial, n, record);
  return TRUE;
}

gboolean rig_try(struct rig *rig, const struct trial_config *config, const char *name, guint n, struct record *record) {
  AUTO(trial) trial = trial_new(rig, config, name);
  return trial && trial_run(trial, n, record);
}
