/* SPDX-License-Identifier: MIT */
/* What a pass says it spent its time on. */
#include <math.h>

#include "conform/checks.h"
#include "conform/rig.h"

static const struct {
  const char *name;
  gsize offset;
} fields[] = {
#define FIELD(name)                                                                                                    \
  { #name, offsetof(struct dvt_pass_times, name) }
    FIELD(forward), FIELD(backward_data), FIELD(backward_weights), FIELD(norm), FIELD(other), FIELD(operations),
#undef FIELD
};

static double field_of(const struct dvt_pass_times *times, guint k) {
  return G_STRUCT_MEMBER(double, times, fields[k].offset);
}

static gboolean compare(struct probe *probe, const char *when, const struct dvt_pass_times *last,
                        const struct dvt_pass_times *now) {
  for (guint k = 0; k < G_N_ELEMENTS(fields); k++) {
    const double before = field_of(last, k), value = field_of(now, k);
    if (!isfinite(value) || value < 0) return probe_fail(probe, "times says %s: %s = %g", when, fields[k].name, value);
    if (value < before)
      return probe_fail(probe, "times says %s: %s = %g, and said %g before", when, fields[k].name, value, before);
  }
  return TRUE;
}

/* Of a pass since `last`, which becomes what it says. FALSE with a verdict. */
static gboolean ask(const struct trial *trial, const char *when, struct dvt_pass_times *last) {
  struct probe *probe = trial->rig->probe;
  struct block block;
  block_init(&block, sizeof *last);
  struct dvt_pass_times *times = block.data;
  *times = (struct dvt_pass_times){.struct_size = sizeof *times,
                                   .forward = -1,
                                   .backward_data = -1,
                                   .backward_weights = -1,
                                   .norm = -1,
                                   .other = -1,
                                   .operations = -1};
  trial->rig->module->ops->times(trial->self, times);
  const gboolean good =
      (block_intact(&block) || probe_fail(probe, "times wrote beyond the struct_size that it was given")) &&
      (times->struct_size == sizeof *times || probe_fail(probe, "times changed struct_size")) &&
      compare(probe, when, last, times);
  *last = *times;
  block_clear(&block);
  return good;
}

void check_module_times(struct probe *probe) {
  AUTO(rig) rig = rig_open(probe);
  if (!rig) return;
  const struct dvt_module_ops *ops = rig->module->ops;
  if (!DVT_HAS(ops, times) || !ops->times) {
    probe_skip(probe, "it does not know its times");
    return;
  }
  for (guint mode = 0; mode < RIG_MODES; mode++) {
    struct dvt_pass_times last = {0};
    AUTO(trial) trial = trial_new(rig, &rig_modes[mode], "times");
    if (!trial || !ask(trial, "before the first forward", &last) || !trial_forward(trial, RIG_CAPACITY) ||
        !ask(trial, "after forward", &last) || !trial_backward(trial, RIG_CAPACITY, TRUE) ||
        !ask(trial, "after backward", &last) || !trial_run(trial, 1, NULL) ||
        !ask(trial, "after a batch of one", &last))
      return;
  }
}
