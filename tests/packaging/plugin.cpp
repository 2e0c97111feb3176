/* SPDX-License-Identifier: MIT */
/* What a stranger builds in C++20: an aligner that does nothing. */
#include <dovetail/dovetail.h>

static int create(const dvt_value *, void **aligner, dvt_error *) {
  static char nothing;
  *aligner = &nothing;
  return DVT_OK;
}

static void destroy(void *) {}

static int init(void *, const dvt_aligner_host *, const dvt_network *const *, uint32_t, dvt_error *) { return DVT_OK; }

static int initialise(void *, dvt_error *) { return DVT_OK; }

static const dvt_aligner_ops ops = {
    .struct_size = sizeof ops,
    .create = create,
    .destroy = destroy,
    .init = init,
    .initialise = initialise,
};

const dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_ALIGNER,
    .name = "idle",
    .version = "0.1.0",
    .description = "does nothing, in C++",
    .author = "a stranger",
    .licence = "MIT",
    .ops = &ops,
};
