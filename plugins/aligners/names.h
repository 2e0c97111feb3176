/* SPDX-License-Identifier: MIT */
/** Names in a message: "conv1.weight, bn1.weight and 3 more". */
#ifndef ALIGNERS_NAMES_H
#define ALIGNERS_NAMES_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { NAMES_MOST = 8, NAMES_SIZE = 640 };

/** Starts as {0}. */
struct names {
  uint32_t count;        /**< that were added */
  char text[NAMES_SIZE]; /**< the first few of them; cut, never overrun */
};

static inline void names_add(struct names *names, const char *name) {
  const size_t length = strlen(names->text);
  if (names->count++ < NAMES_MOST)
    snprintf(names->text + length, sizeof names->text - length, "%s%s", length ? ", " : "", name);
}

/** Says how many are left out, and returns the text; nothing is added after this. */
static inline const char *names_end(struct names *names) {
  const size_t length = strlen(names->text);
  if (names->count > NAMES_MOST)
    snprintf(names->text + length, sizeof names->text - length, " and %u more", (unsigned)(names->count - NAMES_MOST));
  return names->text;
}

#endif
