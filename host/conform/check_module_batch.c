/* SPDX-License-Identifier: MIT */
/* Batches smaller than the capacity. */
#include <string.h>

#include "conform/checks.h"
#include "conform/rig.h"

/* With running statistics an example's output depends on no other. */
static void compare_with_full(struct probe *probe, guint n) {
  AUTO(rig) rig = rig_open(probe);
  AUTO(trial) trial = rig ? trial_new(rig, &rig_modes[1], "batch") : NULL;
  AUTO(record) full = record_new();
  AUTO(record) part = record_new();
  if (!trial || !trial_forward(trial, RIG_CAPACITY)) return;
  record_floats(full, "output", trial->output.data, n * rig_output_size(rig));
  if (!trial_forward(trial, n)) return;
  record_floats(part, "output", trial->output.data, n * rig_output_size(rig));
  g_autofree char *difference = record_difference(full, part, 1e-4);
  if (difference)
    probe_fail(probe, "in a batch of %d and in one of %u with the same examples: %s", RIG_CAPACITY, n, difference);
}

void check_module_batch_one(struct probe *probe) { compare_with_full(probe, 1); }

void check_module_batch_odd(struct probe *probe) { compare_with_full(probe, 3); }

/* A batch that fills a smaller pass, and one that does not fill this. */
void check_module_batch_capacity(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  for (guint mode = 0; rig && mode < RIG_MODES; mode++) {
    AUTO(record) small = record_new();
    AUTO(record) large = record_new();
    struct trial_config config = rig_modes[mode];
    config.capacity = 3;
    if (!rig_try(rig, &config, "capacity", 3, small)) return;
    config.capacity = 8;
    AUTO(trial) trial = trial_new(rig, &config, "capacity");
    if (!trial) return;
    const gsize count = 3 * rig_output_size(rig);
    probe_numbers(probe, "capacity/gradient", 1, trial->output_gradient.data, count);
    if (!trial_run(trial, 3, large)) return;
    probe_agree(probe, "3 examples in a pass for 3 and in one for 8", small, large, 1e-4);
  }
}

/* Sizes that come and go leave nothing behind. */
void check_module_batch_sequence(struct probe *probe) {
  static const guint sizes[] = {1, RIG_CAPACITY, 2};
  AUTO(rig) rig = rig_open(probe);
  for (guint mode = 0; rig && mode < RIG_MODES; mode++) {
    AUTO(record) fresh = record_new();
    AUTO(record) later = record_new();
    if (!rig_try(rig, &rig_modes[mode], "sequence", 3, fresh)) return;
    AUTO(trial) trial = trial_new(rig, &rig_modes[mode], "sequence");
    for (guint k = 0; trial && k < G_N_ELEMENTS(sizes); k++)
      if (!trial_run(trial, sizes[k], NULL)) return;
    if (!trial || !trial_run(trial, 3, later)) return;
    probe_agree(probe, "3 examples in a new pass and after batches of 1, 5 and 2", fresh, later, 0);
  }
}
