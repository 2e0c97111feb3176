/* SPDX-License-Identifier: MIT */
#include "cifar_files.h"

#include <glib/gstdio.h>
#include <string.h>

void cifar_pixels(const char *file, guint record, guint8 *image) {
  const guint start = g_str_hash(file) + 7 * record;
  for (guint k = 0; k < CIFAR_TEST_IMAGE; k++) image[k] = (guint8)(start + k % 251 + k / 251);
}

char *cifar_path(const char *folder, const char *file) { return g_build_filename(folder, file, NULL); }

void cifar_replace(const char *folder, const char *file, const char *contents, gssize size) {
  g_autofree char *path = cifar_path(folder, file);
  g_autoptr(GError) error = NULL;
  if (!g_file_set_contents(path, contents, size, &error)) g_error("%s", error->message);
}

void cifar_remove(const char *folder, const char *file) {
  g_autofree char *path = cifar_path(folder, file);
  if (g_remove(path) != 0) g_error("cannot remove %s", path);
}

void cifar_write(const char *folder, const char *file, guint label_bytes, const guint8 *labels, guint records) {
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  guint8 image[CIFAR_TEST_IMAGE];
  for (guint record = 0; record < records; record++) {
    cifar_pixels(file, record, image);
    g_byte_array_append(bytes, labels + record * label_bytes, label_bytes);
    g_byte_array_append(bytes, image, sizeof image);
  }
  cifar_replace(folder, file, (const char *)bytes->data, bytes->len);
}

void cifar10_write(const char *folder) {
  cifar_write(folder, "data_batch_1.bin", 1, (const guint8[]){6, 9, 0}, 3);
  cifar_write(folder, "data_batch_2.bin", 1, (const guint8[]){4}, 1);
  cifar_write(folder, "data_batch_3.bin", 1, (const guint8[]){1, 1}, 2);
  cifar_write(folder, "data_batch_4.bin", 1, (const guint8[]){2}, 1);
  cifar_write(folder, "data_batch_5.bin", 1, (const guint8[]){7}, 1);
  cifar_write(folder, "test_batch.bin", 1, (const guint8[]){3, 8}, 2);
}

static void cifar100_write(const char *folder) {
  cifar_write(folder, "train.bin", 2, (const guint8[]){19, 99, 0, 0, 11, 42, 3, 77}, 4);
  cifar_write(folder, "test.bin", 2, (const guint8[]){5, 40, 19, 0}, 2);
}

int cifar_setup(void **state) {
  const int failed = scratch_setup(state);
  if (failed) return failed;
  cifar10_write(*state);
  cifar100_write(*state);
  return 0;
}
