/* SPDX-License-Identifier: MIT */
/*
 * Two directions for each gradient g. One has the signs of g and random sizes: the slope along it is large, so it shows
 * a wrong factor of 1% through the rounding of float32; where g is 0 its signs are random. The other is random in all,
 * and shows what g lacks; the slope along it is small against |g|, which therefore is the scale of its tolerance.
 */
#include "conform/gradient.h"

#include <math.h>
#include <string.h>

static const double steps[] = {1e-2, 3e-3, 3e-2, 1e-3, 1e-1};

static double norm(const float *x, gsize count) {
  double sum = 0;
  for (gsize k = 0; k < count; k++) sum += (double)x[k] * (double)x[k];
  return sqrt(sum);
}

/* What a step of 1 is: the size of the point's numbers. */
static double scale_of(const struct gradient *gradient) {
  const double size = norm(gradient->point, gradient->count) / sqrt((double)gradient->count);
  return size > 1e-3 ? size : 1e-1;
}

static gboolean loss_at(const struct gradient *gradient, const float *start, const float *direction, double step,
                        double *loss) {
  for (gsize k = 0; k < gradient->count; k++)
    gradient->point[k] = (float)((double)start[k] + step * (double)direction[k]);
  return gradient->loss(gradient->data, loss);
}

/* The slope that is seen, and the one that the gradient says for the very points where the loss was taken. */
static gboolean slopes(const struct gradient *gradient, const float *start, const float *direction, double step,
                       double *seen, double *said) {
  double above, below;
  if (!loss_at(gradient, start, direction, step, &above)) return FALSE;
  g_autofree float *high = g_memdup2(gradient->point, gradient->count * sizeof *high);
  if (!loss_at(gradient, start, direction, -step, &below)) return FALSE;
  *said = 0;
  for (gsize k = 0; k < gradient->count; k++)
    *said += (double)gradient->computed[k] * ((double)high[k] - (double)gradient->point[k]) / (2 * step);
  *seen = (above - below) / (2 * step);
  return TRUE;
}

static gboolean check_direction(struct probe *probe, const struct gradient *gradient, const float *direction,
                                double scale, double tolerance) {
  g_autofree float *start = g_memdup2(gradient->point, gradient->count * sizeof *start);
  double best = INFINITY, best_seen = 0, best_said = 0;
  gboolean good = TRUE;
  for (guint k = 0; good && k < G_N_ELEMENTS(steps) && !(best <= tolerance); k++) {
    double seen, said;
    good = slopes(gradient, start, direction, steps[k] * scale, &seen, &said);
    if (!good || !(fabs(seen - said) < best)) continue;
    best = fabs(seen - said);
    best_seen = seen;
    best_said = said;
  }
  memcpy(gradient->point, start, gradient->count * sizeof *start);
  if (!good || best <= tolerance) return good;
  return probe_fail(
      probe, "along a random direction of %s the loss has the slope %.5g by differences, and %.5g by the gradient",
      gradient->name, best_seen, best_said);
}

gboolean gradient_check(struct probe *probe, const struct gradient *gradient) {
  const gsize count = gradient->count;
  g_autofree float *aligned = g_new(float, count), *random = g_new(float, count);
  const double size = norm(gradient->computed, count), share = size / sqrt((double)count);
  if (!isfinite(size)) return probe_fail(probe, "the gradient of %s is not finite", gradient->name);
  probe_numbers(probe, gradient->name, 1, random, count);
  double slope = 0;
  for (gsize k = 0; k < count; k++) {
    aligned[k] = gradient->computed[k] != 0 ? copysignf(random[k], gradient->computed[k]) : random[k];
    slope += (double)aligned[k] * (double)gradient->computed[k];
  }
  const double scale = scale_of(gradient), least = 1e-4;
  return check_direction(probe, gradient, aligned, scale, 0.005 * fabs(slope) + least) &&
         check_direction(probe, gradient, random, scale, 0.05 * fabs(slope) + 0.1 * share + least);
}
