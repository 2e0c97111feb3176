/* SPDX-License-Identifier: MIT */
#include "nn.h"

#include <dovetail/plugin.h>
#include <stdlib.h>

static int create(const struct dvt_value *values, void **out, struct dvt_error *error) {
  (void)values;
  struct nn_module *module = calloc(1, sizeof *module);
  if (!module) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  *out = module;
  return DVT_OK;
}

static void destroy(void *module) {
  if (module) nn_module_finish(module);
  free(module);
}

static int init(void *module, const struct dvt_host *host, const struct dvt_module_config *config,
                struct dvt_error *error) {
  struct nn_graph *graph = nn_graph_new(config->input);
  if (graph) nn_output(graph, nn_linear(graph, nn_global_mean(graph, NN_INPUT, "mean"), "linear", config->classes));
  return nn_module_init(module, host, graph, error);
}

static const struct dvt_module_ops ops = {
    NN_MODULE_OPS,
    .create = create,
    .destroy = destroy,
    .init = init,
};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_HEAD,
    .name = "linear",
    .version = "1.0.0",
    .description = "Mean over the map and a linear layer",
    .author = "The Dovetail authors",
    .licence = "MIT",
    .ops = &ops,
};
