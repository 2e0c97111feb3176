/* SPDX-License-Identifier: MIT */
/** Variables that free what they point to when they leave their scope, for structs without a typedef. */
#ifndef BASE_AUTO_H
#define BASE_AUTO_H

/** After this, `AUTO(name) p = …;` declares a struct name * that `release` frees; g_steal_pointer(&p) keeps it. */
#define AUTO_DEFINE(name, release)                                                                                     \
  static inline void name##_auto(struct name **pointer) {                                                              \
    if (*pointer) release(*pointer);                                                                                   \
  }

#define AUTO(name) __attribute__((cleanup(name##_auto))) struct name *

#endif
