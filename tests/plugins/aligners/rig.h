/* SPDX-License-Identifier: MIT */
/** An aligner of the build in a test's hands: networks as the host shows them, but made up. */
#ifndef TESTS_PLUGINS_ALIGNERS_RIG_H
#define TESTS_PLUGINS_ALIGNERS_RIG_H

#include <dovetail/aligner.h>

#include "plugin/services.h"

enum { RIG_NETWORKS = 3, RIG_BATCH = 6, RIG_FEATURES = 2 * 3 * 3 };

struct rig {
  struct services services;
  struct dvt_aligner_host host; /**< only `base` and `context`, the rig; a test adds what its aligner may call */
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

#endif
