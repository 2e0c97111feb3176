/* SPDX-License-Identifier: MIT */
/** The block function of Philox4x32-10, for random.c and its test. */
#ifndef PLUGIN_PHILOX_H
#define PLUGIN_PHILOX_H

#include <glib.h>

/** Replaces the counter by the four random words at it. */
static inline void philox(guint32 counter[4], guint32 key_0, guint32 key_1) {
  for (guint round = 0; round < 10; round++) {
    const guint64 a = G_GUINT64_CONSTANT(0xd2511f53) * counter[0], b = G_GUINT64_CONSTANT(0xcd9e8d57) * counter[2];
    counter[0] = (guint32)(b >> 32) ^ counter[1] ^ key_0;
    counter[1] = (guint32)b;
    counter[2] = (guint32)(a >> 32) ^ counter[3] ^ key_1;
    counter[3] = (guint32)a;
    key_0 += 0x9e3779b9;
    key_1 += 0xbb67ae85;
  }
}

#endif
