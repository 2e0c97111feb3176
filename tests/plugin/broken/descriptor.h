/* SPDX-License-Identifier: MIT */
/* A dataset that nothing is wrong with; a file defines what it breaks before it includes this. It is never called. */
#include <dovetail/dovetail.h>

#ifndef MAGIC
#define MAGIC DVT_MAGIC
#endif
#ifndef MAJOR
#define MAJOR DVT_ABI_MAJOR
#endif
#ifndef SIZE
#define SIZE sizeof(struct dvt_plugin)
#endif
#ifndef HOST_MINOR
#define HOST_MINOR 0
#endif
#ifndef NAME
#define NAME "good"
#endif
#ifndef PARAMS
#define PARAMS
#endif
#ifndef READ
#define READ read_example
#endif
#ifndef OPS
#define OPS &ops
#endif
#ifndef NEXT
#define NEXT NULL
#endif

extern const struct dvt_plugin dovetail_plugin;
extern const struct dvt_dataset_ops ops;

static int create(const struct dvt_value *values, void **dataset, struct dvt_error *error) {
  (void)values, (void)dataset;
  return dvt_fail(error, DVT_ERROR_UNSUPPORTED, "never called");
}

static void destroy(void *dataset) { (void)dataset; }

static int init(void *dataset, const struct dvt_host *host, struct dvt_error *error) {
  (void)dataset, (void)host;
  return dvt_fail(error, DVT_ERROR_UNSUPPORTED, "never called");
}

static const struct dvt_dataset_info *info(const void *dataset) {
  (void)dataset;
  return NULL;
}

static inline int read_example(const void *dataset, enum dvt_subset subset, uint64_t index, uint8_t *image,
                               uint32_t *label, struct dvt_error *error) {
  (void)dataset, (void)subset, (void)index, (void)image, (void)label;
  return dvt_fail(error, DVT_ERROR_UNSUPPORTED, "never called");
}

const struct dvt_dataset_ops ops = {
    .struct_size = sizeof ops,
    .create = create,
    .destroy = destroy,
    .init = init,
    .info = info,
    .read = READ,
};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    .magic = MAGIC,
    .abi_major = MAJOR,
    .abi_minor = DVT_ABI_MINOR,
    .struct_size = SIZE,
    .param_size = sizeof(struct dvt_param),
    .host_minor = HOST_MINOR,
    .kind = DVT_KIND_DATASET,
    .name = NAME,
    .version = "1.0.0",
    .description = "A plugin of the tests",
    .author = "The Dovetail authors",
    .licence = "MIT",
    PARAMS.ops = OPS,
    .next = NEXT,
};
