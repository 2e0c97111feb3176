/* SPDX-License-Identifier: MIT */
#define PARAMS DVT_PARAMS(params),
#include <dovetail/param.h>

static const struct dvt_param params[] = {
    {.name = "count", .type = DVT_TYPE_INT, .initial = "1", .doc = "How many."},
    {.name = "count", .type = DVT_TYPE_INT, .initial = "2", .doc = "How many more."},
};

#include "descriptor.h"
