/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "plan.h"
#include "threads.h"

int plan_group_end(const struct plan_steps *steps, int first) {
  const struct plan_step *items = steps->items;
  int end = first + 1;
  if (!items[first].parted) return end;
  while (end < steps->count && items[end].parted && !items[end].parted->waits && items[end].part == items[first].part)
    end++;
  return end;
}

int64_t plan_part_count(const struct plan *plan, int64_t images) { return (plan->setup.batch + images - 1) / images; }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Tells the time of what is done step by step; `seconds` may be NULL. */
struct stopwatch {
  double *seconds, begun;
};

static struct stopwatch start(double *seconds) { return (struct stopwatch){seconds, seconds ? now() : 0.0}; }

static void count(struct stopwatch *watch, const struct plan_step *step) {
  if (!watch->seconds) return;
  const double ended = now();
  watch->seconds[step->kind] += ended - watch->begun;
  watch->begun = ended;
}

/* Steps that run side by side. */
struct group {
  const struct plan *plan;
  const struct plan_step *first, *end;
  bool input_gradient;
};

static bool is_left_out(const struct plan_step *step, bool input_gradient) {
  return step->for_input && !input_gradient;
}

/* What thread `own` does; the time of the first stands for all. */
static void run_share(void *data, int64_t own) {
  const struct group *group = data;
  const struct plan *plan = group->plan;
  const int64_t threads = plan->setup.threads, images = group->first->part, batch = plan->setup.batch;
  const int64_t parts = plan_part_count(plan, images);
  struct stopwatch watch = start(own ? NULL : plan->setup.seconds);
  for (int64_t k = parts * own / threads; k < parts * (own + 1) / threads; k++) {
    const int64_t end = (k + 1) * images;
    const struct plan_part part = {k, {k * images, end < batch ? end : batch}, (uint32_t)own};
    for (const struct plan_step *step = group->first; step < group->end; step++) {
      if (is_left_out(step, group->input_gradient)) continue;
      step->parted->run(plan, step, &part);
      count(&watch, step);
    }
  }
}

static void for_steps(const struct group *group, bool finish) {
  struct stopwatch watch = start(group->plan->setup.seconds);
  for (const struct plan_step *step = group->first; step < group->end; step++) {
    const plan_work work = finish ? step->parted->finish : step->parted->begin;
    if (!work || is_left_out(step, group->input_gradient)) continue;
    work(group->plan, step);
    count(&watch, step);
  }
}

static void run_group(struct group *group) {
  for_steps(group, false);
  threads_run(group->plan->setup.threads, run_share, group);
  for_steps(group, true);
}

static dnnl_status_t run_step(const struct plan *plan, const struct plan_step *step, dnnl_stream_t stream) {
  struct stopwatch watch = start(plan->setup.seconds);
  dnnl_status_t status = dnnl_success;
  if (step->task)
    step->task(plan, step);
  else
    status = dnnl_primitive_execute(step->primitive, stream, step->count, step->arguments);
  count(&watch, step);
  return status;
}

int plan_run(struct plan *plan, enum plan_phase phase, bool input_gradient, dnnl_stream_t stream,
             struct dvt_error *error) {
  const struct plan_steps *steps = &plan->phases[phase];
  for (int k = 0, end; k < steps->count; k = end) {
    const struct plan_step *step = &steps->items[k];
    dnnl_status_t status = dnnl_success;
    end = plan_group_end(steps, k);
    if (step->parted)
      run_group(&(struct group){plan, step, steps->items + end, input_gradient});
    else if (!is_left_out(step, input_gradient))
      status = run_step(plan, step, stream);
    if (status != dnnl_success) return plan_fail(step->name, status, error);
  }
  const dnnl_status_t status = dnnl_stream_wait(stream);
  return status == dnnl_success ? DVT_OK : plan_fail("wait", status, error);
}
