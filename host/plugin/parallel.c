/* SPDX-License-Identifier: MIT */
#include "plugin/parallel.h"

/* One call, in the memory of its caller, who stays until every helper has left it. */
struct job {
  void (*body)(void *data, gint64 begin, gint64 end);
  void *data;
  gint64 count;
  gint ranges;
  gint claimed;       /* atomic: ranges that somebody took */
  guint open, inside; /* under crew.mutex: helpers that are wanted still; that work */
  struct job *next;
};

/* All helpers; they never end. Without a limit: a call never waits for the threads of another. */
static struct {
  GMutex mutex;
  GCond called, left;
  struct job *jobs; /* with open > 0 */
  guint open;       /* of all of these */
  guint idle;       /* helpers without a job */
} crew;

static gint64 range_begin(const struct job *job, gint range) {
  return job->count / job->ranges * range + MIN(range, job->count % job->ranges);
}

/* Does ranges until all are claimed. */
static void work(struct job *job) {
  gint range;
  while ((range = g_atomic_int_add(&job->claimed, 1)) < job->ranges)
    job->body(job->data, range_begin(job, range), range_begin(job, range + 1));
}

static void close_job(struct job *job) {
  struct job **link = &crew.jobs;
  while (*link && *link != job) link = &(*link)->next;
  if (*link) *link = job->next;
  crew.open -= job->open;
  job->open = 0;
}

static struct job *take_job(void) {
  while (!crew.jobs) g_cond_wait(&crew.called, &crew.mutex);
  struct job *job = crew.jobs;
  crew.idle--;
  crew.open--;
  job->inside++;
  if (!--job->open) close_job(job);
  return job;
}

static gpointer help(gpointer unused) {
  g_mutex_lock(&crew.mutex);
  for (;;) {
    struct job *job = take_job();
    g_mutex_unlock(&crew.mutex);
    work(job);
    g_mutex_lock(&crew.mutex);
    crew.idle++;
    if (!--job->inside) g_cond_broadcast(&crew.left);
  }
  return unused;
}

/* Where no thread can be started, callers do what is left. */
static gboolean start_helper(void) {
  GThread *thread = g_thread_try_new("helper", help, NULL, NULL);
  if (!thread) return FALSE;
  g_thread_unref(thread);
  crew.idle++;
  return TRUE;
}

static void open_job(struct job *job) {
  g_mutex_lock(&crew.mutex);
  job->open = (guint)job->ranges - 1;
  job->next = crew.jobs;
  crew.jobs = job;
  crew.open += job->open;
  while (crew.idle < crew.open && start_helper()) continue;
  g_cond_broadcast(&crew.called);
  g_mutex_unlock(&crew.mutex);
}

/* Never waits for a helper that has not begun. */
static void wait_for_helpers(struct job *job) {
  g_mutex_lock(&crew.mutex);
  close_job(job);
  while (job->inside) g_cond_wait(&crew.left, &crew.mutex);
  g_mutex_unlock(&crew.mutex);
}

void parallel_for(guint threads, gint64 count, void (*body)(void *data, gint64 begin, gint64 end), void *data) {
  const gint64 ranges = MIN(count, CLAMP(threads, 1, PARALLEL_MOST));
  struct job job = {.body = body, .data = data, .count = count, .ranges = (gint)ranges};
  if (ranges > 1) {
    open_job(&job);
    work(&job);
    wait_for_helpers(&job);
  } else if (ranges == 1) {
    body(data, 0, count);
  }
}
