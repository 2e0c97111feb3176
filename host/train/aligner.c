/* SPDX-License-Identifier: MIT */
#include "train/aligner.h"

#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "plugin/fault.h"
#include "plugin/tensors.h"
#include "train/loss.h"

static void auxiliary_stop(struct auxiliary *auxiliary) {
  for (guint t = 0; t < auxiliary->pass_count; t++) {
    pass_free(auxiliary->passes[t]);
    guard_free(auxiliary->logits[t]);
    guard_free(auxiliary->scratch[t]);
  }
  auxiliary->pass_count = 0;
  g_clear_pointer(&auxiliary->has_run, g_free);
  g_clear_pointer(&auxiliary->passes, g_free);
  g_clear_pointer(&auxiliary->logits, g_free);
  g_clear_pointer(&auxiliary->scratch, g_free);
}

static void auxiliary_free(gpointer data) {
  struct auxiliary *auxiliary = data;
  auxiliary_stop(auxiliary);
  g_strfreev(auxiliary->class_names);
  module_free(auxiliary->module);
  g_free(auxiliary->name);
  g_free(auxiliary);
}

static int plugin_error(struct dvt_error *fault, int status, GError *error) {
  dvt_fail(fault, status, "%s", error->message);
  g_error_free(error);
  return status;
}

/* A head that all networks share takes one shape. */
static int check_features(const struct composition *composition, struct dvt_error *fault) {
  const struct dvt_network *first = &composition->networks[0].view;
  for (guint t = 1; t < composition->network_count; t++) {
    const struct dvt_network *other = &composition->networks[t].view;
    if (memcmp(first->features, other->features, sizeof first->features) != 0)
      return dvt_fail(fault, DVT_ERROR_ARGUMENT,
                      "network %s has features of %d x %d x %d after %s, network %s of %d x %d x %d after %s; an "
                      "auxiliary head needs features of one shape",
                      first->name, (int)first->features[0], (int)first->features[1], (int)first->features[2],
                      first->split, other->name, (int)other->features[0], (int)other->features[1],
                      (int)other->features[2], other->split);
  }
  return DVT_OK;
}

static gboolean name_taken(const struct aligner *aligner, const char *name) {
  for (guint k = 0; k < aligner->auxiliaries->len; k++) {
    const struct auxiliary *other = g_ptr_array_index(aligner->auxiliaries, k);
    if (!strcmp(other->name, name)) return TRUE;
  }
  return FALSE;
}

static char **copy_names(const struct dvt_head_request *request) {
  if (!DVT_HAS(request, class_names) || !request->class_names) return NULL;
  char **names = g_new0(char *, request->classes + 1);
  for (guint k = 0; k < request->classes; k++) names[k] = g_strdup(request->class_names[k]);
  return names;
}

static int make_head(const struct dvt_aligner_host *host, const struct dvt_head_request *request, uint32_t *head,
                     struct dvt_error *fault) {
  struct aligner *aligner = host->context;
  struct composition *composition = aligner->composition;
  const struct network *first = &composition->networks[0];
  if (!aligner->in_init) return dvt_fail(fault, DVT_ERROR_ARGUMENT, "make_head may be called during init alone");
  if (!request->name || !request->name[0] || !request->classes)
    return dvt_fail(fault, DVT_ERROR_ARGUMENT, "an auxiliary head needs a name and at least one class");
  if (name_taken(aligner, request->name))
    return dvt_fail(fault, DVT_ERROR_ARGUMENT, "two auxiliary heads of one name, '%s'", request->name);
  const int agree = check_features(composition, fault);
  if (agree != DVT_OK) return agree;
  GError *error = NULL;
  g_autofree char *label = g_strdup_printf("aligner %s: auxiliary head %s", aligner->name, request->name);
  struct auxiliary *auxiliary = g_new0(struct auxiliary, 1);
  auxiliary->name = g_strdup(request->name);
  auxiliary->class_names = copy_names(request);
  auxiliary->use = first->spec->head;
  if (request->plugin) auxiliary->use = (struct plugin_use){request->plugin, aligner->spec->use.mark, NULL};
  auxiliary->module = composition_head(composition, &auxiliary->use, first->extractor, first->spec->split,
                                       request->classes, label, &error);
  if (!auxiliary->module) {
    auxiliary_free(auxiliary);
    return plugin_error(fault, DVT_ERROR_ARGUMENT, error);
  }
  *head = aligner->auxiliaries->len;
  g_ptr_array_add(aligner->auxiliaries, auxiliary);
  return DVT_OK;
}

static struct auxiliary *in_flight(const struct aligner *aligner, uint32_t head, uint32_t network,
                                   struct dvt_error *fault) {
  struct auxiliary *auxiliary = NULL;
  if (head < aligner->auxiliaries->len) auxiliary = g_ptr_array_index(aligner->auxiliaries, head);
  if (!auxiliary || network >= aligner->composition->network_count) {
    dvt_fail(fault, DVT_ERROR_ARGUMENT, "there is no auxiliary head %u of network %u", head, network);
    return NULL;
  }
  if (!auxiliary->pass_count || !aligner->in_hook[network]) {
    dvt_fail(fault, DVT_ERROR_ARGUMENT, "auxiliary heads run in feature_loss and view_loss alone, for their network");
    return NULL;
  }
  return auxiliary;
}

static const struct dvt_network *network_of(const struct dvt_aligner_host *host, uint32_t network) {
  return &((const struct aligner *)host->context)->composition->networks[network].view;
}

static int head_forward(const struct dvt_aligner_host *host, uint32_t head, uint32_t network,
                        const struct dvt_tensor *features, struct dvt_tensor *logits, struct dvt_error *fault) {
  struct auxiliary *auxiliary = in_flight(host->context, head, network, fault);
  if (!auxiliary) return DVT_ERROR_ARGUMENT;
  const struct dvt_network *of = network_of(host, network);
  if (!tensor_is_maps(features, of->batch, of->features))
    return dvt_fail(fault, DVT_ERROR_ARGUMENT,
                    "head_forward takes features of the network's shape, of at most %u examples", of->batch);
  GError *error = NULL;
  *logits = tensor_logits(auxiliary->logits[network], (guint)features->shape[0], auxiliary->module->output[0]);
  if (!pass_forward(auxiliary->passes[network], features, logits, &error))
    return plugin_error(fault, DVT_ERROR_INTERNAL, error);
  auxiliary->has_run[network] = TRUE;
  return DVT_OK;
}

static int cross_entropy(const struct dvt_aligner_host *host, struct dvt_tensor *logits, const int32_t *labels,
                         double weight, double *loss, struct dvt_error *fault) {
  (void)host;
  for (int64_t k = 0; k < logits->shape[0]; k++)
    if (labels[k] >= logits->shape[1])
      return dvt_fail(fault, DVT_ERROR_ARGUMENT, "cross_entropy: label %d of %d classes", (int)labels[k],
                      (int)logits->shape[1]);
  *loss = loss_cross_entropy(logits->data, (guint)logits->shape[0], (guint)logits->shape[1], labels, weight, NULL);
  return DVT_OK;
}

static void add(float *restrict sum, const float *restrict term, gsize count) {
  for (gsize k = 0; k < count; k++) sum[k] += term[k];
}

static int head_backward(const struct dvt_aligner_host *host, uint32_t head, uint32_t network,
                         const struct dvt_tensor *logit_gradient, struct dvt_tensor *feature_gradient,
                         struct dvt_error *fault) {
  struct auxiliary *auxiliary = in_flight(host->context, head, network, fault);
  if (!auxiliary) return DVT_ERROR_ARGUMENT;
  const struct dvt_network *of = network_of(host, network);
  GError *error = NULL;
  struct dvt_tensor own;
  if (!auxiliary->has_run[network])
    return dvt_fail(fault, DVT_ERROR_ARGUMENT, "head_backward comes after head_forward, in the same step");
  if (logit_gradient->rank != 2 || logit_gradient->shape[1] != auxiliary->module->output[0] ||
      (feature_gradient && (!tensor_is_maps(feature_gradient, of->batch, of->features) ||
                            feature_gradient->shape[0] != logit_gradient->shape[0])))
    return dvt_fail(fault, DVT_ERROR_ARGUMENT, "head_backward takes gradients in the shapes of logits and features");
  if (feature_gradient) {
    own = *feature_gradient;
    own.data = auxiliary->scratch[network];
  }
  if (!pass_backward(auxiliary->passes[network], logit_gradient, feature_gradient ? &own : NULL, &error))
    return plugin_error(fault, DVT_ERROR_INTERNAL, error);
  if (feature_gradient) add(feature_gradient->data, own.data, (gsize)dvt_tensor_count(&own));
  return DVT_OK;
}

static gboolean is_aligner(const struct composition *composition, const char *name) {
  for (guint k = 0; k < composition->aligner_count; k++)
    if (!g_strcmp0(composition->aligners[k].name, name)) return TRUE;
  return FALSE;
}

/* The plugin's name, with a number when another aligner has it. */
static char *unique_name(const struct composition *composition, const char *plugin) {
  char *name = g_strdup(plugin);
  for (guint number = 2; is_aligner(composition, name); number++) {
    g_free(name);
    name = g_strdup_printf("%s-%u", plugin, number);
  }
  return name;
}

/* Networks and aligners name components and random streams: no two may have one name. */
static gboolean check_name(const struct aligner *aligner, GError **error) {
  for (guint t = 0; t < aligner->composition->network_count; t++)
    if (!strcmp(aligner->composition->networks[t].spec->name, aligner->name))
      return error_at(error, aligner->composition->networks[t].spec->mark,
                      "network '%s' has the name of an aligner; give it another", aligner->name);
  return TRUE;
}

/* Pairs of images exist only where networks have the same examples and classes. */
static gboolean check_pairs(const struct aligner *aligner, GError **error) {
  const struct network *networks = aligner->composition->networks;
  for (guint t = 1; (aligner->ops->flags & DVT_ALIGNER_PAIRED) && t < aligner->composition->network_count; t++)
    if (networks[t].task != networks[0].task)
      return error_at(error, aligner->spec->use.mark,
                      "aligner %s needs the same images in every network; %s and %s have different data or classes",
                      aligner->name, networks[0].spec->name, networks[t].spec->name);
  return TRUE;
}

static void fill_host(struct aligner *aligner) {
  g_autofree char *owner = g_strdup_printf("aligner %s", aligner->name);
  aligner->host = (struct dvt_aligner_host){
      .struct_size = sizeof aligner->host,
      .base = composition_services(aligner->composition, owner),
      .context = aligner,
      .make_head = make_head,
      .head_forward = head_forward,
      .cross_entropy = cross_entropy,
      .head_backward = head_backward,
  };
}

/* create and init of the plugin; only in between may it ask for heads. */
static gboolean begin(struct aligner *aligner, const struct values *values, GError **error) {
  const struct composition *composition = aligner->composition;
  struct dvt_error fault = DVT_ERROR_INIT;
  int status = aligner->ops->create(values->value, &aligner->self, &fault);
  aligner->in_init = TRUE;
  if (status == DVT_OK)
    status = aligner->ops->init(aligner->self, &aligner->host, composition->views, composition->network_count, &fault);
  aligner->in_init = FALSE;
  if (status == DVT_OK) return TRUE;
  g_autofree char *text = fault_text(&fault, status);
  return error_at(error, fault_mark(&fault, &aligner->spec->use), "aligner %s: %s", aligner->name, text);
}

gboolean aligner_init(struct aligner *aligner, struct composition *composition, const struct aligner_spec *spec,
                      GError **error) {
  const struct plugin_use *use = &spec->use;
  const struct registry_plugin *found =
      registry_find(composition->registry, DVT_KIND_ALIGNER, use->plugin, use->mark, error);
  if (!found) return FALSE;
  aligner->spec = spec;
  aligner->plugin = found->descriptor;
  aligner->ops = found->descriptor->ops;
  aligner->composition = composition;
  aligner->frozen = spec->from.path || composition->stage > 0;
  aligner->name = unique_name(composition, found->descriptor->name);
  aligner->auxiliaries = g_ptr_array_new_with_free_func(auxiliary_free);
  aligner->in_hook = g_new0(gboolean, composition->network_count);
  fill_host(aligner);
  const struct values *values = composition_values(composition, found->descriptor, use, error);
  return values && check_name(aligner, error) && check_pairs(aligner, error) && begin(aligner, values, error);
}

void aligner_finish(struct aligner *aligner) {
  if (aligner->self) aligner->ops->destroy(aligner->self);
  if (aligner->auxiliaries) g_ptr_array_unref(aligner->auxiliaries);
  g_free(aligner->in_hook);
  g_free(aligner->name);
}

gboolean aligner_heeds(const struct aligner *aligner, guint t) {
  return !aligner->composition->networks[t].view.frozen ||
         (aligner->ops->feature_loss && aligner->auxiliaries->len && !aligner->frozen);
}

static gboolean auxiliary_start(struct auxiliary *auxiliary, const struct aligner *aligner,
                                const struct dvt_pass_config *config, GError **error) {
  const struct module *module = auxiliary->module;
  const gsize features = (gsize)(module->input[0] * module->input[1] * module->input[2]);
  auxiliary->pass_count = aligner->composition->network_count;
  auxiliary->has_run = g_new0(gboolean, auxiliary->pass_count);
  auxiliary->passes = g_new0(struct pass *, auxiliary->pass_count);
  auxiliary->logits = g_new0(float *, auxiliary->pass_count);
  auxiliary->scratch = g_new0(float *, auxiliary->pass_count);
  for (guint t = 0; t < auxiliary->pass_count; t++)
    if (aligner_heeds(aligner, t) &&
        (!(auxiliary->passes[t] = pass_new(auxiliary->module, config, !aligner->frozen, error)) ||
         !(auxiliary->logits[t] = guard_floats(config->capacity * (gsize)module->output[0], error)) ||
         !(auxiliary->scratch[t] = guard_floats(config->capacity * features, error))))
      return FALSE;
  return TRUE;
}

gboolean aligner_start(struct aligner *aligner, guint threads, enum dvt_precision precision, GError **error) {
  const struct dvt_pass_config config = {
      .struct_size = sizeof config,
      .flags = DVT_PASS_BACKWARD | (aligner->frozen ? 0 : DVT_PASS_BATCH_STATISTICS),
      .capacity = aligner->composition->experiment->train.batch,
      .threads = threads,
      .precision = precision,
  };
  for (guint k = 0; k < aligner->auxiliaries->len; k++)
    if (!auxiliary_start(g_ptr_array_index(aligner->auxiliaries, k), aligner, &config, error)) return FALSE;
  return TRUE;
}

void aligner_stop(struct aligner *aligner) {
  for (guint k = 0; k < aligner->auxiliaries->len; k++) auxiliary_stop(g_ptr_array_index(aligner->auxiliaries, k));
}

gboolean aligners_paired(const struct composition *composition) {
  for (guint k = 0; k < composition->aligner_count; k++)
    if (composition->aligners[k].ops->flags & DVT_ALIGNER_PAIRED) return TRUE;
  return FALSE;
}
