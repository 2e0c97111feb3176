/* SPDX-License-Identifier: MIT */
#ifndef SHAPES_H
#define SHAPES_H

#include <dovetail/dataset.h>

extern const struct dvt_dataset_ops shapes_ops; /**< values: train, test, seed */

#endif
