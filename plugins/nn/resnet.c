/* SPDX-License-Identifier: MIT */
#include "resnet.h"

#include <string.h>

enum { STAGES = 3, NAME = 32 };

const char *const resnet_shortcuts[] = {"projection", "identity", NULL};
const char *const resnet_initialisations[] = {"he", "uniform", NULL};

int resnet_from_values(struct resnet *resnet, const struct dvt_value *values, struct dvt_error *error) {
  const long long depth = values[RESNET_DEPTH].integer, below = (depth - 2) / 6 * 6 + 2;
  if (depth != below)
    return dvt_blame(error,
                     dvt_fail(error, DVT_ERROR_ARGUMENT, "depth %lld is not 6n + 2; the nearest are %lld and %lld",
                              depth, below, below + 6),
                     "depth", 0);
  resnet->blocks = (int)(depth - 2) / 6;
  resnet->width = values[RESNET_WIDTH].integer;
  resnet->projection = !strcmp(values[RESNET_SHORTCUT].string, "projection");
  resnet->initialisation = strcmp(values[RESNET_INITIALISATION].string, "he") ? NN_UNIFORM : NN_HE;
  return DVT_OK;
}

int resnet_unit_count(const struct resnet *resnet) { return 1 + STAGES * resnet->blocks + 1; }

int resnet_split_count(const struct resnet *resnet) { return resnet_unit_count(resnet) + STAGES; }

int resnet_split(const struct resnet *resnet, int index, char name[NAME]) {
  const int stage = (index - 1) / (resnet->blocks + 1), block = (index - 1) % (resnet->blocks + 1);
  if (index == 0) return strcpy(name, "conv1"), 0;
  if (stage == STAGES) return strcpy(name, "avgpool"), resnet_unit_count(resnet) - 1;
  if (block == resnet->blocks) {
    snprintf(name, NAME, "layer%d", stage + 1);
    return (stage + 1) * resnet->blocks;
  }
  snprintf(name, NAME, "layer%d.%d", stage + 1, block);
  return 1 + stage * resnet->blocks + block;
}

int resnet_find_split(const struct resnet *resnet, const char *name) {
  char own[NAME];
  for (int k = 0; k < resnet_split_count(resnet); k++) {
    const int unit = resnet_split(resnet, k, own);
    if (!strcmp(own, name)) return unit;
  }
  return -1;
}

void resnet_split_list(const struct resnet *resnet, char *text, size_t size) {
  const int last = resnet->blocks - 1;
  if (last == 0)
    snprintf(text, size, "conv1, layer1.0, layer1, layer2.0, layer2, layer3.0, layer3, avgpool");
  else
    snprintf(text, size,
             "conv1, layer1.0 to layer1.%d, layer1, layer2.0 to layer2.%d, layer2, layer3.0 to layer3.%d, layer3, "
             "avgpool",
             last, last, last);
}

/* Stage of a unit, 0 to 2; conv1 counts as of the first, the mean as of the last. */
static int stage_of(const struct resnet *resnet, int unit) {
  const int stage = unit < 1 ? 0 : (unit - 1) / resnet->blocks;
  return stage < STAGES ? stage : STAGES - 1;
}

int64_t resnet_channels(const struct resnet *resnet, int unit) { return resnet->width << stage_of(resnet, unit); }

struct block {
  char stem[NAME]; /* layer2.0 */
  int64_t channels, stride;
};

static int conv(struct nn_graph *graph, int value, const struct block *block, const char *name, int64_t kernel,
                int64_t stride) {
  char full[2 * NAME];
  snprintf(full, sizeof full, "%s.%s", block->stem, name);
  return nn_conv(graph, value, full, block->channels, kernel, stride);
}

static int norm(struct nn_graph *graph, int value, const struct block *block, const char *name, bool relu) {
  char full[2 * NAME];
  snprintf(full, sizeof full, "%s.%s", block->stem, name);
  return nn_batch_norm(graph, value, full, relu);
}

static int shortcut(const struct resnet *resnet, struct nn_graph *graph, int value, const struct block *block) {
  char name[2 * NAME];
  if (block->stride == 1) return value;
  if (resnet->projection)
    return norm(graph, conv(graph, value, block, "shortcut.0", 1, block->stride), block, "shortcut.1", false);
  snprintf(name, sizeof name, "%s.shortcut", block->stem);
  return nn_subsample_pad(graph, value, name, block->channels);
}

static int build_block(const struct resnet *resnet, struct nn_graph *graph, int value, int unit) {
  const int stage = stage_of(resnet, unit), index = (unit - 1) % resnet->blocks;
  struct block block = {.channels = resnet_channels(resnet, unit), .stride = stage > 0 && index == 0 ? 2 : 1};
  snprintf(block.stem, sizeof block.stem, "layer%d.%d", stage + 1, index);
  int inner = norm(graph, conv(graph, value, &block, "conv1", 3, block.stride), &block, "bn1", true);
  inner = conv(graph, inner, &block, "conv2", 3, 1);
  char name[2 * NAME];
  snprintf(name, sizeof name, "%s.bn2", block.stem);
  return nn_batch_norm_add_relu(graph, inner, name, shortcut(resnet, graph, value, &block));
}

int resnet_build(const struct resnet *resnet, struct nn_graph *graph, int value, int from, int to) {
  nn_initialisation(graph, resnet->initialisation);
  for (int unit = from; unit < to; unit++) {
    if (unit == 0)
      value = nn_batch_norm(graph, nn_conv(graph, value, "conv1", resnet->width, 3, 1), "bn1", true);
    else if (unit == resnet_unit_count(resnet) - 1)
      value = nn_global_mean(graph, value, "avgpool");
    else
      value = build_block(resnet, graph, value, unit);
  }
  return value;
}
