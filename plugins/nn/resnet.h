/* SPDX-License-Identifier: MIT */
/**
 * The ResNets for small images of He et al., "Deep residual learning for image recognition" (2015), section 4.2, as
 * backbone and head share them: a row of units, `conv1`, the blocks of three stages, and the mean over the map.
 */
#ifndef NN_RESNET_H
#define NN_RESNET_H

#include "nn.h"

struct resnet {
  int blocks;    /**< in each of the three stages */
  int64_t width; /**< channels of the first stage; each later one has twice those before it */
  bool projection;
  enum nn_initialisation initialisation;
};

/** Rows of the parameter table that backbone and head begin with. */
#define RESNET_PARAMS                                                                                                  \
  {.name = "depth",                                                                                                    \
   .type = DVT_TYPE_INT,                                                                                               \
   .initial = "20",                                                                                                    \
   .least = 8,                                                                                                         \
   .greatest = 1202,                                                                                                   \
   .doc = "Layers with weights: 6n + 2, with n blocks in each of the three stages."},                                  \
      {.name = "width",                                                                                                \
       .type = DVT_TYPE_INT,                                                                                           \
       .initial = "16",                                                                                                \
       .least = 1,                                                                                                     \
       .greatest = 1024,                                                                                               \
       .unit = "channels",                                                                                             \
       .doc = "Channels of the first stage; the second has twice, the third four times as many."},                     \
      {.name = "shortcut",                                                                                             \
       .type = DVT_TYPE_STRING,                                                                                        \
       .initial = "projection",                                                                                        \
       .choices = resnet_shortcuts,                                                                                    \
       .doc = "Where a stage begins: a 1x1 convolution, or a subsampled copy padded with zero channels."},             \
  {                                                                                                                    \
    .name = "initialisation", .type = DVT_TYPE_STRING, .initial = "he", .choices = resnet_initialisations,             \
    .doc = "How convolutions begin: normal by fan-out (He et al., Delving deep), or uniform by fan-in, as in PyTorch." \
  }
enum { RESNET_DEPTH, RESNET_WIDTH, RESNET_SHORTCUT, RESNET_INITIALISATION, RESNET_PARAM_COUNT };
extern const char *const resnet_shortcuts[], *const resnet_initialisations[];

/** Reads those rows. Refuses a depth that is not 6n + 2, with the nearest that are. */
int resnet_from_values(struct resnet *resnet, const struct dvt_value *values, struct dvt_error *error);

/** Number of units. Unit 0 is conv1 with its batch norm, the last is the mean over the map. */
int resnet_unit_count(const struct resnet *resnet);

/** Number of split points: every unit is one, and the last block of a stage a second time, by the stage's name. */
int resnet_split_count(const struct resnet *resnet);

/** Writes the name of split `index` ("layer1.0", "layer1", …); returns the unit after which it lies. */
int resnet_split(const struct resnet *resnet, int index, char name[32]);

/** The unit after which the split of a name lies, or -1. */
int resnet_find_split(const struct resnet *resnet, const char *name);

/** Says which splits there are, for messages: "conv1, layer1.0 to layer1.8, layer1, …". */
void resnet_split_list(const struct resnet *resnet, char *text, size_t size);

/** Channels after a unit. */
int64_t resnet_channels(const struct resnet *resnet, int unit);

/** Adds units [from, to) to a graph, from `value` on. Returns the value after them. */
int resnet_build(const struct resnet *resnet, struct nn_graph *graph, int value, int from, int to);

#endif
