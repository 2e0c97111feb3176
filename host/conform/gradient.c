/* SPDX-License-Identifier: MIT */
/*
 * Two kinds of directions for each gradient g. Those of the first have the signs of g and random sizes: the slope along
 * them is large, so they show a wrong factor of 1% through rounding and kinks. Those of the second are random in all
 * and show what g lacks; the slope along them is small, so |g| is the scale of their tolerance. Kinks of ReLU disturb a
 * slope either way, mistakes always in the same: over several directions the one averages out, the other does not.
 */
#include "conform/gradient.h"

#include <math.h>
#include <string.h>

enum { FACTOR_DIRECTIONS = 8, REST_DIRECTIONS = 3 };
#define FACTOR 0.005 /* of the slope */
#define REST 0.15    /* of |g| */
#define LEAST 1e-4

static const double steps[] = {1e-3, 3e-4, 1e-4, 3e-3, 1e-2, 3e-5};

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

/* The slopes for the step size at which they agree best; NaN when the loss is that everywhere. */
static gboolean best_slopes(const struct gradient *gradient, const float *direction, double tolerance, double *seen,
                            double *said) {
  g_autofree float *start = g_memdup2(gradient->point, gradient->count * sizeof *start);
  const double scale = scale_of(gradient);
  double best = INFINITY;
  gboolean good = TRUE;
  *seen = *said = (double)NAN;
  for (guint k = 0; good && k < G_N_ELEMENTS(steps) && !(best <= tolerance); k++) {
    double seen_here, said_here;
    good = slopes(gradient, start, direction, steps[k] * scale, &seen_here, &said_here);
    if (!good || !(fabs(seen_here - said_here) < best)) continue;
    best = fabs(seen_here - said_here);
    *seen = seen_here;
    *said = said_here;
  }
  memcpy(gradient->point, start, gradient->count * sizeof *start);
  return good;
}

static char *describe(const struct gradient *gradient, const char *kind, double seen, double said) {
  return g_strdup_printf("along %s of %s the loss has the slope %.5g by differences, and %.5g by the gradient", kind,
                         gradient->name, seen, said);
}

static void draw(struct probe *probe, const struct gradient *gradient, guint number, float *direction) {
  g_autofree char *name = g_strdup_printf("%s/%u", gradient->name, number);
  probe_numbers(probe, name, 1, direction, gradient->count);
}

static char *factor_fault(struct probe *probe, const struct gradient *gradient, float *direction) {
  double seen_sum = 0, said_sum = 0;
  for (guint number = 0; number < FACTOR_DIRECTIONS; number++) {
    double seen, said, slope = 0;
    draw(probe, gradient, number, direction);
    for (gsize k = 0; k < gradient->count; k++) {
      if (gradient->computed[k] != 0) direction[k] = copysignf(direction[k], gradient->computed[k]);
      slope += (double)direction[k] * (double)gradient->computed[k];
    }
    if (!best_slopes(gradient, direction, FACTOR * slope / 2, &seen, &said)) return NULL;
    seen_sum += seen;
    said_sum += said;
    if (fabs(seen_sum - said_sum) <= FACTOR * fabs(said_sum) + LEAST) return NULL;
  }
  return describe(gradient, "directions with the signs", seen_sum / FACTOR_DIRECTIONS, said_sum / FACTOR_DIRECTIONS);
}

static char *rest_fault(struct probe *probe, const struct gradient *gradient, double size, float *direction) {
  double squares = 0, seen = 0, said = 0;
  for (guint number = 0; number < REST_DIRECTIONS; number++) {
    draw(probe, gradient, FACTOR_DIRECTIONS + number, direction);
    if (!best_slopes(gradient, direction, REST * size / 4, &seen, &said)) return NULL;
    squares += (seen - said) * (seen - said);
  }
  if (sqrt(squares / REST_DIRECTIONS) <= REST * size + LEAST) return NULL;
  return describe(gradient, "a random direction", seen, said);
}

char *gradient_fault(struct probe *probe, const struct gradient *gradient) {
  g_autofree float *direction = g_new(float, gradient->count + 1);
  const double size = norm(gradient->computed, gradient->count);
  if (!isfinite(size)) return g_strdup_printf("the gradient of %s is not finite", gradient->name);
  char *fault = factor_fault(probe, gradient, direction);
  return fault ? fault : rest_fault(probe, gradient, size, direction);
}
