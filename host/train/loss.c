/* SPDX-License-Identifier: MIT */
#include "train/loss.h"

#include <math.h>
#include <string.h>

#include "base/largest.h"

/* The loss of one example; the row becomes scale · (softmax − one-hot). */
static double example_loss(float *row, guint classes, guint label, double scale) {
  const double top = row[largest_logit(row, classes)];
  double sum = 0;
  for (guint c = 0; c < classes; c++) sum += exp(row[c] - top);
  const double loss = log(sum) + top - row[label];
  for (guint c = 0; c < classes; c++) row[c] = (float)(scale * (exp(row[c] - top) / sum - (c == label)));
  return loss;
}

double loss_cross_entropy(float *logits, guint count, guint classes, const gint32 *labels, double weight,
                          guint *correct) {
  double sum = 0;
  guint right = 0;
  for (guint k = 0; k < count; k++) {
    float *row = logits + (gsize)k * classes;
    if (labels[k] < 0) {
      memset(row, 0, classes * sizeof *row);
      continue;
    }
    right += largest_logit(row, classes) == (guint)labels[k];
    sum += example_loss(row, classes, (guint)labels[k], weight / count);
  }
  if (correct) *correct = right;
  return sum / count;
}
