/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pair.h"
#include "plugin/tensors.h"

static const double head_loss = 3.5;

static void keep_line(void *data, enum dvt_level level, const char *message) {
  (void)level;
  g_string_append_printf(data, "%s\n", message);
}

int rig_setup(void **state) {
  static const char *const names[RIG_NETWORKS] = {"a", "b", "c"};
  struct rig *rig = *state = g_new0(struct rig, 1);
  services_init(&rig->services, 1);
  rig->log = g_string_new(NULL);
  rig->asked.classes = g_string_new(NULL);
  rig->services.log = keep_line;
  rig->services.log_data = rig->log;
  rig->host = (struct dvt_aligner_host){sizeof rig->host, .base = &rig->services.table, .context = rig};
  for (guint t = 0; t < RIG_NETWORKS; t++) {
    rig->networks[t] = (struct dvt_network){.struct_size = sizeof rig->networks[t],
                                            .index = t,
                                            .name = names[t],
                                            .batch = RIG_BATCH,
                                            .image = {3, 32, 32},
                                            .features = {2, 3, 3},
                                            .split = "layer2"};
    rig->views[t] = &rig->networks[t];
  }
  return 0;
}

static void forget(struct rig *rig) {
  if (rig->ops) rig->ops->destroy(rig->aligner);
  rig->aligner = NULL;
}

int rig_teardown(void **state) {
  struct rig *rig = *state;
  forget(rig);
  g_string_free(rig->log, TRUE);
  g_string_free(rig->asked.classes, TRUE);
  g_free(rig);
  return 0;
}

int rig_init(struct rig *rig, const char *plugin, const struct dvt_value *values, uint32_t count) {
  forget(rig);
  rig->ops = pair_plugin(DVT_KIND_ALIGNER, plugin)->ops;
  rig->fault = (struct dvt_error)DVT_ERROR_INIT;
  assert_int_equal(rig->ops->create(values, &rig->aligner, &rig->fault), DVT_OK);
  return rig->ops->init(rig->aligner, &rig->host, rig->views, count, &rig->fault);
}

void rig_refuses(struct rig *rig, const char *plugin, const struct dvt_value *values, uint32_t count,
                 const char *message) {
  assert_int_equal(rig_init(rig, plugin, values, count), DVT_ERROR_ARGUMENT);
  assert_string_equal(rig->fault.message, message);
}

static struct rig_asked *asked_of(const struct dvt_aligner_host *host) { return &((struct rig *)host->context)->asked; }

static int make_head(const struct dvt_aligner_host *host, const struct dvt_head_request *request, uint32_t *head,
                     struct dvt_error *error) {
  GString *classes = asked_of(host)->classes;
  (void)error;
  assert_null(request->plugin);
  g_string_truncate(classes, 0);
  for (uint32_t k = 0; k < request->classes; k++) g_string_append_printf(classes, "%s ", request->class_names[k]);
  *head = RIG_HEAD;
  return DVT_OK;
}

static int head_forward(const struct dvt_aligner_host *host, uint32_t head, uint32_t network,
                        const struct dvt_tensor *features, struct dvt_tensor *logits, struct dvt_error *error) {
  struct rig_asked *asked = asked_of(host);
  (void)error;
  assert_int_equal(head, RIG_HEAD);
  *logits = *features;
  asked->network = network;
  asked->forward = TRUE;
  return DVT_OK;
}

static int cross_entropy(const struct dvt_aligner_host *host, struct dvt_tensor *logits, const int32_t *labels,
                         double weight, double *loss, struct dvt_error *error) {
  struct rig_asked *asked = asked_of(host);
  (void)logits;
  (void)error;
  assert_true(asked->forward);
  memcpy(asked->labels, labels, sizeof asked->labels);
  asked->weight = weight;
  *loss = head_loss;
  asked->loss = TRUE;
  return DVT_OK;
}

static int head_backward(const struct dvt_aligner_host *host, uint32_t head, uint32_t network,
                         const struct dvt_tensor *logit_gradient, struct dvt_tensor *feature_gradient,
                         struct dvt_error *error) {
  struct rig_asked *asked = asked_of(host);
  (void)logit_gradient;
  (void)error;
  assert_true(asked->loss && head == RIG_HEAD && network == asked->network);
  asked->gradient = feature_gradient;
  asked->backward = TRUE;
  return DVT_OK;
}

void rig_give_head(struct rig *rig) {
  rig->host.make_head = make_head;
  rig->host.head_forward = head_forward;
  rig->host.cross_entropy = cross_entropy;
  rig->host.head_backward = head_backward;
}

void rig_runs_head(struct rig *rig, rig_hook *hook, const struct dvt_batch *batch, struct dvt_tensor *gradient) {
  static const gint64 shape[] = {2, 3, 3};
  float data[RIG_BATCH * RIG_FEATURES] = {0};
  const struct dvt_tensor features = tensor_maps(data, RIG_BATCH, shape);
  struct rig_asked *asked = &rig->asked;
  double loss = 0;
  asked->forward = asked->loss = asked->backward = FALSE;
  assert_int_equal(hook(rig->aligner, batch, &features, gradient, &loss, &rig->fault), DVT_OK);
  assert_true(asked->backward && asked->network == batch->network);
  assert_true(asked->weight == batch->weight && loss == head_loss);
  assert_ptr_equal(asked->gradient, gradient);
}
