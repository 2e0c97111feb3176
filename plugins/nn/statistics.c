/* SPDX-License-Identifier: MIT */
#include "statistics.h"

#include "threads.h"

enum { LANES = 8, CHUNK = 256, SLICES = 16 };

typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));

/* Of some numbers: how many, their mean, the sum of their squared distances from it. */
struct moments {
  double count, mean, squares;
};

/* Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979). */
static void merge(struct moments *into, struct moments more) {
  const double total = into->count + more.count, delta = more.mean - into->mean;
  if (more.count == 0.0) return;
  into->squares += more.squares + delta * delta * into->count * more.count / total;
  into->mean += delta * more.count / total;
  into->count = total;
}

/* Float32 sums of distances from a number near the mean: short ones, so they lose nothing that matters. */
static struct moments moments_of(double count, float near, float sum, float square) {
  const double mean = sum / count, squares = square - sum * mean;
  return (struct moments){count, near + mean, squares > 0.0 ? squares : 0.0};
}

static float near_mean(const struct moments *so_far, float first) {
  return so_far->count > 0.0 ? (float)so_far->mean : first;
}

/* Adds `count` numbers to each of LANES moments. */
static void add_lanes(const float *x, int64_t count, int64_t stride, struct moments into[LANES]) {
  lanes near, sum = {0}, square = {0};
  for (int k = 0; k < LANES; k++) near[k] = near_mean(&into[k], x[k]);
  for (int64_t p = 0; p < count; p++) {
    const lanes distance = *(const lanes *)(x + p * stride) - near;
    sum += distance;
    square += distance * distance;
  }
  for (int k = 0; k < LANES; k++) merge(&into[k], moments_of((double)count, near[k], sum[k], square[k]));
}

static void add_chunks(const float *x, int64_t count, int64_t stride, struct moments into[LANES]) {
  for (int64_t p = 0; p < count; p += CHUNK)
    add_lanes(x + p * stride, count - p < CHUNK ? count - p : CHUNK, stride, into);
}

/* One channel whose positions lie side by side. */
static void add_row(const float *x, int64_t count, struct moments *into) {
  struct moments parts[LANES] = {0};
  const int64_t whole = count / LANES;
  add_chunks(x, whole, LANES, parts);
  for (int k = 0; k < LANES; k++) merge(into, parts[k]);
  for (int64_t p = whole * LANES; p < count; p++) merge(into, (struct moments){1.0, x[p], 0.0});
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t slice_count(const struct statistics *statistics) { return least(statistics->images, SLICES); }

/* Channels that are worked on together. */
static int64_t group_size(const struct statistics *statistics) { return statistics->block == 1 ? 1 : LANES; }

static int64_t group_count(const struct statistics *statistics) {
  const int64_t size = group_size(statistics);
  return (statistics->channels + size - 1) / size;
}

struct work {
  const struct statistics *layout;
  const float *x;
  struct moments *moments; /* [slices, groups, group size] */
};

static void work_on(void *data, int64_t unit) {
  const struct work *work = data;
  const struct statistics *layout = work->layout;
  const int64_t groups = group_count(layout), size = group_size(layout), slices = slice_count(layout);
  const int64_t slice = unit / groups, channel = unit % groups * size;
  const float *x = work->x + channel / layout->block * layout->block_stride + channel % layout->block;
  struct moments own[LANES] = {0};
  for (int64_t n = layout->images * slice / slices; n < layout->images * (slice + 1) / slices; n++) {
    const float *image = x + n * layout->image_stride;
    if (size == 1)
      add_row(image, layout->positions, own);
    else
      add_chunks(image, layout->positions, layout->block, own);
  }
  for (int64_t k = 0; k < size; k++) work->moments[unit * size + k] = own[k];
}

/* How many channels lie side by side. */
static int64_t block_of(const dnnl_memory_desc_t *md) {
  const dnnl_blocking_desc_t *blocking = &md->format_desc.blocking;
  if (blocking->inner_nblks > 0) return blocking->inner_blks[0];
  return blocking->strides[3] == 1 ? 1 : md->dims[1];
}

bool statistics_init(struct statistics *statistics, const dnnl_memory_desc_t *md) {
  const dnnl_blocking_desc_t *blocking = &md->format_desc.blocking;
  if (md->format_kind != dnnl_blocked || md->ndims != 4) return false;
  const int64_t block = block_of(md);
  *statistics = (struct statistics){.images = md->dims[0],
                                    .channels = md->dims[1],
                                    .positions = md->dims[2] * md->dims[3],
                                    .image_stride = blocking->strides[0],
                                    .block_stride = blocking->strides[1],
                                    .block = block};
  if (blocking->inner_nblks > 1 || (blocking->inner_nblks == 1 && blocking->inner_idxs[0] != 1)) return false;
  if (blocking->strides[3] != block || blocking->strides[2] != block * md->dims[3]) return false;
  return block == 1 || block % LANES == 0;
}

int64_t statistics_scratch(const struct statistics *statistics) {
  const int64_t count = slice_count(statistics) * group_count(statistics) * group_size(statistics);
  return count * (int64_t)(sizeof(struct moments) / sizeof(float));
}

void statistics_compute(const struct statistics *statistics, const float *x, void *scratch, float *mean,
                        float *variance) {
  const int64_t slices = slice_count(statistics), stride = group_count(statistics) * group_size(statistics);
  struct work work = {statistics, x, scratch};
  threads_run(slices * group_count(statistics), work_on, &work);
  for (int64_t c = 0; c < statistics->channels; c++) {
    struct moments all = {0};
    for (int64_t k = 0; k < slices; k++) merge(&all, work.moments[k * stride + c]);
    mean[c] = (float)all.mean;
    variance[c] = (float)(all.squares / all.count);
  }
}
