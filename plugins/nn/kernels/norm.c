/* SPDX-License-Identifier: MIT */
#include "norm.h"

#include "vectors.h"

/* One number for each lane: of the channels of a group, or of the one channel. */
INLINE lanes by_channel(const struct blocked *layout, const float *numbers, int64_t channel) {
  if (layout->block > 1) return *(const lanes *)(numbers + channel);
  return numbers[channel] - (lanes){0};
}

/* Vectors of one group in one image: `whole` ones `step` floats apart, then `rest` numbers. */
struct strip {
  int64_t whole, step, rest;
};

static struct strip strip_of(const struct blocked *layout) {
  if (layout->block > 1) return (struct strip){layout->positions, layout->block, 0};
  return (struct strip){layout->positions / LANES, LANES, layout->positions % LANES};
}

enum { AHEAD = 1024 }; /* bytes */

/* What the loop reads or writes next: processors ask for it themselves, but not from page to page. */
INLINE void prefetch(const void *tensor, int64_t at, const bool half) {
  const int64_t size = half ? sizeof(uint16_t) : sizeof(float);
  __builtin_prefetch((const void *)((uintptr_t)tensor + (uintptr_t)(at * size) + AHEAD)); /* perhaps past the end */
}

struct work {
  const struct blocked *layout;
  struct images images;
  const void *x, *gradient;
  const struct norm_gate *gate;
  const struct norm_terms *terms;
  void *to, *masked;
  bool relu;
  double *sums; /* [2][padded] */
};

/* y of `apply` is `to`, its addend `gradient`, its shift `offset`. */
INLINE void apply_vector(const struct work *work, int64_t at, lanes scale, lanes shift, const bool add, const bool relu,
                         const bool half, const int64_t n) {
  prefetch(work->x, at, half);
  prefetch(work->to, at, half);
  if (add) prefetch(work->gradient, at, half);
  lanes value = load_some(work->x, at, half, n) * scale + shift;
  if (add) value += load_some(work->gradient, at, half, n);
  if (relu) value = (lanes)((words)value & ~(words)(value < 0.0f)); /* what is not a number stays so */
  store_some(work->to, at, value, half, n);
}

INLINE void apply_group(const struct work *work, int64_t channel, const bool add, const bool relu, const bool half) {
  const struct blocked *layout = work->layout;
  const struct strip strip = strip_of(layout);
  const lanes scale = by_channel(layout, work->terms->scale, channel);
  const lanes shift = by_channel(layout, work->terms->offset, channel);
  for (int64_t image = work->images.first; image < work->images.end; image++) {
    const int64_t start = image * layout->image_stride + blocked_channel(layout, channel);
    for (int64_t k = 0; k < strip.whole; k++)
      apply_vector(work, start + k * strip.step, scale, shift, add, relu, half, LANES);
    if (strip.rest) apply_vector(work, start + strip.whole * strip.step, scale, shift, add, relu, half, strip.rest);
  }
}

INLINE void apply_as(const struct work *work, int64_t channel, const bool half) {
  if (work->gradient)
    apply_group(work, channel, true, work->relu, half);
  else if (work->relu)
    apply_group(work, channel, false, true, half);
  else
    apply_group(work, channel, false, false, half);
}

static void apply_any(const struct work *work, int64_t channel) {
  if (work->layout->half)
    apply_as(work, channel, true);
  else
    apply_as(work, channel, false);
}

/* Channels that are worked on together, one group after another. */
static void for_groups(const struct work *work, void (*body)(const struct work *work, int64_t channel)) {
  for (int64_t channel = 0; channel < work->layout->padded; channel += group_of(work->layout)) body(work, channel);
}

static void apply(const struct blocked *layout, struct images images, const void *x, const void *addend,
                  const float *scale, const float *shift, bool relu, void *y) {
  const struct norm_terms terms = {.scale = scale, .offset = shift};
  const struct work work = {layout, images, .x = x, .gradient = addend, .terms = &terms, .relu = relu, .to = y};
  for_groups(&work, apply_any);
}

/* What compilers make loops of their own for: there is no gate, or what tells whether it is open. */
enum gate { GATE_NONE, GATE_OUTPUT, GATE_INPUT };

static enum gate gate_of(const struct work *work) {
  if (!work->gate) return GATE_NONE;
  return work->gate->y ? GATE_OUTPUT : GATE_INPUT;
}

struct gate_terms {
  lanes scale, shift;
};

INLINE struct gate_terms gate_terms_of(const struct work *work, int64_t channel, const enum gate gate) {
  if (gate != GATE_INPUT) return (struct gate_terms){{0}, {0}};
  return (struct gate_terms){by_channel(work->layout, work->gate->scale, channel),
                             by_channel(work->layout, work->gate->shift, channel)};
}

/* The gradient of the sum before the ReLU. What is not a number keeps the gate open. */
INLINE lanes masked_gradient(const struct work *work, int64_t at, lanes x, const struct gate_terms *terms,
                             const enum gate gate, const bool half, const int64_t n) {
  prefetch(work->gradient, at, half);
  if (gate == GATE_OUTPUT) prefetch(work->gate->y, at, half);
  const lanes gradient = load_some(work->gradient, at, half, n);
  if (gate == GATE_OUTPUT) return (lanes)((words)gradient & (words)(load_some(work->gate->y, at, half, n) != 0.0f));
  if (gate == GATE_INPUT) return (lanes)((words)gradient & ~(words)(x * terms->scale + terms->shift <= 0.0f));
  return gradient;
}

INLINE void sum_vector(const struct work *work, int64_t at, lanes mean, const struct gate_terms *terms,
                       const enum gate gate, const bool half, const int64_t n, lanes *sum, lanes *product) {
  prefetch(work->x, at, half);
  const lanes x = load_some(work->x, at, half, n);
  const lanes gradient = masked_gradient(work, at, x, terms, gate, half, n);
  *sum += gradient;
  *product += gradient * (x - mean);
}

/* Float32 within an image, double from image to image. */
INLINE void sum_group(const struct work *work, int64_t channel, const enum gate gate, const bool half) {
  const struct blocked *layout = work->layout;
  const struct strip strip = strip_of(layout);
  const int64_t group = group_of(layout);
  const lanes mean = by_channel(layout, work->terms->mean, channel);
  const struct gate_terms terms = gate_terms_of(work, channel, gate);
  double sums[2][LANES] = {0};
  for (int64_t image = work->images.first; image < work->images.end; image++) {
    const int64_t start = image * layout->image_stride + blocked_channel(layout, channel);
    lanes sum = {0}, product = {0};
    for (int64_t k = 0; k < strip.whole; k++)
      sum_vector(work, start + k * strip.step, mean, &terms, gate, half, LANES, &sum, &product);
    if (strip.rest)
      sum_vector(work, start + strip.whole * strip.step, mean, &terms, gate, half, strip.rest, &sum, &product);
    for (int k = 0; k < LANES; k++) sums[0][k] += sum[k], sums[1][k] += product[k];
  }
  for (int which = 0; which < 2; which++) {
    double *to = work->sums + which * layout->padded + channel;
    for (int k = 0; k < group; k++) to[k] = sums[which][k];
    for (int k = (int)group; k < LANES; k++) to[0] += sums[which][k]; /* all lanes are of the one channel */
  }
}

INLINE void sum_as(const struct work *work, int64_t channel, const bool half) {
  const enum gate gate = gate_of(work);
  if (gate == GATE_OUTPUT)
    sum_group(work, channel, GATE_OUTPUT, half);
  else if (gate == GATE_INPUT)
    sum_group(work, channel, GATE_INPUT, half);
  else
    sum_group(work, channel, GATE_NONE, half);
}

static void sum_any(const struct work *work, int64_t channel) {
  if (work->layout->half)
    sum_as(work, channel, true);
  else
    sum_as(work, channel, false);
}

static void sums(const struct blocked *layout, struct images images, const void *x, const struct norm_gate *gate,
                 const void *gradient, const float *mean, double *sums) {
  const struct norm_terms terms = {.mean = mean};
  const struct work work = {layout, images, .x = x, .gate = gate, .gradient = gradient, .terms = &terms, .sums = sums};
  for_groups(&work, sum_any);
}

struct gradient_terms {
  lanes mean, scale, slope, offset;
};

INLINE void backward_vector(const struct work *work, int64_t at, const struct gradient_terms *terms,
                            const struct gate_terms *gate_terms, const enum gate gate, const bool keep, const bool half,
                            const int64_t n) {
  prefetch(work->x, at, half);
  prefetch(work->to, at, half);
  if (keep) prefetch(work->masked, at, half);
  const lanes x = load_some(work->x, at, half, n);
  const lanes gradient = masked_gradient(work, at, x, gate_terms, gate, half, n);
  if (keep) store_some(work->masked, at, gradient, half, n);
  store_some(work->to, at, terms->scale * gradient + (terms->slope * (x - terms->mean) + terms->offset), half, n);
}

INLINE void backward_group(const struct work *work, int64_t channel, const enum gate gate, const bool keep,
                           const bool half) {
  const struct blocked *layout = work->layout;
  const struct strip strip = strip_of(layout);
  const struct gradient_terms terms = {
      by_channel(layout, work->terms->mean, channel), by_channel(layout, work->terms->scale, channel),
      by_channel(layout, work->terms->slope, channel), by_channel(layout, work->terms->offset, channel)};
  const struct gate_terms gate_terms = gate_terms_of(work, channel, gate);
  for (int64_t image = work->images.first; image < work->images.end; image++) {
    const int64_t start = image * layout->image_stride + blocked_channel(layout, channel);
    const int64_t rest = start + strip.whole * strip.step;
    for (int64_t k = 0; k < strip.whole; k++)
      backward_vector(work, start + k * strip.step, &terms, &gate_terms, gate, keep, half, LANES);
    if (strip.rest) backward_vector(work, rest, &terms, &gate_terms, gate, keep, half, strip.rest);
  }
}

INLINE void backward_kept(const struct work *work, int64_t channel, const enum gate gate, const bool half) {
  if (work->masked)
    backward_group(work, channel, gate, true, half);
  else
    backward_group(work, channel, gate, false, half);
}

INLINE void backward_as(const struct work *work, int64_t channel, const bool half) {
  const enum gate gate = gate_of(work);
  if (gate == GATE_OUTPUT)
    backward_kept(work, channel, GATE_OUTPUT, half);
  else if (gate == GATE_INPUT)
    backward_kept(work, channel, GATE_INPUT, half);
  else
    backward_kept(work, channel, GATE_NONE, half);
}

static void backward_any(const struct work *work, int64_t channel) {
  if (work->layout->half)
    backward_as(work, channel, true);
  else
    backward_as(work, channel, false);
}

static void backward(const struct blocked *layout, struct images images, const void *x, const struct norm_gate *gate,
                     const void *gradient, const struct norm_terms *terms, void *dx, void *masked) {
  const struct work work = {layout,         images,   .x = x,          .gate = gate, .gradient = gradient,
                            .terms = terms, .to = dx, .masked = masked};
  for_groups(&work, backward_any);
}

const struct norm_kernels KERNEL(norm) = {.apply = apply, .sums = sums, .backward = backward};
