/* SPDX-License-Identifier: MIT */
/* Calls in both directions: the aligner's hooks, and the table through which it asks for auxiliary heads. */
#include <math.h>
#include <string.h>

#include "conform/aligner_rig.h"
#include "plugin/tensors.h"

const char *const hook_names[HOOKS] = {"feature_loss", "view_loss", "joint_loss"};

void tied_head_free(gpointer data) {
  struct tied_head *head = data;
  for (guint t = 0; t < MOST_NETWORKS; t++) block_clear(&head->logits[t]);
  g_free(head->weights);
  g_free(head->name);
  g_free(head);
}

static struct aligner_rig *rig_of(const struct dvt_aligner_host *host) { return host->context; }

/* What a real host refuses too; a plugin that relies on it ends the run. */
static int misuse(struct aligner_rig *rig, struct dvt_error *fault, const char *text) {
  probe_fail(rig->probe, "%s", text);
  return dvt_fail(fault, DVT_ERROR_ARGUMENT, "%s", text);
}

static gboolean name_taken(const struct aligner_rig *rig, const char *name) {
  for (guint k = 0; k < rig->heads->len; k++)
    if (!strcmp(((struct tied_head *)rig->heads->pdata[k])->name, name)) return TRUE;
  return FALSE;
}

static gboolean features_agree(const struct aligner_rig *rig) {
  for (guint t = 1; t < rig->cast->count; t++)
    if (memcmp(rig->networks[t]->features, rig->networks[0]->features, sizeof rig->networks[0]->features)) return FALSE;
  return TRUE;
}

static int make_head(const struct dvt_aligner_host *host, const struct dvt_head_request *request, uint32_t *out,
                     struct dvt_error *fault) {
  struct aligner_rig *rig = rig_of(host);
  if (!rig->in_init) return misuse(rig, fault, "make_head was called outside init");
  if (!request->name || !request->name[0] || !request->classes)
    return misuse(rig, fault, "make_head was called without a name, or for no classes");
  if (name_taken(rig, request->name)) return misuse(rig, fault, "make_head was called for two heads of one name");
  if (!features_agree(rig))
    return dvt_fail(fault, DVT_ERROR_ARGUMENT, "an auxiliary head needs features of one shape; those of %s differ",
                    rig->networks[rig->cast->count - 1]->name);
  struct tied_head *head = g_new0(struct tied_head, 1);
  const gsize count = request->classes * (gsize)(rig->networks[0]->features[0] + 1);
  head->name = g_strdup(request->name);
  head->classes = request->classes;
  head->weights = g_new(float, count);
  probe_numbers(rig->probe, head->name, 1, head->weights, count);
  for (guint t = 0; t < MOST_NETWORKS; t++) block_init(&head->logits[t], PAPER_BATCH * head->classes * sizeof(float));
  *out = rig->heads->len;
  g_ptr_array_add(rig->heads, head);
  return DVT_OK;
}

static struct tied_head *find_head(struct aligner_rig *rig, uint32_t head, uint32_t network) {
  if (head >= rig->heads->len || network >= rig->cast->count || !rig->papers[network].in_hook) return NULL;
  return rig->heads->pdata[head];
}

static int head_forward(const struct dvt_aligner_host *host, uint32_t number, uint32_t network,
                        const struct dvt_tensor *features, struct dvt_tensor *logits, struct dvt_error *fault) {
  struct aligner_rig *rig = rig_of(host);
  struct tied_head *head = find_head(rig, number, network);
  if (!head) return misuse(rig, fault, "head_forward was called for no head, or out of its network's hooks");
  if (!tensor_is_maps(features, PAPER_BATCH, rig->networks[network]->features))
    return misuse(rig, fault, "head_forward was called with features of another shape than the network's");
  if (rig->heads_fail) {
    rig->head_failures++;
    return dvt_fail(fault, DVT_ERROR_INTERNAL, "the check makes head_forward fail");
  }
  const gint64 channels = features->shape[1], area = features->shape[2] * features->shape[3];
  const float *x = features->data;
  float *out = head->logits[network].data;
  for (gint64 n = 0; n < features->shape[0]; n++)
    for (guint c = 0; c < head->classes; c++) {
      double sum = (double)head->weights[head->classes * channels + c];
      for (gint64 f = 0; f < channels; f++)
        for (gint64 k = 0; k < area; k++)
          sum += (double)head->weights[c * channels + f] * (double)x[(n * channels + f) * area + k] / (double)area;
      out[n * head->classes + c] = (float)sum;
    }
  head->flown[network] = TRUE;
  *logits = tensor_logits(out, (guint)features->shape[0], head->classes);
  return DVT_OK;
}

static int cross_entropy(const struct dvt_aligner_host *host, struct dvt_tensor *logits, const int32_t *labels,
                         double weight, double *loss, struct dvt_error *fault) {
  const gint64 count = logits->shape[0], classes = logits->shape[1];
  for (gint64 n = 0; n < count; n++)
    if (labels[n] >= classes)
      return misuse(rig_of(host), fault, "cross_entropy was called with a label past the classes");
  *loss = 0;
  for (gint64 n = 0; n < count; n++) {
    float *row = (float *)logits->data + n * classes;
    double most = -INFINITY, sum = 0;
    for (gint64 c = 0; c < classes; c++) most = fmax(most, (double)row[c]);
    for (gint64 c = 0; c < classes; c++) sum += exp((double)row[c] - most);
    if (labels[n] >= 0) *loss += (log(sum) + most - (double)row[labels[n]]) / (double)count;
    for (gint64 c = 0; c < classes; c++)
      row[c] =
          labels[n] < 0 ? 0 : (float)(weight * (exp((double)row[c] - most) / sum - (c == labels[n])) / (double)count);
  }
  return DVT_OK;
}

static int head_backward(const struct dvt_aligner_host *host, uint32_t number, uint32_t network,
                         const struct dvt_tensor *logit_gradient, struct dvt_tensor *feature_gradient,
                         struct dvt_error *fault) {
  struct aligner_rig *rig = rig_of(host);
  const struct tied_head *head = find_head(rig, number, network);
  if (!head || !head->flown[network]) return misuse(rig, fault, "head_backward was called without head_forward before");
  if (!feature_gradient) return DVT_OK;
  if (logit_gradient->shape[0] != feature_gradient->shape[0] || logit_gradient->shape[1] != head->classes ||
      !tensor_is_maps(feature_gradient, PAPER_BATCH, rig->networks[network]->features))
    return misuse(rig, fault, "head_backward was called with gradients in other shapes than logits and features");
  const gint64 channels = feature_gradient->shape[1], area = feature_gradient->shape[2] * feature_gradient->shape[3];
  const float *from = logit_gradient->data;
  float *to = feature_gradient->data;
  for (gint64 n = 0; n < feature_gradient->shape[0]; n++)
    for (gint64 f = 0; f < channels; f++) {
      double sum = 0;
      for (guint c = 0; c < head->classes; c++)
        sum += (double)head->weights[c * channels + f] * (double)from[n * head->classes + c] / (double)area;
      for (gint64 k = 0; k < area; k++) to[(n * channels + f) * area + k] += (float)sum;
    }
  return DVT_OK;
}

void aligner_host_init(struct aligner_rig *rig) {
  rig->host = (struct dvt_aligner_host){.struct_size = sizeof rig->host,
                                        .base = &rig->probe->watch.services.table,
                                        .context = rig,
                                        .make_head = make_head,
                                        .head_forward = head_forward,
                                        .cross_entropy = cross_entropy,
                                        .head_backward = head_backward};
}

gboolean aligner_has(const struct aligner_rig *rig, enum hook hook) {
  if (hook == HOOK_FEATURE) return rig->ops->feature_loss != NULL;
  return hook == HOOK_VIEW ? rig->ops->view_loss != NULL : rig->ops->joint_loss != NULL;
}

guint aligner_calls(const struct aligner_rig *rig, enum hook hook) {
  if (!aligner_has(rig, hook)) return 0;
  return hook == HOOK_JOINT ? 1 : rig->cast->count;
}

void aligner_set_step(struct aligner_rig *rig, guint64 step) {
  for (guint t = 0; t < rig->cast->count; t++) {
    rig->papers[t].batch.step = step;
    rig->papers[t].batch.epoch = step / 4;
  }
}

void aligner_set_gradients(struct aligner_rig *rig, float value) {
  for (guint t = 0; t < rig->cast->count; t++)
    for (gsize k = 0; k < rig->papers[t].gradient.size / sizeof value; k++)
      ((float *)rig->papers[t].gradient.data)[k] = value;
}

static int call_own(struct aligner_rig *rig, enum hook hook, guint index, double *loss, struct dvt_error *fault) {
  struct paper *paper = &rig->papers[index];
  const struct dvt_tensor features = tensor_maps(paper->features.data, PAPER_BATCH, paper->network.features);
  struct dvt_tensor gradient = tensor_maps(paper->gradient.data, PAPER_BATCH, paper->network.features);
  struct dvt_tensor *wanted = paper->network.frozen ? NULL : &gradient;
  if (hook == HOOK_FEATURE) return rig->ops->feature_loss(rig->self, &paper->batch, &features, wanted, loss, fault);
  struct dvt_tensor view = tensor_maps(paper->view.data, PAPER_BATCH, paper->network.image);
  const int status = rig->ops->make_view(rig->self, &paper->batch, &view, fault);
  return status == DVT_OK ? rig->ops->view_loss(rig->self, &paper->batch, &features, wanted, loss, fault) : status;
}

static int call_joint(struct aligner_rig *rig, double *loss, struct dvt_error *fault) {
  const struct dvt_batch *batches[MOST_NETWORKS];
  struct dvt_tensor features[MOST_NETWORKS], gradients[MOST_NETWORKS];
  const struct dvt_tensor *feature_list[MOST_NETWORKS];
  struct dvt_tensor *gradient_list[MOST_NETWORKS];
  for (guint t = 0; t < rig->cast->count; t++) {
    struct paper *paper = &rig->papers[t];
    batches[t] = &paper->batch;
    features[t] = tensor_maps(paper->features.data, PAPER_BATCH, paper->network.features);
    gradients[t] = tensor_maps(paper->gradient.data, PAPER_BATCH, paper->network.features);
    feature_list[t] = &features[t];
    gradient_list[t] = paper->network.frozen ? NULL : &gradients[t];
  }
  return rig->ops->joint_loss(rig->self, batches, feature_list, gradient_list, rig->cast->count, loss, fault);
}

static int call_hook(struct aligner_rig *rig, enum hook hook, guint index, double *loss, struct dvt_error *fault) {
  if (hook == HOOK_JOINT) return call_joint(rig, loss, fault);
  rig->papers[index].in_hook = TRUE;
  const int status = call_own(rig, hook, index, loss, fault);
  rig->papers[index].in_hook = FALSE;
  return status;
}

gboolean aligner_call(struct aligner_rig *rig, enum hook hook, guint index, double *loss) {
  struct dvt_error fault = DVT_ERROR_INIT;
  *loss = (double)NAN;
  const int status = call_hook(rig, hook, index, loss, &fault);
  return probe_called(rig->probe, hook_names[hook], &fault, status) &&
         (isfinite(*loss) || probe_fail(rig->probe, "%s set *loss to %g, or not at all", hook_names[hook], *loss));
}

gboolean aligner_swallows(struct aligner_rig *rig, enum hook hook, guint index) {
  struct dvt_error fault = DVT_ERROR_INIT;
  const guint failures = rig->head_failures;
  double loss;
  return call_hook(rig, hook, index, &loss, &fault) == DVT_OK && rig->head_failures > failures;
}

gboolean aligner_step(struct aligner_rig *rig, guint64 step, struct record *record) {
  aligner_set_step(rig, step);
  for (enum hook hook = 0; hook < HOOKS; hook++) {
    aligner_set_gradients(rig, 0);
    for (guint t = 0; t < aligner_calls(rig, hook); t++) {
      double loss;
      if (hook == HOOK_VIEW && rig->networks[t]->frozen) continue;
      if (!aligner_call(rig, hook, t, &loss)) return FALSE;
      record_number(record, hook_names[hook], loss);
    }
    for (guint t = 0; aligner_has(rig, hook) && t < rig->cast->count; t++)
      record_floats(record, "gradient", rig->papers[t].gradient.data, rig->papers[t].gradient.size / sizeof(float));
  }
  return TRUE;
}
