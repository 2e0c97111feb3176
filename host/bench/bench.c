/* SPDX-License-Identifier: MIT */
#include "bench/bench.h"

#include "bench/peak.h"
#include "bench/process.h"
#include "train/trainer.h"

const char bench_experiment[] = "name: bench\n"
                                "data: {plugin: shapes, params: {train: 1280, test: 10}}\n"
                                "networks:\n"
                                "  a: &network\n"
                                "    backbone: {plugin: resnet, params: {depth: 56}}\n"
                                "    split: layer2\n"
                                "    head: {plugin: resnet-tail, params: {depth: 56}}\n"
                                "  b: *network\n"
                                "train: {batch: 128}\n";

enum { WARM_UP = 2 /* steps */ };

/* Where a network stands at the end of a step. */
struct stand {
  gint64 at; /* of the monotonic clock */
  struct step_times times;
};

struct lane {
  struct stand begin, end; /* of the steps that count */
  double first_done;       /* seconds from the start of the process, as first_begun */
};

struct recorder {
  guint64 last;       /* step */
  struct lane *lanes; /* by network; a lane is its network's thread's */
  double first_begun;
};

static gboolean ignore_epoch(gpointer data, const struct epoch_report *report, GError **error) {
  (void)data;
  (void)report;
  (void)error;
  return TRUE;
}

static void ignore_progress(gpointer data, guint64 step, guint64 steps) {
  (void)data;
  (void)step;
  (void)steps;
}

static gboolean record_start(gpointer data, GError **error) {
  struct recorder *recorder = data;
  (void)error;
  recorder->first_begun = process_age();
  return TRUE;
}

static void record_step(gpointer data, guint network, guint64 step, const struct step_times *times) {
  const struct recorder *recorder = data;
  struct lane *lane = &recorder->lanes[network];
  const struct stand stand = {g_get_monotonic_time(), *times};
  if (step == 0) lane->first_done = process_age();
  if (step == WARM_UP - 1) lane->begin = stand;
  if (step == recorder->last) lane->end = stand;
}

static double *phase(struct step_times *times, guint k) {
  double *const phases[] = {&times->forward, &times->backward_data, &times->backward_weights,
                            &times->norm,    &times->aligner,       &times->optimiser,
                            &times->waiting, &times->data,          &times->operations};
  return k < G_N_ELEMENTS(phases) ? phases[k] : NULL;
}

/* Adds what a network did in a step, as a mean over `steps` of them; other: still without what the phases leave. */
static void add_lane(struct bench_times *sum, struct lane *lane, guint steps) {
  sum->step += (double)(lane->end.at - lane->begin.at) / G_TIME_SPAN_SECOND / steps;
  for (guint k = 0; phase(&sum->phases, k); k++)
    *phase(&sum->phases, k) += (*phase(&lane->end.times, k) - *phase(&lane->begin.times, k)) / steps;
}

static void take_means(struct bench_times *times, guint count) {
  struct step_times *phases = &times->phases;
  const double operations = phases->operations;
  for (guint k = 0; phase(phases, k); k++) *phase(phases, k) /= count;
  phases->operations = operations;
  times->step /= count;
  times->other = times->step - phases->forward - phases->backward_data - phases->backward_weights - phases->norm -
                 phases->aligner - phases->optimiser - phases->waiting;
}

/* first: set as in the result; may be NULL. */
static gboolean measure(struct composition *composition, guint threads, gboolean still, guint steps,
                        struct bench_times *times, struct bench_first *first, GError **error) {
  static const gint never;
  g_autofree struct lane *lanes = g_new0(struct lane, composition->network_count);
  struct recorder recorder = {.last = WARM_UP + steps - 1, .lanes = lanes};
  const struct trainer_config config = {.threads = threads, .still = still, .interrupted = &never};
  const struct trainer_watcher watcher = {record_start, ignore_epoch, ignore_progress, record_step, &recorder};
  guint count = 0;
  if (!trainer_run(composition, &config, &watcher, error)) return FALSE;
  *times = (struct bench_times){0};
  if (first) first->begun = recorder.first_begun;
  for (guint t = 0; t < composition->network_count; t++) {
    if (!network_flies(composition, t)) continue;
    add_lane(times, &lanes[t], steps);
    count++;
    if (first) first->done = MAX(first->done, lanes[t].first_done);
  }
  take_means(times, count);
  times->images = composition_trained(composition) * composition->experiment->train.batch / times->step;
  return TRUE;
}

gboolean bench_run(struct experiment *experiment, struct composition *composition, guint steps,
                   struct bench_result *result, GError **error) {
  struct train_spec *train = &experiment->train;
  *result = (struct bench_result){.threads = threads_taken(composition)};
  train->epochs = 0;
  train->steps = WARM_UP + steps;
  train->check = 0;
  train->schedule = (struct schedule_spec){.kind = SCHEDULE_STEP};
  if (!composition_initialise(composition, error) ||
      !measure(composition, result->threads, FALSE, steps, &result->fed, &result->first, error) ||
      !measure(composition, result->threads, TRUE, steps, &result->still, NULL, error))
    return FALSE;
  result->memory = process_peak_memory();
  result->peak_float32 = peak_float32(result->threads);
  result->peak_bfloat16 = peak_bfloat16(result->threads);
  return TRUE;
}
