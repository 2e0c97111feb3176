/* SPDX-License-Identifier: MIT */
/* Common classes: one head, shared by all networks, also tells the classes that their tasks have in common (Gygli,
 * Uijlings and Ferrari 2020, section 3). */
#include <dovetail/dovetail.h>
#include <stdlib.h>
#include <string.h>

#include "classes.h"

enum { CLASSES };

static const struct dvt_param params[] = {
    {"classes", DVT_TYPE_STRINGS, 0, "", 0, 0, NULL, NULL,
     "The common classes: names, or labels in the task of the first network; empty: all that the tasks share."},
};

/* From one network's labels to the head's. */
struct mapping {
  int32_t *common; /* by label of the task: label of the head, or -1 */
  int32_t *labels; /* [batch]: of the head */
};

struct common_classes {
  const struct dvt_aligner_host *host;
  char **wanted; /* as the experiment says; [wanted_count] */
  uint32_t wanted_count, network_count, head;
  struct mapping *mappings; /* by network */
};

static int out_of_memory(struct dvt_error *error) { return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory"); }

static void destroy(void *aligner) {
  struct common_classes *self = aligner;
  if (!self) return;
  for (uint32_t t = 0; self->mappings && t < self->network_count; t++) {
    free(self->mappings[t].common);
    free(self->mappings[t].labels);
  }
  for (uint32_t k = 0; self->wanted && k < self->wanted_count; k++) free(self->wanted[k]);
  free(self->mappings);
  free(self->wanted);
  free(self);
}

static int copy_wanted(struct common_classes *self, const struct dvt_value *value) {
  self->wanted_count = value->count;
  self->wanted = calloc(value->count + 1, sizeof *self->wanted);
  for (uint32_t k = 0; self->wanted && k < value->count; k++)
    if (!(self->wanted[k] = strdup(value->strings[k]))) return 0;
  return self->wanted != NULL;
}

static int create(const struct dvt_value *values, void **aligner, struct dvt_error *error) {
  struct common_classes *self = calloc(1, sizeof *self);
  if (!self || !copy_wanted(self, &values[CLASSES])) {
    destroy(self);
    return out_of_memory(error);
  }
  *aligner = self;
  return DVT_OK;
}

static int map(struct mapping *mapping, const struct dvt_network *network, const char *const *names, uint32_t count) {
  mapping->common = malloc(network->class_count * sizeof *mapping->common);
  mapping->labels = malloc(network->batch * sizeof *mapping->labels);
  if (!mapping->common || !mapping->labels) return 0;
  for (uint32_t label = 0; label < network->class_count; label++) mapping->common[label] = -1;
  for (uint32_t k = 0; k < count; k++) mapping->common[class_label(network, names[k])] = (int32_t)k;
  return 1;
}

static int prepare(struct common_classes *self, const struct dvt_network *const *networks, const char **names,
                   struct dvt_error *error) {
  struct dvt_head_request request = {.struct_size = sizeof request, .name = "common-classes", .class_names = names};
  const int status = classes_choose(networks, self->network_count, (const char *const *)self->wanted,
                                    self->wanted_count, names, &request.classes, error);
  if (status != DVT_OK) return status;
  for (uint32_t t = 0; t < self->network_count; t++)
    if (!map(&self->mappings[t], networks[t], names, request.classes)) return out_of_memory(error);
  return self->host->make_head(self->host, &request, &self->head, error);
}

static int init(void *aligner, const struct dvt_aligner_host *host, const struct dvt_network *const *networks,
                uint32_t count, struct dvt_error *error) {
  struct common_classes *self = aligner;
  self->host = host;
  self->network_count = count;
  self->mappings = calloc(count, sizeof *self->mappings);
  const char **names = calloc(networks[0]->class_count, sizeof *names);
  const int status = self->mappings && names ? prepare(self, networks, names, error) : out_of_memory(error);
  free(names);
  return status;
}

static int feature_loss(void *aligner, const struct dvt_batch *batch, const struct dvt_tensor *features,
                        struct dvt_tensor *gradient, double *loss, struct dvt_error *error) {
  const struct common_classes *self = aligner;
  const struct dvt_aligner_host *host = self->host;
  const struct mapping *mapping = &self->mappings[batch->network];
  for (uint32_t k = 0; k < batch->count; k++) mapping->labels[k] = mapping->common[batch->labels[k]];
  struct dvt_tensor logits;
  int status = host->head_forward(host, self->head, batch->network, features, &logits, error);
  if (status == DVT_OK) status = host->cross_entropy(host, &logits, mapping->labels, batch->weight, loss, error);
  if (status == DVT_OK) status = host->head_backward(host, self->head, batch->network, &logits, gradient, error);
  return status;
}

static const struct dvt_aligner_ops ops = {
    .struct_size = sizeof ops,
    .create = create,
    .destroy = destroy,
    .init = init,
    .feature_loss = feature_loss,
};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_ALIGNER,
    .name = "common-classes",
    .version = "1.0.0",
    .description = "A shared auxiliary head tells the classes that the tasks have in common",
    .author = "The Dovetail authors",
    .licence = "MIT",
    DVT_PARAMS(params),
    .ops = &ops,
};
