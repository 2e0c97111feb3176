/* SPDX-License-Identifier: MIT */
/** An aligner of the build in a test's hands: networks as the host shows them, but made up. */
#ifndef TESTS_PLUGINS_ALIGNERS_RIG_H
#define TESTS_PLUGINS_ALIGNERS_RIG_H

#include <dovetail/aligner.h>

#include "plugin/services.h"

enum { RIG_NETWORKS = 3, RIG_BATCH = 6, RIG_FEATURES = 2 * 3 * 3, RIG_HEAD = 7 };

/** What an aligner asked of the host: a head, then to run it. */
struct rig_asked {
  GString *classes; /**< of the head, each followed by a space */
  uint32_t network;
  int32_t labels[RIG_BATCH];
  double weight;
  struct dvt_tensor *gradient;
  gboolean forward, loss, backward;
};

struct rig {
  struct services services;
  struct dvt_aligner_host host; /**< only `base` and `context`, the rig; a test adds what its aligner may call */
  struct rig_asked asked;
  struct dvt_network networks[RIG_NETWORKS];
  const struct dvt_network *views[RIG_NETWORKS];
  const struct dvt_aligner_ops *ops;
  void *aligner;
  struct dvt_error fault;
  GString *log; /**< what the aligner logged, each with a newline */
};

/** cmocka's setup and teardown: *state is a rig of networks a, b and c, with features of 2 x 3 x 3 and no weights. */
int rig_setup(void **state);
int rig_teardown(void **state);
#define RIG_TEST(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)

/** Makes the aligner for the first `count` networks, as the test changed them. values may be NULL. Returns init's
 * status. */
int rig_init(struct rig *rig, const char *plugin, const struct dvt_value *values, uint32_t count);

/** Fails the case unless init refuses the networks with this message. */
void rig_refuses(struct rig *rig, const char *plugin, const struct dvt_value *values, uint32_t count,
                 const char *message);

/** Lets the aligner ask for one head, RIG_HEAD, which does nothing but note what it is asked. */
void rig_give_head(struct rig *rig);

/** A hook for features of a network: feature_loss or view_loss. */
typedef int rig_hook(void *aligner, const struct dvt_batch *batch, const struct dvt_tensor *features,
                     struct dvt_tensor *gradient, double *loss, struct dvt_error *error);

/** Calls the hook; fails the case unless it runs the head there and back, for this network, weight and gradient. */
void rig_runs_head(struct rig *rig, rig_hook *hook, const struct dvt_batch *batch, struct dvt_tensor *gradient);

#endif
