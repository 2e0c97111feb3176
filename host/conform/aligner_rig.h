/* SPDX-License-Identifier: MIT */
/**
 * An aligner under test, with networks that exist on paper only: their features are random numbers, and the auxiliary
 * heads are linear layers on the mean over the map, in plain C.
 */
#ifndef CONFORM_ALIGNER_RIG_H
#define CONFORM_ALIGNER_RIG_H

#include <dovetail/aligner.h>

#include "conform/block.h"
#include "conform/kinds.h"

enum { MOST_NETWORKS = 3, PAPER_WEIGHTS = 4, PAPER_BATCH = 6, PAPER_CLASSES = 4 };

/** What the networks are like. */
struct cast {
  const char *words; /**< for messages: "three networks" */
  guint count;
  gboolean other_classes;  /**< networks have different classes, some of them common */
  gboolean other_features; /**< the last network's features have another shape */
  gboolean oblong;         /**< images are not square */
  gint frozen;             /**< number of a network that is frozen; -1: none */
};

/** A network on paper, and the buffers of its batch. */
struct paper {
  struct dvt_network network;
  struct dvt_network_weight weights[PAPER_WEIGHTS];
  const struct dvt_network_weight *weight_list[PAPER_WEIGHTS];
  struct block values[PAPER_WEIGHTS];
  struct block images, labels, features, gradient, view;
  struct dvt_tensor images_tensor;
  struct dvt_batch batch;
  gboolean in_hook; /**< one that may run auxiliary heads */
};

/** An auxiliary head, one for all networks. */
struct tied_head {
  char *name;
  guint classes;
  float *weights;                     /**< [classes, C], then the biases [classes] */
  struct block logits[MOST_NETWORKS]; /**< [batch, classes] */
  gboolean flown[MOST_NETWORKS];
};

struct aligner_rig {
  struct probe *probe;
  const struct dvt_aligner_ops *ops;
  void *self;
  const struct cast *cast;
  struct dvt_aligner_host host;
  struct paper papers[MOST_NETWORKS];
  const struct dvt_network *networks[MOST_NETWORKS];
  GPtrArray *heads; /**< struct tied_head */
  gboolean in_init, initialised;
  gboolean heads_fail; /**< head_forward fails from now on */
  guint head_failures; /**< how often it did */
};

/** create and init for one cast; as kind.open. The caller frees it. */
struct aligner_rig *aligner_rig_new(struct probe *probe, const struct values *values, const struct cast *cast,
                                    char **refusal);

/** For the first cast that the plugin takes, with the user's settings; NULL with a verdict. */
struct aligner_rig *aligner_rig_open(struct probe *probe);

/** As aligner_rig_open, with one network frozen. */
struct aligner_rig *aligner_rig_open_frozen(struct probe *probe);
void aligner_rig_free(struct aligner_rig *rig);
AUTO_DEFINE(aligner_rig, aligner_rig_free)

/** Calls initialise, where there is one, with the values in sight. Once. */
gboolean aligner_rig_initialise(struct aligner_rig *rig);

/** Fills rig->host. */
void aligner_host_init(struct aligner_rig *rig);
void tied_head_free(gpointer head);

enum hook { HOOK_FEATURE, HOOK_VIEW, HOOK_JOINT, HOOKS };
extern const char *const hook_names[HOOKS];

/** Whether the aligner has a hook. */
gboolean aligner_has(const struct aligner_rig *rig, enum hook hook);

/** How many calls of a hook a step makes: one for each network, or one for all. */
guint aligner_calls(const struct aligner_rig *rig, enum hook hook);

/** Sets the number of the step in every batch. */
void aligner_set_step(struct aligner_rig *rig, guint64 step);

/** Sets every gradient to a number. */
void aligner_set_gradients(struct aligner_rig *rig, float value);

/**
 * Calls a hook (of a view: make_view before it) for network `index`, ignored for a joint loss. Gradients of frozen
 * networks are NULL. FALSE with a verdict when it fails, or leaves no loss that is finite.
 */
gboolean aligner_call(struct aligner_rig *rig, enum hook hook, guint index, double *loss);

/** Whether a hook returns DVT_OK though head_forward failed for it; no verdict. */
gboolean aligner_swallows(struct aligner_rig *rig, enum hook hook, guint index);

/** Every hook once, in the host's order, with gradients from 0: losses and gradients are recorded. */
gboolean aligner_step(struct aligner_rig *rig, guint64 step, struct record *record);

#endif
