/* SPDX-License-Identifier: MIT */
#include "plugin/parallel.h"

/* Shared by the caller and the helpers it calls; a helper may come when all is done, so each holds a reference. */
struct job {
  void (*body)(void *data, gint64 begin, gint64 end);
  void *data;
  gint64 count;
  gint ranges;
  gint claimed; /* atomic: ranges that somebody took */
  gint done;    /* under `mutex` */
  GMutex mutex;
  GCond finished;
};

static void job_clear(gpointer data) {
  struct job *job = data;
  g_mutex_clear(&job->mutex);
  g_cond_clear(&job->finished);
}

static gint64 range_begin(const struct job *job, gint range) {
  return job->count / job->ranges * range + MIN(range, job->count % job->ranges);
}

/* Does ranges until all are claimed: the caller never waits for a helper that has not begun. */
static void work(struct job *job) {
  gint done = 0, range;
  while ((range = g_atomic_int_add(&job->claimed, 1)) < job->ranges) {
    job->body(job->data, range_begin(job, range), range_begin(job, range + 1));
    done++;
  }
  if (!done) return;
  g_mutex_lock(&job->mutex);
  job->done += done;
  if (job->done == job->ranges) g_cond_signal(&job->finished);
  g_mutex_unlock(&job->mutex);
}

static void help(gpointer data, gpointer unused) {
  (void)unused;
  work(data);
  g_atomic_rc_box_release_full(data, job_clear);
}

/* Without a limit: a call never waits for the threads of another, and idle ones are used again. */
static GThreadPool *helpers(void) {
  static GThreadPool *pool;
  if (g_once_init_enter(&pool)) g_once_init_leave(&pool, g_thread_pool_new(help, NULL, -1, FALSE, NULL));
  return pool;
}

static void share(gint ranges, gint64 count, void (*body)(void *data, gint64 begin, gint64 end), void *data) {
  struct job *job = g_atomic_rc_box_new0(struct job);
  *job = (struct job){.body = body, .data = data, .count = count, .ranges = ranges};
  g_mutex_init(&job->mutex);
  g_cond_init(&job->finished);
  /* Where no thread can be started, push fails and the caller does all. */
  for (gint k = 1; k < ranges; k++) g_thread_pool_push(helpers(), g_atomic_rc_box_acquire(job), NULL);
  work(job);
  g_mutex_lock(&job->mutex);
  while (job->done < job->ranges) g_cond_wait(&job->finished, &job->mutex);
  g_mutex_unlock(&job->mutex);
  g_atomic_rc_box_release_full(job, job_clear);
}

void parallel_for(guint threads, gint64 count, void (*body)(void *data, gint64 begin, gint64 end), void *data) {
  const gint64 ranges = MIN(count, CLAMP(threads, 1, PARALLEL_MOST));
  if (ranges > 1)
    share((gint)ranges, count, body, data);
  else if (ranges == 1)
    body(data, 0, count);
}
