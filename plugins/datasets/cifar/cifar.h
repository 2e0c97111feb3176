/* SPDX-License-Identifier: MIT */
/** The datasets cifar10 and cifar100: struct dvt_dataset_ops over files of records. */
#ifndef CIFAR_H
#define CIFAR_H

#include <dovetail/dataset.h>

extern const struct dvt_dataset_ops cifar10_ops;  /**< values: path */
extern const struct dvt_dataset_ops cifar100_ops; /**< values: path, labels ("fine" or "coarse") */

#endif
