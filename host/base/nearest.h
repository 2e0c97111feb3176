/* SPDX-License-Identifier: MIT */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

/**
 * The one of names[0 .. count) that a user most likely meant by `name` (fewest edits, at most a third of its length
 * and at least one allowed); NULL when none is near. Returns one of the pointers given.
 */
const char *nearest_name(const char *name, const char *const *names, unsigned count);

/** "; did you mean 'NEAREST'?" or, when none is near, "; known: A, B, C". The caller frees it. */
char *nearest_hint(const char *name, const char *const *names, unsigned count);

#endif
