/* SPDX-License-Identifier: MIT */
#include "blocked.h"

/* Half of what a second-level cache usually has, or less. */
enum { PART_BYTES = 256 * 1024 };

/* Parts that each thread gets at least, where there are as many images. */
enum { LEAST_PARTS = 2 };

/* How many channels lie side by side. */
static int64_t block_of(const dnnl_memory_desc_t *md) {
  const dnnl_blocking_desc_t *blocking = &md->format_desc.blocking;
  if (blocking->inner_nblks > 0) return blocking->inner_blks[0];
  return blocking->strides[3] == 1 ? 1 : md->dims[1];
}

bool blocked_init(struct blocked *blocked, const dnnl_memory_desc_t *md) {
  const dnnl_blocking_desc_t *blocking = &md->format_desc.blocking;
  if (md->format_kind != dnnl_blocked || md->ndims != 4) return false;
  const int64_t block = block_of(md);
  *blocked = (struct blocked){.images = md->dims[0],
                              .channels = md->dims[1],
                              .padded = md->padded_dims[1],
                              .positions = md->dims[2] * md->dims[3],
                              .image_stride = blocking->strides[0],
                              .block_stride = blocking->strides[1],
                              .block = block,
                              .half = md->data_type == dnnl_bf16};
  if (blocking->inner_nblks > 1 || (blocking->inner_nblks == 1 && blocking->inner_idxs[0] != 1)) return false;
  if (blocking->strides[3] != block || blocking->strides[2] != block * md->dims[3]) return false;
  return block == 1 ? !blocked->half : block % BLOCKED_UNIT == 0 && blocked->padded % BLOCKED_UNIT == 0;
}

int64_t blocked_parts(const struct blocked *blocked, uint32_t threads) {
  const int64_t number = blocked->half ? sizeof(uint16_t) : sizeof(float);
  const int64_t bytes = blocked->images * blocked->padded * blocked->positions * number;
  const int64_t round = (bytes + PART_BYTES * threads - 1) / (PART_BYTES * threads); /* parts of each thread */
  const int64_t parts = threads * (round > LEAST_PARTS ? round : LEAST_PARTS);
  return parts < blocked->images ? parts : blocked->images;
}
