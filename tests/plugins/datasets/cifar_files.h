/* SPDX-License-Identifier: MIT */
/** Small files in CIFAR's layouts, with pixels that tell file, record and place apart. */
#ifndef TESTS_CIFAR_FILES_H
#define TESTS_CIFAR_FILES_H

#include <glib.h>

enum { CIFAR_TEST_IMAGE = 3072 };

/** image[0 .. CIFAR_TEST_IMAGE): the pixels of a record of a file. */
void cifar_pixels(const char *file, guint record, guint8 *image);

/** labels: label_bytes of each record, one after another. */
void cifar_write(const char *folder, const char *file, guint label_bytes, const guint8 *labels, guint records);

/** A folder of its own with all files; cifar-10: 3, 1, 2, 1, 1 and 2 records; cifar-100: 4 and 2. */
char *cifar10_folder(void);
char *cifar100_folder(void);

/** The caller frees the path. */
char *cifar_path(const char *folder, const char *file);
void cifar_remove(const char *folder, const char *file);
void cifar_replace(const char *folder, const char *file, const char *contents, gssize size);

/** Removes the folder with all that is in it, and frees the name. */
void cifar_folder_free(char *folder);

#endif
