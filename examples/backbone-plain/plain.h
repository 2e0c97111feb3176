/* SPDX-License-Identifier: MIT */
/* The network: each 2x2 block of pixels becomes one point of four times the channels, then three 3x3 convolutions, each
 * with a bias and a ReLU. */
#ifndef PLAIN_H
#define PLAIN_H

#include "planes.h"

#include <dovetail/dovetail.h>

enum { LAYERS = 3 };

struct plain {
  const struct dvt_host *host;
  int64_t image[3];
  struct shape shape;           /* of every layer's maps */
  int64_t channels[LAYERS + 1]; /* before, between and behind the layers */
  uint32_t layers;              /* up to the split */
  struct dvt_split splits[LAYERS];
  struct dvt_weight weights[2 * LAYERS]; /* kernel and bias of each layer */
  const float *values[2 * LAYERS];       /* [outputs, inputs, 9], [outputs] */
  float *flipped[LAYERS];                /* [inputs, outputs, 9]: kernels turned round, for gradients of inputs */
};

int pass_create(void *module, const struct dvt_pass_config *config, void **out, struct dvt_error *error);
void pass_destroy(void *pass);
int pass_forward(void *pass, const struct dvt_tensor *input, struct dvt_tensor *output, struct dvt_error *error);
int pass_backward(void *pass, const struct dvt_tensor *output_gradient, struct dvt_tensor *input_gradient,
                  struct dvt_error *error);

#endif
