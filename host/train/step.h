/* SPDX-License-Identifier: MIT */
/**
 * One training step, in phases. The phases of a network run on one thread; those of different networks may overlap.
 *
 *     every network:  flight_task             forward, task loss, feature losses
 *     all there:      stepper_joint           losses between networks (when stepper->joint)
 *     every network:  flight_backward         back through the extractor, then the views
 *     all there:      stepper_tie             sums and applies the gradients of auxiliary heads (when stepper->tied)
 *     every network:  flight_update
 *
 * A loss is the plain mean over the batch; what an aligner's weight scales is its gradient.
 *
 * A frozen network has a flight only where an aligner wants its features: its extractor runs forward, with running
 * statistics, and that is all; flight_backward and flight_update do nothing.
 */
#ifndef TRAIN_STEP_H
#define TRAIN_STEP_H

#include "data/feeder.h"
#include "train/compose.h"
#include "train/optimiser.h"

struct stepper;

/** What a step measured of one network. */
struct step_losses {
  double task;
  guint correct;    /**< training examples whose largest logit was the right one */
  double *aligners; /**< by aligner; 0 where it has no loss on one network */
};

/** What the thread of a network spent since its flight was made, in seconds. What is left of its time is the rest. */
struct step_times {
  double forward, backward_data, backward_weights, norm; /**< of passes, as these tell, those of auxiliary heads too */
  double aligner;                                        /**< in hooks of aligners, without the passes in there */
  double optimiser;                                      /**< and summing the gradients of auxiliary heads */
  double waiting;                                        /**< for a batch and for other networks */
  double data;       /**< to prepare batches: the feeder's thread, beside this one */
  double operations; /**< of passes, as struct dvt_pass_times counts them */
};

/** The working memory of one network in training; of a frozen one without what only training needs. */
struct flight {
  struct stepper *stepper;
  struct network *network;
  guint index;
  gboolean frozen;
  struct pass *extractor, *head;
  struct optimiser *extractor_optimiser, *head_optimiser;
  struct dvt_tensor images;             /**< of the feeder */
  struct dvt_tensor features, gradient; /**< the target's, then each view's */
  struct dvt_tensor logits;
  struct dvt_tensor view; /**< without memory when no aligner has views */
  struct dvt_batch batch;
  guint64 step;
  gboolean checked; /**< what plugins leave in this step is looked at */
  struct step_losses losses;
  gint64 in_hooks, in_optimiser; /**< microseconds so far, in this network's thread; with the passes in hooks */
};

/** What joint losses are given, made once; all by network. */
struct joint_view {
  const struct dvt_batch **batches;
  const struct dvt_tensor **features;
  struct dvt_tensor **gradients;
  struct dvt_tensor *given; /**< copies, which `gradients` point to */
};

struct stepper {
  struct composition *composition;
  struct flight *flights; /**< by network; without passes where network_flies is FALSE */
  guint threads;          /**< of each network */
  gboolean joint;         /**< some aligner has a loss between networks */
  gboolean tied;          /**< some aligner has an auxiliary head that is trained */
  GPtrArray *optimisers;  /**< struct optimiser of every such head, in order of aligners */
  double *joint_losses;   /**< by aligner */
  struct joint_view joint_view;
};

/** Whether a network takes part in steps: it is trained, or an aligner wants its features. */
gboolean network_flies(const struct composition *composition, guint t);

/** Threads that an experiment asks for, of all networks together: without a number, one for each core it may use. */
guint threads_asked(const struct experiment *experiment);

/** How many of those its networks take: each that takes part has an equal share, and at least one. */
guint threads_taken(const struct composition *composition);

/**
 * The composition is initialised, outlives it, and has one stepper at a time. threads: of all networks together. The
 * caller frees it.
 */
struct stepper *stepper_new(struct composition *composition, guint threads, GError **error);
void stepper_free(struct stepper *stepper);
AUTO_DEFINE(stepper, stepper_free)

/** Errors name aligner, call and loss, not step and network, which the caller knows. A loss must be finite. */
gboolean flight_task(struct flight *flight, const struct feed *feed, guint64 epoch, guint64 step, GError **error);
gboolean stepper_joint(struct stepper *stepper, GError **error);
gboolean flight_backward(struct flight *flight, GError **error);

/**
 * The part of flight_backward that is aligner k's: another flight of the extractor, in the memory of the target's, with
 * the aligner's view. Its batch statistics are not committed (see dovetail/aligner.h).
 */
gboolean flight_view(struct flight *flight, guint k, GError **error);

/** Sums the gradients of each trained auxiliary head, into its first pass, and commits, both in network order. */
void stepper_sum(struct stepper *stepper);

/** stepper_sum, then a step of every auxiliary head's optimiser. */
void stepper_tie(struct stepper *stepper, double rate);

void flight_update(struct flight *flight, double rate);

/** Sets all but what the trainer knows: waiting and data. In the network's thread. */
void flight_times(const struct flight *flight, struct step_times *times);

#endif
