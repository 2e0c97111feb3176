/* SPDX-License-Identifier: MIT */
#include "resnet.h"

#include <dovetail/plugin.h>
#include <stdlib.h>
#include <string.h>

enum { PARAM_SPLIT = RESNET_PARAM_COUNT };

struct head {
  struct nn_module module;
  struct resnet resnet;
  char *split; /* where to go on; "": where the features come from */
};

static void destroy(void *module) {
  struct head *self = module;
  if (!self) return;
  nn_module_finish(&self->module);
  free(self->split);
  free(self);
}

static int create(const struct dvt_value *values, void **out, struct dvt_error *error) {
  struct head *self = calloc(1, sizeof *self);
  if (!self) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  int status = resnet_from_values(&self->resnet, values, error);
  if (status != DVT_OK) goto cleanup;
  self->split = strdup(values[PARAM_SPLIT].string);
  if (!self->split) {
    status = dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
    goto cleanup;
  }
  *out = self;
  return DVT_OK;
cleanup:
  destroy(self);
  return status;
}

static const char *split_of(const struct head *self, const struct dvt_module_config *config) {
  if (self->split[0]) return self->split;
  return config->split ? config->split : "?";
}

static int unknown_split(const struct head *self, const char *split, struct dvt_error *error) {
  char known[256];
  resnet_split_list(&self->resnet, known, sizeof known);
  if (self->split[0]) return dvt_fail(error, DVT_ERROR_ARGUMENT, "no split '%s'; known: %s", split, known);
  return dvt_fail(error, DVT_ERROR_ARGUMENT,
                  "the features come from '%s', which is no split of this ResNet; set its parameter split to one of: "
                  "%s",
                  split, known);
}

static int check_features(const struct head *self, int unit, const struct dvt_module_config *config,
                          struct dvt_error *error) {
  const int64_t *input = config->input, channels = resnet_channels(&self->resnet, unit);
  const bool mean = unit == resnet_unit_count(&self->resnet) - 1;
  if (input[0] == channels && (!mean || (input[1] == 1 && input[2] == 1))) return DVT_OK;
  return dvt_fail(error, DVT_ERROR_ARGUMENT, "got features of %lldx%lldx%lld; expected %lld channels%s after %s",
                  (long long)input[0], (long long)input[1], (long long)input[2], (long long)channels,
                  mean ? " of 1x1" : "", split_of(self, config));
}

static int init(void *module, const struct dvt_host *host, const struct dvt_module_config *config,
                struct dvt_error *error) {
  struct head *self = module;
  const char *split = split_of(self, config);
  const int unit = resnet_find_split(&self->resnet, split);
  if (unit < 0) return unknown_split(self, split, error);
  const int status = check_features(self, unit, config, error);
  if (status != DVT_OK) return status;
  struct nn_graph *graph = nn_graph_new(config->input);
  if (graph) {
    const int mean = resnet_build(&self->resnet, graph, NN_INPUT, unit + 1, resnet_unit_count(&self->resnet));
    nn_output(graph, nn_linear(graph, mean, "linear", config->classes));
  }
  return nn_module_init(&self->module, host, graph, error);
}

static const struct dvt_module_ops ops = {
    NN_MODULE_OPS,
    .create = create,
    .destroy = destroy,
    .init = init,
};

static const struct dvt_param params[] = {
    RESNET_PARAMS,
    {.name = "split",
     .type = DVT_TYPE_STRING,
     .initial = "",
     .doc = "Where to go on, for features of another backbone; without it, the split that the features come from"},
};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_HEAD,
    .name = "resnet-tail",
    .version = "1.0.0",
    .description = "The rest of a ResNet after one of its splits, with a linear layer at its end",
    .author = "The Dovetail authors",
    .licence = "MIT",
    DVT_PARAMS(params),
    .ops = &ops,
};
