/* SPDX-License-Identifier: MIT */
#include <dovetail/plugin.h>

#include "cifar.h"

#define PATH_PARAM(example)                                                                                            \
  { .name = "path", .type = DVT_TYPE_PATH, .doc = "Folder with the binary files, as " example }

static const char *const labels[] = {"fine", "coarse", NULL};

static const struct dvt_param cifar10_params[] = {
    PATH_PARAM("cifar-10-batches-bin"),
};

static const struct dvt_param cifar100_params[] = {
    PATH_PARAM("cifar-100-binary"),
    {.name = "labels",
     .type = DVT_TYPE_STRING,
     .initial = "fine",
     .choices = labels,
     .doc = "The 100 fine classes, or the 20 coarse ones that they fall into"},
};

static const struct dvt_plugin cifar100 = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_DATASET,
    .name = "cifar100",
    .version = "1.0.0",
    .description = "CIFAR-100 in its binary layout: 32x32 colour images of 100 classes",
    .author = "The Dovetail authors",
    .licence = "MIT",
    DVT_PARAMS(cifar100_params),
    .ops = &cifar100_ops,
};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_DATASET,
    .name = "cifar10",
    .version = "1.0.0",
    .description = "CIFAR-10 in its binary layout: 32x32 colour images of 10 classes",
    .author = "The Dovetail authors",
    .licence = "MIT",
    DVT_PARAMS(cifar10_params),
    .ops = &cifar10_ops,
    .next = &cifar100,
};
