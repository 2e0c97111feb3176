/* SPDX-License-Identifier: MIT */
/** Tensors of the shapes that stand at component borders, over memory of the caller. */
#ifndef PLUGIN_TENSORS_H
#define PLUGIN_TENSORS_H

#include <dovetail/tensor.h>
#include <glib.h>

/** [n, C, H, W] with shape = {C, H, W}: images or features. */
static inline struct dvt_tensor tensor_maps(float *data, guint n, const gint64 shape[3]) {
  return (struct dvt_tensor){
      .data = data, .dtype = DVT_F32, .place = DVT_PLACE_HOST, .rank = 4, .shape = {n, shape[0], shape[1], shape[2]}};
}

/** Whether a plugin's tensor is one of those, with 1 <= n <= most: another would be read or written past its end. */
static inline gboolean tensor_is_maps(const struct dvt_tensor *tensor, guint most, const gint64 shape[3]) {
  return tensor->rank == 4 && tensor->shape[0] >= 1 && tensor->shape[0] <= most && tensor->shape[1] == shape[0] &&
         tensor->shape[2] == shape[1] && tensor->shape[3] == shape[2];
}

/** [n, classes]. */
static inline struct dvt_tensor tensor_logits(float *data, guint n, gint64 classes) {
  return (struct dvt_tensor){.data = data, .dtype = DVT_F32, .place = DVT_PLACE_HOST, .rank = 2, .shape = {n, classes}};
}

#endif
