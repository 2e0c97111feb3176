/* SPDX-License-Identifier: MIT */
/* Shared initialisation: a weight starts from the values of the first network that has it (Gygli, Uijlings and Ferrari
 * 2020, section 3), where component, name and shape are the same. */
#include <dovetail/dovetail.h>
#include <stdlib.h>
#include <string.h>

#include "../names.h"

struct shared_init {
  const struct dvt_network *const *networks;
  uint32_t count;
};

static int create(const struct dvt_value *values, void **aligner, struct dvt_error *error) {
  (void)values;
  *aligner = calloc(1, sizeof(struct shared_init));
  return *aligner ? DVT_OK : dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
}

static void destroy(void *aligner) { free(aligner); }

static int same_shape(const struct dvt_tensor *a, const struct dvt_tensor *b) {
  return a->rank == b->rank && !memcmp(a->shape, b->shape, a->rank * sizeof *a->shape);
}

/* The weight of a network that is shared with `weight` of another, or NULL. */
static const struct dvt_network_weight *counterpart(const struct dvt_network *network,
                                                    const struct dvt_network_weight *weight) {
  for (uint32_t k = 0; k < network->weight_count; k++) {
    const struct dvt_network_weight *other = network->weights[k];
    if (other->component == weight->component && !strcmp(other->name, weight->name))
      return same_shape(&other->value, &weight->value) ? other : NULL;
  }
  return NULL;
}

/* The first of the networks before t that shares a weight of t, which starts from its values; t: none. */
static uint32_t source(const struct dvt_network *const *networks, uint32_t t, const struct dvt_network_weight *weight) {
  uint32_t before = 0;
  while (before < t && !counterpart(networks[before], weight)) before++;
  return before;
}

static uint32_t count_shared(const struct dvt_network *const *networks, uint32_t t) {
  uint32_t shared = 0;
  for (uint32_t k = 0; k < networks[t]->weight_count; k++) shared += source(networks, t, networks[t]->weights[k]) < t;
  return shared;
}

/* A network that is trained and would give its values to the frozen network t; t: none. */
static uint32_t trained_source(const struct dvt_network *const *networks, uint32_t t) {
  if (!networks[0]->frozen) return 0;
  for (uint32_t k = 0; k < networks[t]->weight_count; k++) {
    const uint32_t from = source(networks, t, networks[t]->weights[k]);
    if (from < t && !networks[from]->frozen) return from;
  }
  return t;
}

static int check_frozen(const struct dvt_network *const *networks, uint32_t t, struct dvt_error *error) {
  const uint32_t from = trained_source(networks, t);
  if (from == t) return DVT_OK;
  return dvt_fail(error, DVT_ERROR_ARGUMENT,
                  "network %s is frozen and cannot start with the values of network %s; put it before that one",
                  networks[t]->name, networks[from]->name);
}

/* Says which weights are shared, or, when those are fewer, which are not. */
static void tell(const struct dvt_host *host, const struct dvt_network *const *networks, uint32_t t, uint32_t shared) {
  const struct dvt_network *network = networks[t];
  const uint32_t all = network->weight_count;
  const int tell_shared = shared <= all - shared;
  struct names names = {0};
  for (uint32_t k = 0; k < all; k++)
    if ((source(networks, t, network->weights[k]) < t) == tell_shared) names_add(&names, network->weights[k]->name);
  const char *joint = shared == all ? "" : tell_shared ? ": " : ", all but ";
  char message[NAMES_SIZE + 256];
  snprintf(message, sizeof message, "shared-init: network %s starts with %u of its %u weights from network %s%s%s%s",
           network->name, (unsigned)shared, (unsigned)all, networks[0]->name, t > 1 ? " or another before it" : "",
           joint, names_end(&names));
  host->log(host, DVT_LOG_INFO, message);
}

static int init(void *aligner, const struct dvt_aligner_host *host, const struct dvt_network *const *networks,
                uint32_t count, struct dvt_error *error) {
  struct shared_init *self = aligner;
  self->networks = networks;
  self->count = count;
  for (uint32_t t = 1; t < count; t++) {
    if (networks[t]->frozen) {
      const int status = check_frozen(networks, t, error);
      if (status != DVT_OK) return status;
      continue;
    }
    const uint32_t shared = count_shared(networks, t), all = networks[t]->weight_count;
    if (!shared)
      return dvt_fail(error, DVT_ERROR_ARGUMENT, "network %s has no weight of the same name and shape as network %s%s",
                      networks[t]->name, networks[0]->name, t > 1 ? " or another before it" : "");
    if (shared < all || all < networks[0]->weight_count) tell(host->base, networks, t, shared);
  }
  return DVT_OK;
}

static int initialise(void *aligner, struct dvt_error *error) {
  (void)error;
  const struct shared_init *self = aligner;
  for (uint32_t t = 1; t < self->count; t++)
    for (uint32_t k = 0; k < self->networks[t]->weight_count; k++) {
      const struct dvt_network_weight *to = self->networks[t]->weights[k];
      const uint32_t from = source(self->networks, t, to);
      if (from < t && !to->frozen)
        memcpy(to->value.data, counterpart(self->networks[from], to)->value.data,
               (size_t)dvt_tensor_count(&to->value) * sizeof(float));
    }
  return DVT_OK;
}

static const struct dvt_aligner_ops ops = {
    .struct_size = sizeof ops,
    .create = create,
    .destroy = destroy,
    .init = init,
    .initialise = initialise,
};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_ALIGNER,
    .name = "shared-init",
    .version = "1.0.0",
    .description = "Every network starts from the same initial values",
    .author = "The Dovetail authors",
    .licence = "MIT",
    .ops = &ops,
};
