/* SPDX-License-Identifier: MIT */
#include "config/experiment_parts.h"
#include "config/schema.h"
#include "config/values.h"

const char *const schedule_kinds[] = {"step", "cosine", "one-cycle", NULL};
const char *const precisions[] = {"auto", "float32", "bfloat16", NULL};

enum { STEP = 1 << SCHEDULE_STEP, COSINE = 1 << SCHEDULE_COSINE, ONE_CYCLE = 1 << SCHEDULE_ONE_CYCLE };

/* A key that some kinds of schedule do not have. */
static const struct {
  const char *key;
  unsigned kinds;
  const char *advice;
} special_keys[] = {
    {"rate", STEP | COSINE, "kinds step and cosine have it, one-cycle has 'peak'"},
    {"peak", ONE_CYCLE, "kind one-cycle has it, step and cosine have 'rate'"},
    {"drops", STEP, "only kind step has it"},
    {"factor", STEP, "only kind step has it"},
};

static gboolean check_keys_of_kind(const struct yaml_node *map, enum schedule_kind kind, GError **error) {
  for (guint k = 0; k < G_N_ELEMENTS(special_keys); k++) {
    const char *key = special_keys[k].key;
    if (special_keys[k].kinds & 1u << kind || !yaml_get(map, key)) continue;
    return error_at(error, schema_key_mark(map, key), "a schedule of kind %s has no '%s'; %s", schedule_kinds[kind],
                    key, special_keys[k].advice);
  }
  return TRUE;
}

static gboolean read_drops(const struct yaml_node *list, struct schedule_spec *schedule, GError **error) {
  const guint most = G_N_ELEMENTS(schedule->drops);
  if (!list) return TRUE;
  if (list->kind != YAML_LIST || list->items->len > most)
    return error_at(error, list->mark,
                    "'drops' is not a list of at most %u; write shares of the steps, as in [0.5, 0.75]", most);
  schedule->drop_count = list->items->len;
  for (guint k = 0; k < schedule->drop_count; k++) {
    const struct yaml_node *item = list->items->pdata[k];
    if (!value_number(item, 0, 1, &schedule->drops[k], error)) return FALSE;
    if (k > 0 && schedule->drops[k] <= schedule->drops[k - 1])
      return error_at(error, item->mark, "'%s' does not lie after the drop before it; write the drops in rising order",
                      item->text);
  }
  return TRUE;
}

static gboolean read_schedule(const struct yaml_node *map, struct schedule_spec *schedule, GError **error) {
  static const char *const keys[] = {"kind", "rate", "peak", "warmup", "drops", "factor", NULL};
  if (!map) return TRUE;
  unsigned kind = SCHEDULE_STEP;
  if (!schema_map(map, "the schedule", keys, error) || !schema_choice(map, "kind", schedule_kinds, &kind, error) ||
      !check_keys_of_kind(map, kind, error))
    return FALSE;
  schedule->kind = kind;
  if (kind == SCHEDULE_ONE_CYCLE) schedule->warmup = 0.2;
  return schema_number(map, "rate", 1e-9, 1000, &schedule->rate, error) &&
         schema_number(map, "peak", 1e-9, 1000, &schedule->rate, error) &&
         schema_number(map, "warmup", 0, 0.99, &schedule->warmup, error) &&
         read_drops(yaml_get(map, "drops"), schedule, error) &&
         schema_number(map, "factor", 1e-6, 1, &schedule->factor, error);
}

static gboolean read_augmentation(const struct yaml_node *map, struct train_spec *train, GError **error) {
  static const char *const keys[] = {"pad", "flip", NULL};
  return !map || (schema_map(map, "augment", keys, error) && schema_uint(map, "pad", 0, 64, &train->pad, error) &&
                  schema_boolean(map, "flip", &train->flip, error));
}

static gboolean read_length(const struct yaml_node *map, struct train_spec *train, GError **error) {
  const struct yaml_node *epochs = yaml_get(map, "epochs"), *steps = yaml_get(map, "steps");
  if (epochs && steps)
    return error_at(error, schema_key_mark(map, "steps"), "both epochs and steps are given; keep one of them");
  if (epochs) train->steps = 0;
  return schema_count(map, "epochs", 1, 1000000, &train->epochs, error) &&
         schema_count(map, "steps", 1, 1000000000, &train->steps, error);
}

static gboolean read_nesterov(const struct yaml_node *map, struct train_spec *train, GError **error) {
  if (!schema_boolean(map, "nesterov", &train->nesterov, error)) return FALSE;
  if (!train->nesterov || train->momentum > 0) return TRUE;
  return error_at(error, schema_key_mark(map, "nesterov"),
                  "nesterov has no effect without momentum; write a momentum above 0");
}

gboolean train_read(const struct yaml_node *map, struct train_spec *train, GError **error) {
  static const char *const keys[] = {"epochs",       "steps",    "batch",   "precision", "threads", "momentum",
                                     "weight_decay", "nesterov", "augment", "schedule",  "check",   NULL};
  *train = (struct train_spec){
      .steps = 64000,
      .batch = 128,
      .precision = DVT_PRECISION_AUTO,
      .momentum = 0.9,
      .weight_decay = 1e-4,
      .check = 100,
      .pad = 4,
      .flip = TRUE,
      .schedule = {.kind = SCHEDULE_STEP, .rate = 0.1, .drops = {0.5, 0.75}, .drop_count = 2, .factor = 0.1},
  };
  unsigned precision = DVT_PRECISION_AUTO;
  if (!map) return TRUE;
  if (!schema_map(map, "train", keys, error) || !read_length(map, train, error) ||
      !schema_uint(map, "batch", 1, 65536, &train->batch, error) ||
      !schema_choice(map, "precision", precisions, &precision, error) ||
      !schema_uint(map, "threads", 0, 1024, &train->threads, error) ||
      !schema_number(map, "momentum", 0, 0.9999, &train->momentum, error) ||
      !schema_number(map, "weight_decay", 0, 1, &train->weight_decay, error) ||
      !schema_count(map, "check", 0, 1000000000, &train->check, error))
    return FALSE;
  train->precision = precision;
  return read_nesterov(map, train, error) && read_augmentation(yaml_get(map, "augment"), train, error) &&
         read_schedule(yaml_get(map, "schedule"), &train->schedule, error);
}
