/* SPDX-License-Identifier: MIT */
/**
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
 * section 4.3). A word depends on (seed, stream, epoch, index, position) alone. All functions: any thread.
 */
#ifndef PLUGIN_RANDOM_H
#define PLUGIN_RANDOM_H

#include <glib.h>

/** A stream by its name; cheap to copy. */
struct random_stream {
  guint32 key[2];
};

/** Streams of another seed or another name are independent. */
struct random_stream random_stream(guint64 seed, const char *name);

/** The stream whose name is the parts, joined; NULL ends them. Allocates nothing. */
struct random_stream random_stream_joined(guint64 seed, const char *const *parts);

/** out[0 .. count): the words at (epoch, index); a shorter call gives a prefix of a longer one. count <= 2^34. */
void random_words(struct random_stream stream, guint64 epoch, guint64 index, guint32 *out, gsize count);

/** The word's share of [0, 1): 24 bits, exact in float32. */
float random_unit(guint32 word);

/** A number in [0, n) from a word, by multiplication: bias below n / 2^32. */
guint32 random_below(guint32 word, guint32 n);

/** order[0 .. count): a permutation of 0 .. count - 1 for an epoch (Fisher-Yates). */
void random_order(struct random_stream stream, guint64 epoch, guint32 *order, guint32 count);

#endif
