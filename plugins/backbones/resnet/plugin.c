/* SPDX-License-Identifier: MIT */
#include "resnet.h"

#include <dovetail/plugin.h>
#include <stdlib.h>

struct named_split {
  struct dvt_split split;
  char name[32];
};

struct backbone {
  struct nn_module module;
  struct resnet resnet;
  struct named_split *splits;
  uint32_t split_count;
};

static int create(const struct dvt_value *values, void **out, struct dvt_error *error) {
  struct backbone *self = calloc(1, sizeof *self);
  if (!self) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  const int status = resnet_from_values(&self->resnet, values, error);
  if (status != DVT_OK) {
    free(self);
    return status;
  }
  *out = self;
  return DVT_OK;
}

static void destroy(void *module) {
  struct backbone *self = module;
  if (!self) return;
  nn_module_finish(&self->module);
  free(self->splits);
  free(self);
}

/* Maps get half as large where the second and third stage begin. */
static void shape_after(const struct resnet *resnet, const int64_t image[3], int unit, int64_t shape[3]) {
  const bool mean = unit == resnet_unit_count(resnet) - 1;
  shape[0] = resnet_channels(resnet, unit);
  for (int axis = 1; axis < 3; axis++) {
    shape[axis] = image[axis];
    for (int64_t width = resnet->width; width < shape[0]; width *= 2) shape[axis] = (shape[axis] + 1) / 2;
    if (mean) shape[axis] = 1;
  }
}

static int list_splits(struct backbone *self, const int64_t image[3], struct dvt_error *error) {
  self->split_count = (uint32_t)resnet_split_count(&self->resnet);
  self->splits = calloc(self->split_count, sizeof *self->splits);
  if (!self->splits) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  for (uint32_t k = 0; k < self->split_count; k++) {
    struct named_split *entry = &self->splits[k];
    const int unit = resnet_split(&self->resnet, (int)k, entry->name);
    entry->split.struct_size = sizeof entry->split;
    entry->split.name = entry->name;
    shape_after(&self->resnet, image, unit, entry->split.shape);
  }
  return DVT_OK;
}

static int init(void *module, const struct dvt_host *host, const struct dvt_module_config *config,
                struct dvt_error *error) {
  struct backbone *self = module;
  const int last =
      config->split ? resnet_find_split(&self->resnet, config->split) : resnet_unit_count(&self->resnet) - 1;
  if (last < 0) {
    char known[256];
    resnet_split_list(&self->resnet, known, sizeof known);
    return dvt_fail(error, DVT_ERROR_ARGUMENT, "no split '%s'; known: %s", config->split, known);
  }
  const int status = list_splits(self, config->input, error);
  if (status != DVT_OK) return status;
  struct nn_graph *graph = nn_graph_new(config->input);
  if (graph) nn_output(graph, resnet_build(&self->resnet, graph, NN_INPUT, 0, last + 1));
  return nn_module_init(&self->module, host, graph, error);
}

static const struct dvt_split *split(const void *module, uint32_t index) {
  const struct backbone *self = module;
  return index < self->split_count ? &self->splits[index].split : NULL;
}

static const struct dvt_module_ops ops = {
    NN_MODULE_OPS, .create = create, .destroy = destroy, .init = init, .split = split,
};

static const struct dvt_param params[] = {RESNET_PARAMS};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_BACKBONE,
    .name = "resnet",
    .version = "1.0.0",
    .description = "ResNets for small images, of any depth 6n + 2 (He et al. 2015, section 4.2)",
    .author = "The Dovetail authors",
    .licence = "MIT",
    DVT_PARAMS(params),
    .ops = &ops,
};
