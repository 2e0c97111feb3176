/* SPDX-License-Identifier: MIT */
#ifndef NN_ARRAY_H
#define NN_ARRAY_H

#include <stddef.h>

/**
 * Makes room for one more item behind the `count` items of `size` bytes in an array that grew by this function alone
 * (NULL at first). Returns the array, which may have moved; NULL when there is no memory, and then it is as it was.
 * The caller owns the array and frees it with free().
 */
void *array_room(void *items, size_t count, size_t size);

#endif
