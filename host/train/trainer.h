/* SPDX-License-Identifier: MIT */
/** Trains the networks of a composition side by side, each on its thread. */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include "train/compose.h"
#include "train/step.h"

/** Means over the steps of an epoch, of one network. */
struct epoch_losses {
  double task, accuracy;
  const double *aligners; /**< by aligner of the experiment */
};

/** What an epoch measured. Belongs to the trainer; lives until the call it is given to returns. */
struct epoch_report {
  guint64 epoch, epochs;               /**< the epoch that ended, from 0, and how many there are */
  guint64 step;                        /**< steps done */
  double rate;                         /**< learning rate of its last step */
  const struct epoch_losses *networks; /**< of the composition; of frozen ones nothing is measured */
};

struct trainer_watcher {
  /** In the caller's thread, when the first step is about to begin; FALSE with an error: it does not. Or NULL. */
  gboolean (*start)(gpointer data, GError **error);
  /** After each epoch, in a network's thread while the others wait; FALSE with an error ends the training. */
  gboolean (*epoch)(gpointer data, const struct epoch_report *report, GError **error);
  /** About five times a second, in the caller's thread: the steps that the slowest network has done. */
  void (*progress)(gpointer data, guint64 step, guint64 steps);
  /** After each step (from 0) of a network, in its thread, with its times up to here. Or NULL. */
  void (*step)(gpointer data, guint network, guint64 step, const struct step_times *times);
  gpointer data;
};

struct trainer_config {
  guint threads;           /**< of all networks together, at least one each */
  gboolean still;          /**< as of struct feeder_config */
  const gint *interrupted; /**< when it becomes non-zero, every network ends after its step */
};

/** Steps that the experiment asks for, of every network that is trained. */
guint64 trainer_steps(const struct composition *composition);

/**
 * Trains an initialised composition. The error of one that was interrupted is DOVETAIL_INTERRUPTED; the values are then
 * whole, whatever their steps.
 */
gboolean trainer_run(struct composition *composition, const struct trainer_config *config,
                     const struct trainer_watcher *watcher, GError **error);

#endif
