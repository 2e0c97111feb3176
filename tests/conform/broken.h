/* SPDX-License-Identifier: MIT */
/**
 * Plugins that keep the whole contract, but for the one thing that FAULT names: the id of the check that is to find it,
 * or "none".
 */
#ifndef TESTS_BROKEN_H
#define TESTS_BROKEN_H

#include <dovetail/dovetail.h>
#include <string.h>

#define BROKEN(id) (strcmp(FAULT, id) == 0)

/** What differs from thread to thread: for plugins that are right in the thread that they were made in alone. */
static inline const void *this_thread(void) {
  static _Thread_local char here;
  return &here;
}

#endif
