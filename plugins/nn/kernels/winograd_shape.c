/* SPDX-License-Identifier: MIT */
#include "winograd.h"

/*
 * Floats of patches and products that are worked on together, which stay in the second-level cache: 24 tiles from 16
 * channels to 16, 12 from 32 to 32.
 */
enum { CHUNK = 108 * 1024 / 4 };

/* That fill the blocks of both. */
static int64_t common_block(int64_t a, int64_t b) { return b ? common_block(b, a % b) : a; }

bool winograd_init(struct winograd *winograd, const dnnl_memory_desc_t *source, const dnnl_memory_desc_t *target) {
  struct winograd made = {.height = source->dims[2], .width = source->dims[3]};
  if (!blocked_init(&made.source, source) || !blocked_init(&made.target, target)) return false;
  const int64_t channels = made.source.channels + made.target.channels;
  const int64_t fit = CHUNK / (WINOGRAD_POINTS * channels) / WINOGRAD_ROWS * WINOGRAD_ROWS;
  made.columns = (made.width + WINOGRAD_TILE - 1) / WINOGRAD_TILE;
  made.tiles = made.columns * ((made.height + WINOGRAD_TILE - 1) / WINOGRAD_TILE);
  made.chunk = fit < WINOGRAD_ROWS ? WINOGRAD_ROWS : fit;
  made.block = common_block(made.source.block, made.target.block);
  *winograd = made;
  return made.source.half == made.target.half && made.source.block > 1 && made.target.block > 1 &&
         made.source.channels == made.source.padded && made.target.channels == made.target.padded;
}

int64_t winograd_pairs(int64_t source, int64_t target) { return source * target + WINOGRAD_GAP; }

int64_t winograd_packed_size(const int64_t shape[2]) { return WINOGRAD_POINTS * winograd_pairs(shape[1], shape[0]); }

int64_t winograd_scratch_size(const struct winograd *winograd) {
  return WINOGRAD_POINTS * winograd->chunk * (winograd->source.channels + winograd->target.channels);
}

int64_t winograd_sums_size(const struct winograd *winograd) {
  return WINOGRAD_POINTS * winograd_pairs(winograd->source.channels, winograd->target.channels);
}
