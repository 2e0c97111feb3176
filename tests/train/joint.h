/* SPDX-License-Identifier: MIT */
/**
 * Joint steps with the weights and images of a file of another implementation (tests/golden.h). Everything is the real
 * thing (experiment, plugins, step) but the random numbers: image k is turned by k % 4 quarters, as there. What fails,
 * fails the test. The plugins are those of train_test.h.
 */
#ifndef TRAIN_JOINT_H
#define TRAIN_JOINT_H

#include "golden.h"
#include "train/step.h"

enum { JOINT_NETWORKS = 2 };

/** Their names, in the file too. */
extern const char *const joint_names[JOINT_NETWORKS];

/** Of the experiment. */
extern const double joint_momentum, joint_decay;

/** Two networks and aligners, ready for a step. */
struct joint {
  const struct safetensors *golden;
  struct experiment *experiment;
  struct dataset_pool *pool;
  struct composition *composition;
  struct stepper *stepper;
  float *images[JOINT_NETWORKS];
  gint32 *labels[JOINT_NETWORKS];
};

/** aligners: YAML, those of the experiment. state: of a SCRATCH_TEST. The caller frees it. */
struct joint *joint_new(void **state, const struct safetensors *golden, const char *aligners);
void joint_free(struct joint *joint);
AUTO_DEFINE(joint, joint_free)

/** What the file calls aligner k. The caller frees it. */
char *joint_tag(const struct joint *joint, guint k);

/** The only head of aligner k; NULL: it has none. */
struct auxiliary *joint_head(const struct joint *joint, guint k);

/** flight_task of network t with a batch of the file, "a/" or "b/", in an attempt of golden_check. */
struct flight *joint_task(struct joint *joint, guint t, const char *batch, guint attempt);

/** Compares a loss of aligner k: of network t, or between them all (JOINT_NETWORKS). */
void joint_compare_loss(const struct joint *joint, guint k, guint t, double loss);

#endif
