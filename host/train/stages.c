/* SPDX-License-Identifier: MIT */
#include "train/stages.h"

#include <string.h>

#include "train/components.h"
#include "train/difference.h"
#include "train/trainer.h"

/* How many of the first `end` networks are trained. */
static guint trained_before(const struct experiment *experiment, guint end) {
  guint count = 0;
  for (guint t = 0; t < end; t++) count += !experiment->networks[t].from.path;
  return count;
}

guint stages_count(const struct experiment *experiment) {
  return experiment->scheme == SCHEME_JOINT ? 1 : trained_before(experiment, experiment->network_count);
}

gboolean stage_has(const struct experiment *experiment, guint stage, guint t) {
  return experiment->scheme == SCHEME_JOINT || experiment->networks[t].from.path ||
         trained_before(experiment, t) <= stage;
}

gboolean stage_trains(const struct experiment *experiment, guint stage, guint t) {
  return !experiment->networks[t].from.path &&
         (experiment->scheme == SCHEME_JOINT || trained_before(experiment, t) == stage);
}

static const struct component *find(const GPtrArray *list, const char *name) {
  for (guint k = 0; k < list->len; k++) {
    const struct component *component = g_ptr_array_index(list, k);
    if (!strcmp(component->name, name)) return component;
  }
  return NULL;
}

/* Every auxiliary head of `one` is the same in `other`. */
static gboolean check_heads(const struct composition *one, const struct composition *other, GError **error) {
  g_autoptr(GPtrArray) heads = components_list(one), others = components_list(other);
  for (guint k = 0; k < heads->len; k++) {
    const struct component *head = g_ptr_array_index(heads, k);
    if (!head->aligner) continue;
    const struct component *found = find(others, head->name);
    const struct mark mark = head->aligner->spec->use.mark;
    if (!found)
      return error_at(error, mark,
                      "auxiliary head %s is there in stage %u and not in stage %u; incremental training "
                      "needs the same in every stage",
                      head->name, one->stage + 1, other->stage + 1);
    struct difference difference;
    if (!difference_find(&head->info, &found->info, &difference)) continue;
    error_at(error, mark,
             "auxiliary head %s is not the same in every stage: its %s in stage %u: %s; in stage %u: %s; "
             "say under params which is meant",
             head->name, difference.what, one->stage + 1, difference.one, other->stage + 1, difference.other);
    difference_clear(&difference);
    return FALSE;
  }
  return TRUE;
}

gboolean stages_make(struct composition *whole, GError **error) {
  for (guint k = 0; k < whole->stage; k++) {
    struct composition *stage = composition_stage(whole->experiment, whole->registry, whole->pool, k, error);
    if (!stage) return FALSE;
    stage->whole = whole;
    g_ptr_array_add(whole->earlier, stage);
    if (!check_heads(stage, whole, error) || !check_heads(whole, stage, error)) return FALSE;
  }
  return TRUE;
}

guint64 stages_steps(const struct composition *whole) {
  guint64 steps = trainer_steps(whole);
  for (guint k = 0; k < whole->earlier->len; k++) steps += trainer_steps(whole->earlier->pdata[k]);
  return steps;
}
