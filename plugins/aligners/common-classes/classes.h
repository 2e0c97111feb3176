/* SPDX-License-Identifier: MIT */
/** The classes that the tasks of several networks have in common. */
#ifndef COMMON_CLASSES_CLASSES_H
#define COMMON_CLASSES_CLASSES_H

#include <dovetail/aligner.h>

/** The label of a class in a network's task, or -1. */
int32_t class_label(const struct dvt_network *network, const char *name);

/**
 * Chooses the classes wanted[0 .. wanted_count), each the name of a class or its label in the task of network 0, or,
 * when none is wanted, those that every task has, in the order of network 0. Writes their names, which belong to
 * network 0, to names, where there is room for every class of network 0. Fails when a class is in not every task or is
 * wanted twice, and with fewer than two; blames the parameter `classes`.
 */
int classes_choose(const struct dvt_network *const *networks, uint32_t network_count, const char *const *wanted,
                   uint32_t wanted_count, const char **names, uint32_t *count, struct dvt_error *error);

#endif
