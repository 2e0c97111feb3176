/* SPDX-License-Identifier: MIT */
#include "train/trainer.h"

#include "train/aligner.h"
#include "train/meeting.h"
#include "train/schedule.h"

/* Sums over the steps of an epoch. */
struct tally {
  double task, correct;
  double *aligners;
};

struct trainer;

/* One network's thread. */
struct worker {
  struct trainer *trainer;
  struct flight *flight;
  struct feeder *feeder;
  struct tally tally;
  GThread *thread;
  gint64 waiting;     /* microseconds so far */
  guint64 steps_done; /* under trainer->mutex */
};

struct trainer {
  struct composition *composition;
  const struct trainer_config *config;
  const struct trainer_watcher *watcher;
  struct stepper *stepper;
  struct worker *workers;
  guint count;                /* of workers */
  struct epoch_losses *means; /* by network */
  guint64 steps, epoch_steps;
  double rate; /* of the step that the networks meet in */
  struct meeting meeting;

  GMutex mutex;
  GCond changed;
  guint running;
  GError *error; /* the first */
};

static guint64 epoch_steps(const struct composition *composition) {
  guint64 least = G_MAXUINT64;
  for (guint t = 0; t < composition->network_count; t++) {
    const struct network *network = &composition->networks[t];
    if (!network->view.frozen)
      least = MIN(least, feeder_epoch_steps(network->task, composition->experiment->train.batch));
  }
  return least;
}

guint64 trainer_steps(const struct composition *composition) {
  const struct train_spec *train = &composition->experiment->train;
  return train->steps ? train->steps : train->epochs * epoch_steps(composition);
}

static void keep_error(struct trainer *trainer, GError *error) {
  g_mutex_lock(&trainer->mutex);
  if (trainer->error)
    g_error_free(error);
  else
    trainer->error = error;
  g_mutex_unlock(&trainer->mutex);
}

static gboolean meet_joint(gpointer data) {
  struct worker *worker = data;
  struct trainer *trainer = worker->trainer;
  GError *error = NULL;
  const gint64 start = g_get_monotonic_time();
  const gboolean good = stepper_joint(trainer->stepper, &error);
  worker->flight->in_hooks += g_get_monotonic_time() - start;
  if (!good) {
    g_prefix_error(&error, "step %" G_GUINT64_FORMAT ", between the networks: ", trainer->workers[0].flight->step);
    keep_error(trainer, error);
  }
  return good;
}

static gboolean meet_tie(gpointer data) {
  struct worker *worker = data;
  const gint64 start = g_get_monotonic_time();
  stepper_tie(worker->trainer->stepper, worker->trainer->rate);
  worker->flight->in_optimiser += g_get_monotonic_time() - start;
  return TRUE;
}

static void count_losses(struct worker *worker) {
  const struct stepper *stepper = worker->flight->stepper;
  const struct step_losses *losses = &worker->flight->losses;
  worker->tally.task += losses->task;
  worker->tally.correct += losses->correct;
  for (guint k = 0; k < stepper->composition->aligner_count; k++)
    worker->tally.aligners[k] += losses->aligners[k] + (stepper->joint ? stepper->joint_losses[k] : 0);
}

static void take_means(struct tally *tally, struct epoch_losses *means, guint64 steps, guint batch, guint aligners) {
  means->task = tally->task / (double)steps;
  means->accuracy = tally->correct / ((double)steps * batch);
  for (guint k = 0; k < aligners; k++) tally->aligners[k] /= (double)steps;
  means->aligners = tally->aligners;
}

static void clear_tally(struct tally *tally, guint aligners) {
  tally->task = tally->correct = 0;
  for (guint k = 0; k < aligners; k++) tally->aligners[k] = 0;
}

static gboolean meet_epoch(gpointer data) {
  struct trainer *trainer = ((struct worker *)data)->trainer;
  const struct composition *composition = trainer->composition;
  const guint64 step = trainer->workers[0].flight->step + 1, steps = (step - 1) % trainer->epoch_steps + 1;
  for (guint t = 0; t < trainer->count; t++)
    take_means(&trainer->workers[t].tally, &trainer->means[trainer->workers[t].flight->index], steps,
               composition->experiment->train.batch, composition->aligner_count);
  const struct epoch_report report = {
      .epoch = (step - 1) / trainer->epoch_steps,
      .epochs = (trainer->steps + trainer->epoch_steps - 1) / trainer->epoch_steps,
      .step = step,
      .rate = schedule_rate(&composition->experiment->train.schedule, step - 1, trainer->steps),
      .networks = trainer->means,
  };
  GError *error = NULL;
  const gboolean good = trainer->watcher->epoch(trainer->watcher->data, &report, &error);
  for (guint t = 0; t < trainer->count; t++) clear_tally(&trainer->workers[t].tally, composition->aligner_count);
  if (!good) keep_error(trainer, error);
  return good;
}

/* A clock that stands still while the network does something for all. */
static gint64 idle_clock(const struct worker *worker) {
  return g_get_monotonic_time() - worker->flight->in_hooks - worker->flight->in_optimiser;
}

static gboolean meet(struct worker *worker, gboolean (*task)(gpointer data)) {
  const gint64 start = idle_clock(worker);
  const gboolean good = meeting_wait(&worker->trainer->meeting, task, worker);
  worker->waiting += idle_clock(worker) - start;
  return good;
}

static const struct feed *next_feed(struct worker *worker, GError **error) {
  const gint64 start = g_get_monotonic_time();
  const struct feed *feed = feeder_next(worker->feeder, error);
  worker->waiting += g_get_monotonic_time() - start;
  return feed;
}

/* FALSE without an error: another network ended the training. */
static gboolean run_step(struct worker *worker, guint64 step, GError **error) {
  struct trainer *trainer = worker->trainer;
  struct stepper *stepper = trainer->stepper;
  const double rate = schedule_rate(&trainer->composition->experiment->train.schedule, step, trainer->steps);
  const struct feed *feed = next_feed(worker, error);
  if (!feed || !flight_task(worker->flight, feed, step / trainer->epoch_steps, step, error)) return FALSE;
  if (stepper->joint && !meet(worker, meet_joint)) return FALSE;
  if (!flight_backward(worker->flight, error)) return FALSE;
  count_losses(worker);
  if (stepper->tied) {
    if (worker == trainer->workers) trainer->rate = rate; /* read by whoever comes last, after this */
    if (!meet(worker, meet_tie)) return FALSE;
  }
  flight_update(worker->flight, rate);
  const gboolean epoch_over = (step + 1) % trainer->epoch_steps == 0 || step + 1 == trainer->steps;
  return !epoch_over || meet(worker, meet_epoch);
}

static void tell_step(struct worker *worker, guint64 step) {
  const struct trainer_watcher *watcher = worker->trainer->watcher;
  struct step_times times;
  if (!watcher->step) return;
  flight_times(worker->flight, &times);
  times.waiting = (double)worker->waiting / G_TIME_SPAN_SECOND;
  times.data = feeder_seconds(worker->feeder);
  watcher->step(watcher->data, worker->flight->index, step, &times);
}

static gpointer work(gpointer data) {
  struct worker *worker = data;
  struct trainer *trainer = worker->trainer;
  GError *error = NULL;
  gboolean going = TRUE;
  for (guint64 step = 0; going && step < trainer->steps; step++) {
    if (g_atomic_int_get(trainer->config->interrupted)) {
      g_set_error_literal(&error, DOVETAIL_ERROR, DOVETAIL_INTERRUPTED, "interrupted");
      break;
    }
    going = run_step(worker, step, &error);
    if (going) tell_step(worker, step);
    if (error)
      g_prefix_error(&error, "step %" G_GUINT64_FORMAT ", network %s: ", step, worker->flight->network->spec->name);
    g_mutex_lock(&trainer->mutex);
    if (going) worker->steps_done = step + 1;
    g_mutex_unlock(&trainer->mutex);
  }
  if (error) {
    keep_error(trainer, error);
    meeting_cancel(&trainer->meeting);
  }
  g_mutex_lock(&trainer->mutex);
  trainer->running--;
  g_cond_broadcast(&trainer->changed);
  g_mutex_unlock(&trainer->mutex);
  return NULL;
}

/* The worker of network t is the next one. */
static gboolean make_worker(struct trainer *trainer, guint t, GError **error) {
  struct worker *worker = &trainer->workers[trainer->count++];
  const struct experiment *experiment = trainer->composition->experiment;
  const struct feeder_config config = {
      .batch = experiment->train.batch,
      .pad = experiment->train.pad,
      .flip = experiment->train.flip,
      .still = trainer->config->still,
      .seed = experiment->seed,
      .stream = aligners_paired(trainer->composition) ? "shared" : trainer->composition->networks[t].spec->name,
  };
  worker->trainer = trainer;
  worker->flight = &trainer->stepper->flights[t];
  worker->tally.aligners = g_new0(double, trainer->composition->aligner_count + 1);
  worker->feeder = feeder_new(trainer->composition->networks[t].task, &config, 0, error);
  return worker->feeder != NULL;
}

static void watch(struct trainer *trainer) {
  g_mutex_lock(&trainer->mutex);
  while (trainer->running) {
    g_cond_wait_until(&trainer->changed, &trainer->mutex, g_get_monotonic_time() + G_TIME_SPAN_SECOND / 5);
    guint64 done = G_MAXUINT64;
    for (guint t = 0; t < trainer->count; t++) done = MIN(done, trainer->workers[t].steps_done);
    g_mutex_unlock(&trainer->mutex);
    trainer->watcher->progress(trainer->watcher->data, done, trainer->steps);
    g_mutex_lock(&trainer->mutex);
  }
  g_mutex_unlock(&trainer->mutex);
}

static gboolean tell_start(struct trainer *trainer) {
  const struct trainer_watcher *watcher = trainer->watcher;
  return !watcher->start || watcher->start(watcher->data, &trainer->error);
}

static void run_workers(struct trainer *trainer) {
  trainer->running = trainer->count;
  for (guint t = 0; t < trainer->count; t++) {
    const char *name = trainer->workers[t].flight->network->spec->name;
    trainer->workers[t].thread = g_thread_new(name, work, &trainer->workers[t]);
  }
  watch(trainer);
  for (guint t = 0; t < trainer->count; t++) g_thread_join(trainer->workers[t].thread);
}

static gboolean prepare(struct trainer *trainer, GError **error) {
  trainer->stepper = stepper_new(trainer->composition, trainer->config->threads, error);
  if (!trainer->stepper) return FALSE;
  for (guint t = 0; t < trainer->composition->network_count; t++)
    if (network_flies(trainer->composition, t) && !make_worker(trainer, t, error)) return FALSE;
  return TRUE;
}

gboolean trainer_run(struct composition *composition, const struct trainer_config *config,
                     const struct trainer_watcher *watcher, GError **error) {
  struct trainer trainer = {
      .composition = composition,
      .config = config,
      .watcher = watcher,
      .workers = g_new0(struct worker, composition->network_count),
      .means = g_new0(struct epoch_losses, composition->network_count),
      .steps = trainer_steps(composition),
      .epoch_steps = epoch_steps(composition),
  };
  g_mutex_init(&trainer.mutex);
  g_cond_init(&trainer.changed);
  if (prepare(&trainer, &trainer.error) && tell_start(&trainer)) {
    meeting_init(&trainer.meeting, trainer.count);
    run_workers(&trainer);
    meeting_finish(&trainer.meeting);
  }
  for (guint t = 0; t < trainer.count; t++) {
    feeder_free(trainer.workers[t].feeder);
    g_free(trainer.workers[t].tally.aligners);
  }
  if (trainer.stepper) stepper_free(trainer.stepper);
  g_free(trainer.workers);
  g_free(trainer.means);
  g_mutex_clear(&trainer.mutex);
  g_cond_clear(&trainer.changed);
  if (!trainer.error) return TRUE;
  g_propagate_error(error, trainer.error);
  return FALSE;
}
