/* SPDX-License-Identifier: MIT */
#ifndef CIFAR_FILE_H
#define CIFAR_FILE_H

#include <dovetail/error.h>

/** Opens a regular file for reading and tells its size; never waits. *file is -1 unless that succeeds. */
int file_open(const char *path, int *file, uint64_t *size, struct dvt_error *error);

#endif
