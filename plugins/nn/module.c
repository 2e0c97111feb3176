/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "graph.h"

int nn_module_init(struct nn_module *module, const struct dvt_host *host, struct nn_graph *graph,
                   struct dvt_error *error) {
  module->host = host;
  module->graph = graph;
  if (!graph) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  if (graph->error.status != DVT_OK) return dvt_fail(error, graph->error.status, "%s", graph->error.message);
  module->values = calloc((size_t)graph->weight_count + 1, sizeof *module->values);
  return module->values ? DVT_OK : dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
}

void nn_module_finish(struct nn_module *module) {
  nn_graph_free(module->graph);
  free(module->values);
}

const struct dvt_weight *nn_module_weight(const void *self, uint32_t index) {
  const struct nn_module *module = self;
  return index < (uint32_t)module->graph->weight_count ? &module->graph->weights[index] : NULL;
}

void nn_module_output_shape(const void *self, int64_t shape[3]) {
  const struct nn_module *module = self;
  nn_shape(module->graph, module->graph->output, shape);
}

void nn_module_bind(void *self, float *const *values) {
  struct nn_module *module = self;
  memcpy(module->values, values, (size_t)module->graph->weight_count * sizeof *values);
}

void nn_module_changed(void *self) {
  struct nn_module *module = self;
  module->generation++;
}
