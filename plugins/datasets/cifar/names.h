/* SPDX-License-Identifier: MIT */
#ifndef CIFAR_NAMES_H
#define CIFAR_NAMES_H

#include <dovetail/error.h>

/**
 * Reads `count` class names, one a line, from a file; empty lines do not count. *names[0 .. count) is one block of
 * memory, freed with free(); it stays NULL when there is no such file.
 * Fails when the number is another, a name occurs twice, or a line is no printable ASCII.
 */
int names_read(const char *path, uint32_t count, const char ***names, struct dvt_error *error);

extern const char *const cifar10_names[10];
extern const char *const cifar100_fine_names[100];
extern const char *const cifar100_coarse_names[20];

#endif
