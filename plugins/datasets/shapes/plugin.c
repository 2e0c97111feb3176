/* SPDX-License-Identifier: MIT */
#include <dovetail/plugin.h>

#include "shapes.h"

static const struct dvt_param params[] = {
    {.name = "train",
     .type = DVT_TYPE_INT,
     .initial = "5000",
     .least = 10,
     .greatest = 1000000,
     .unit = "images",
     .doc = "Size of the training subset; every image takes 3 KiB of memory"},
    {.name = "test",
     .type = DVT_TYPE_INT,
     .initial = "1000",
     .least = 10,
     .greatest = 1000000,
     .unit = "images",
     .doc = "Size of the test subset"},
    {.name = "seed",
     .type = DVT_TYPE_INT,
     .initial = "0",
     .least = 0,
     .greatest = 4294967295.0,
     .doc = "Another seed draws other images"},
};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_DATASET,
    .name = "shapes",
    .version = "1.0.0",
    .description = "Drawn 32x32 colour images of ten classes of upright objects; needs no files",
    .author = "The Dovetail authors",
    .licence = "MIT",
    DVT_PARAMS(params),
    .ops = &shapes_ops,
};
