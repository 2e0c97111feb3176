/* SPDX-License-Identifier: MIT */
#include "data/feeder.h"

#include <stdlib.h>

#include "base/memory.h"
#include "data/augment.h"
#include "plugin/random.h"

enum { SLOTS = 3 }; /* one in use, one ready, one in the making */

struct feeder {
  const struct task *task;
  guint batch, pad;
  gboolean flip, still;
  struct random_stream order_stream, augment_stream;
  guint64 next_step, order_epoch;
  guint32 *order; /* of epoch order_epoch */
  guint8 *image;
  struct feed slots[SLOTS];

  GThread *thread;
  GMutex mutex;
  GCond moved;
  guint64 made, taken; /* batches since the start; the one handed out is taken - 1 */
  gint64 spent;        /* microseconds, on the batches made */
  gboolean stop;
  GError *error;
};

guint64 feeder_epoch_steps(const struct task *task, guint batch) { return task->count[DVT_SUBSET_TRAIN] / batch; }

static void shuffle(struct feeder *feeder, guint64 epoch) {
  if (feeder->order_epoch == epoch) return;
  random_order(feeder->order_stream, epoch, feeder->order, feeder->task->count[DVT_SUBSET_TRAIN]);
  feeder->order_epoch = epoch;
}

/* Keyed by the example and not by its place in the batch, so that the order of reading does not matter. */
static struct augmentation draw(const struct feeder *feeder, guint64 epoch, guint32 example) {
  guint32 words[3];
  random_words(feeder->augment_stream, epoch, example, words, G_N_ELEMENTS(words));
  return augmentation_draw(words, feeder->pad, feeder->flip);
}

static gboolean fill(struct feeder *feeder, guint64 step, struct feed *feed, GError **error) {
  const struct task *task = feeder->task;
  const guint64 steps = feeder_epoch_steps(task, feeder->batch), epoch = step / steps;
  const gsize first = (gsize)(step % steps) * feeder->batch, size = dataset_image_size(task->dataset);
  shuffle(feeder, epoch);
  for (guint k = 0; k < feeder->batch; k++) {
    const guint32 example = task->examples[DVT_SUBSET_TRAIN][feeder->order[first + k]];
    const struct augmentation augmentation = draw(feeder, epoch, example);
    guint32 label;
    if (!dataset_read(task->dataset, DVT_SUBSET_TRAIN, example, feeder->image, &label, error)) return FALSE;
    feed->labels[k] = task->labels[label];
    augment_image(task, feeder->image, &augmentation, feed->images + k * size);
  }
  return TRUE;
}

static gboolean wait_for_room(struct feeder *feeder) {
  g_mutex_lock(&feeder->mutex);
  while (!feeder->stop && feeder->made >= feeder->taken + SLOTS - 1) g_cond_wait(&feeder->moved, &feeder->mutex);
  const gboolean go_on = !feeder->stop;
  g_mutex_unlock(&feeder->mutex);
  return go_on;
}

static void publish(struct feeder *feeder, gint64 spent, GError *error) {
  g_mutex_lock(&feeder->mutex);
  feeder->made++;
  feeder->spent += spent;
  feeder->error = error;
  g_cond_broadcast(&feeder->moved);
  g_mutex_unlock(&feeder->mutex);
}

static gpointer feed_batches(gpointer data) {
  struct feeder *feeder = data;
  GError *error = NULL;
  do {
    if (!wait_for_room(feeder)) break;
    const gint64 start = g_get_monotonic_time();
    fill(feeder, feeder->next_step++, &feeder->slots[feeder->made % SLOTS], &error);
    publish(feeder, g_get_monotonic_time() - start, error);
  } while (!error && !feeder->still);
  return NULL;
}

static gboolean make_slots(struct feeder *feeder, GError **error) {
  const gsize size = dataset_image_size(feeder->task->dataset);
  feeder->image = g_malloc(size);
  feeder->order = g_new(guint32, feeder->task->count[DVT_SUBSET_TRAIN]);
  for (guint k = 0; k < SLOTS; k++) {
    feeder->slots[k].labels = g_new(gint32, feeder->batch);
    feeder->slots[k].images = memory_floats(feeder->batch * size, error);
    if (!feeder->slots[k].images) return FALSE;
  }
  return TRUE;
}

struct feeder *feeder_new(const struct task *task, const struct feeder_config *config, guint64 first_step,
                          GError **error) {
  if (!feeder_epoch_steps(task, config->batch)) {
    error_failed(error, "a batch of %u is larger than the %u training examples", config->batch,
                 task->count[DVT_SUBSET_TRAIN]);
    return NULL;
  }
  AUTO(feeder) feeder = g_new0(struct feeder, 1);
  g_autofree char *order = g_strdup_printf("order/%s", config->stream);
  g_autofree char *augment = g_strdup_printf("augment/%s", config->stream);
  feeder->task = task;
  feeder->batch = config->batch;
  feeder->pad = config->pad;
  feeder->flip = config->flip;
  feeder->still = config->still;
  feeder->order_stream = random_stream(config->seed, order);
  feeder->augment_stream = random_stream(config->seed, augment);
  feeder->order_epoch = G_MAXUINT64;
  feeder->next_step = first_step;
  g_mutex_init(&feeder->mutex);
  g_cond_init(&feeder->moved);
  if (!make_slots(feeder, error)) return NULL;
  feeder->thread = g_thread_new("feeder", feed_batches, feeder);
  return g_steal_pointer(&feeder);
}

void feeder_free(struct feeder *feeder) {
  if (!feeder) return;
  g_mutex_lock(&feeder->mutex);
  feeder->stop = TRUE;
  g_cond_broadcast(&feeder->moved);
  g_mutex_unlock(&feeder->mutex);
  if (feeder->thread) g_thread_join(feeder->thread);
  for (guint k = 0; k < SLOTS; k++) {
    free(feeder->slots[k].images);
    g_free(feeder->slots[k].labels);
  }
  g_mutex_clear(&feeder->mutex);
  g_cond_clear(&feeder->moved);
  g_clear_error(&feeder->error);
  g_free(feeder->image);
  g_free(feeder->order);
  g_free(feeder);
}

const struct feed *feeder_next(struct feeder *feeder, GError **error) {
  g_mutex_lock(&feeder->mutex);
  while (feeder->made == feeder->taken) g_cond_wait(&feeder->moved, &feeder->mutex);
  const gboolean last = feeder->error && feeder->made == feeder->taken + 1;
  const struct feed *feed = last ? NULL : &feeder->slots[feeder->taken % SLOTS];
  if (!last && !feeder->still) feeder->taken++;
  if (last && error) *error = g_error_copy(feeder->error);
  g_cond_broadcast(&feeder->moved);
  g_mutex_unlock(&feeder->mutex);
  return feed;
}

double feeder_seconds(struct feeder *feeder) {
  g_mutex_lock(&feeder->mutex);
  const double seconds = (double)feeder->spent / G_TIME_SPAN_SECOND;
  g_mutex_unlock(&feeder->mutex);
  return seconds;
}
