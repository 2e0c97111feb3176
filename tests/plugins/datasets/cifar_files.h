/* SPDX-License-Identifier: MIT */
/** Small files in CIFAR's layouts, with pixels that tell file, record and place apart. */
#ifndef TESTS_CIFAR_FILES_H
#define TESTS_CIFAR_FILES_H

#include <glib.h>

#include "scratch.h"

enum { CIFAR_TEST_IMAGE = 3072 };

/** image[0 .. CIFAR_TEST_IMAGE): the pixels of a record of a file. */
void cifar_pixels(const char *file, guint record, guint8 *image);

/** labels: label_bytes of each record, one after another. */
void cifar_write(const char *folder, const char *file, guint label_bytes, const guint8 *labels, guint records);

/** All files of cifar-10, whatever was there: 3, 1, 2, 1, 1 and 2 records. */
void cifar10_write(const char *folder);

/** cmocka's setup: *state becomes a new folder with all files of cifar-10 and of cifar-100 (4 and 2 records). */
int cifar_setup(void **state);

/** A case that has such a folder. */
#define CIFAR_TEST(function) cmocka_unit_test_setup_teardown(function, cifar_setup, scratch_teardown)

/** The caller frees the path. */
char *cifar_path(const char *folder, const char *file);
void cifar_remove(const char *folder, const char *file);
void cifar_replace(const char *folder, const char *file, const char *contents, gssize size);

#endif
