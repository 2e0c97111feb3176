/* SPDX-License-Identifier: MIT */
#include "plugin/random.h"

#include <string.h>

#include "plugin/philox.h"

/* FNV-1a; philox does the mixing. */
static guint64 hash_more(guint64 hash, const char *text) {
  for (; *text; text++) hash = (hash ^ (guchar)*text) * G_GUINT64_CONSTANT(0x100000001b3);
  return hash;
}

struct random_stream random_stream_joined(guint64 seed, const char *const *parts) {
  guint64 hash = G_GUINT64_CONSTANT(0xcbf29ce484222325);
  for (; *parts; parts++) hash = hash_more(hash, *parts);
  guint32 words[4] = {(guint32)hash, (guint32)(hash >> 32), 0, 0};
  philox(words, (guint32)seed, (guint32)(seed >> 32));
  return (struct random_stream){{words[0], words[1]}};
}

struct random_stream random_stream(guint64 seed, const char *name) {
  return random_stream_joined(seed, (const char *const[]){name, NULL});
}

void random_words(struct random_stream stream, guint64 epoch, guint64 index, guint32 *out, gsize count) {
  const guint32 key = stream.key[0] ^ (guint32)(epoch >> 32); /* the counter has no room for it */
  for (gsize done = 0; done < count; done += 4) {
    guint32 words[4] = {(guint32)(done / 4), (guint32)index, (guint32)(index >> 32), (guint32)epoch};
    philox(words, key, stream.key[1]);
    memcpy(out + done, words, MIN(count - done, 4) * sizeof *words);
  }
}

float random_unit(guint32 word) { return (float)(word >> 8) * 0x1p-24f; }

guint32 random_below(guint32 word, guint32 n) { return (guint32)((guint64)word * n >> 32); }

void random_order(struct random_stream stream, guint64 epoch, guint32 *order, guint32 count) {
  random_words(stream, epoch, 0, order, count);
  for (guint32 k = 0; k < count; k++) { /* order[0 .. k) is a permutation, order[k ..) still are words */
    const guint32 j = random_below(order[k], k + 1);
    order[k] = order[j];
    order[j] = k;
  }
}
