/* SPDX-License-Identifier: MIT */
/** What the tests of train/ share. */
#ifndef TRAIN_TEST_H
#define TRAIN_TEST_H

#include "plugin/registry.h"

/** The plugins of the folder DOVETAIL_PLUGIN_PATH, between these two: setup and teardown of a cmocka group. */
extern struct registry *registry;
int registry_setup(void **state);
int registry_teardown(void **state);

/** Two networks and three steps, in YAML. */
extern const char small_experiment[];

#endif
