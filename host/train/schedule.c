/* SPDX-License-Identifier: MIT */
#include "train/schedule.h"

#include <math.h>

static double step_rate(const struct schedule_spec *schedule, double at) {
  double rate = schedule->rate;
  for (guint k = 0; k < schedule->drop_count; k++)
    if (at >= schedule->drops[k]) rate *= schedule->factor;
  return rate;
}

double schedule_rate(const struct schedule_spec *schedule, guint64 step, guint64 steps) {
  const double rising = schedule->warmup * (double)steps, falling = (double)steps - rising;
  if ((double)step < rising) return schedule->rate * MIN(1.0, (double)(step + 1) / rising);
  const double after = ((double)step - rising) / falling;
  switch (schedule->kind) {
  case SCHEDULE_ONE_CYCLE: return schedule->rate * (1.0 - after);
  case SCHEDULE_COSINE: return schedule->rate * 0.5 * (1.0 + cos(G_PI * after));
  default: return step_rate(schedule, (double)step / (double)steps);
  }
}
