/* SPDX-License-Identifier: MIT */
/** How fast an experiment trains on this machine. docs/performance.md says what is measured and how. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "train/compose.h"
#include "train/step.h"

/** What is measured when no experiment is given: two ResNet-56 on generated images, as YAML. */
extern const char bench_experiment[];

/** The times of a step, in seconds: the phases and `other` make up `step`, `data` runs beside. */
struct bench_times {
  double step, other;
  struct step_times phases; /**< means over the networks that take part; operations: of all of them together */
  double images;            /**< in a second, those of all trained networks together */
};

/** Of the first step of all, in seconds from the start of the process: when it begins, and ends in every network. */
struct bench_first {
  double begun, done;
};

struct bench_result {
  guint threads; /**< that all networks together take */
  struct bench_first first;
  double memory;                      /**< peak, in bytes; NaN: not known */
  double peak_float32, peak_bfloat16; /**< operations in a second; NaN where the processor has no instruction */
  struct bench_times fed, still;      /**< with the data pipeline, and with one batch again and again */
};

/**
 * Trains a composition of `experiment`, its last stage, for `steps` steps and some before them that do not count: once
 * with the data pipeline, once without. Nothing is recorded. It changes the experiment: the rate is 0, so that every
 * step computes with the initial values, and no step checks what plugins leave. Values of frozen components are not
 * read.
 */
gboolean bench_run(struct experiment *experiment, struct composition *composition, guint steps,
                   struct bench_result *result, GError **error);

#endif
