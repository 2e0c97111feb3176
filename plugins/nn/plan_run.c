/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "plan.h"
#include "threads.h"

int plan_group_end(const struct plan_steps *steps, int first) {
  const struct plan_step *items = steps->items;
  int end = first + 1;
  if (!items[first].parted) return end;
  while (end < steps->count && items[end].parted && !items[end].parted->waits && items[end].parts == items[first].parts)
    end++;
  return end;
}

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
  double seconds[PLAN_KINDS]; /* of the last thread, whose share is the largest */
};

static bool is_left_out(const struct plan_step *step, bool input_gradient) {
  return step->for_input && !input_gradient;
}

/* What thread `own` does. */
static void run_share(void *data, int64_t own) {
  struct group *group = data;
  const struct plan *plan = group->plan;
  const int64_t threads = plan->setup.threads, parts = group->first->parts, batch = plan->setup.batch;
  struct stopwatch watch = start(own + 1 == threads ? group->seconds : NULL);
  for (int64_t k = parts * own / threads; k < parts * (own + 1) / threads; k++) {
    const struct plan_part part = {k, {batch * k / parts, batch * (k + 1) / parts}, (uint32_t)own};
    for (const struct plan_step *step = group->first; step < group->end; step++) {
      if (is_left_out(step, group->input_gradient)) continue;
      step->parted->run(plan, step, &part);
      count(&watch, step);
    }
  }
}

/* What all threads took, by what the last one spent on each step. */
static void share_out(const struct group *group, double taken) {
  double spent = 0, *seconds = group->plan->setup.seconds;
  for (int kind = 0; kind < PLAN_KINDS; kind++) spent += group->seconds[kind];
  for (int kind = 0; spent > 0 && kind < PLAN_KINDS; kind++) seconds[kind] += taken * group->seconds[kind] / spent;
}

static void run_parts(struct group *group) {
  const double begun = now();
  threads_run(group->plan->setup.threads, run_share, group);
  if (group->plan->setup.seconds) share_out(group, now() - begun);
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
  const struct plan_step *step = group->first;
  while (step < group->end && is_left_out(step, group->input_gradient)) step++;
  if (step == group->end) return; /* no need to wake the threads */
  for_steps(group, false);
  run_parts(group);
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
      run_group(&(struct group){plan, step, steps->items + end, input_gradient, {0}});
    else if (!is_left_out(step, input_gradient))
      status = run_step(plan, step, stream);
    if (status != dnnl_success) return plan_fail(step->name, status, error);
  }
  const dnnl_status_t status = dnnl_stream_wait(stream);
  return status == dnnl_success ? DVT_OK : plan_fail("wait", status, error);
}
