/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include "config/experiment.h"

/**
 * The learning rate of step 0 <= step < steps. One-cycle: linear from 0 to the peak over the share `warmup` of the
 * steps, then linear to 0 (Smith and Topin, "Super-convergence", 2018, section 3, without its last phase). Cosine: half
 * a period from the rate to 0 (Loshchilov and Hutter, "SGDR", 2017, equation 5). Step: He et al. 2015, section 4.2.
 */
double schedule_rate(const struct schedule_spec *schedule, guint64 step, guint64 steps);

#endif
