/* SPDX-License-Identifier: MIT */
#include "config/experiment_parts.h"
#include "config/values.h"
#include "config/yaml_write.h"

static void write_string(struct yaml_writer *writer, const char *key, const char *value) {
  yaml_write_string(writer, key);
  yaml_write_string(writer, value);
}

static void write_integer(struct yaml_writer *writer, const char *key, guint64 value) {
  yaml_write_string(writer, key);
  yaml_write_integer(writer, (gint64)value);
}

static void write_number(struct yaml_writer *writer, const char *key, double value) {
  yaml_write_string(writer, key);
  yaml_write_number(writer, value);
}

static void write_boolean(struct yaml_writer *writer, const char *key, gboolean value) {
  yaml_write_string(writer, key);
  yaml_write_boolean(writer, value);
}

static void write_node(struct yaml_writer *writer, const char *key, const struct yaml_node *node) {
  if (!node) return;
  yaml_write_string(writer, key);
  yaml_write_node(writer, node);
}

static void begin_map(struct yaml_writer *writer, const char *key) {
  yaml_write_string(writer, key);
  yaml_write_begin(writer, YAML_MAP);
}

static void write_value(struct yaml_writer *writer, const struct dvt_value *value) {
  switch (value->type) {
  case DVT_TYPE_INT: yaml_write_integer(writer, value->integer); break;
  case DVT_TYPE_FLOAT: yaml_write_number(writer, value->number); break;
  case DVT_TYPE_BOOL: yaml_write_boolean(writer, value->integer != 0); break;
  case DVT_TYPE_STRINGS:
    yaml_write_begin(writer, YAML_LIST);
    for (guint k = 0; k < value->count; k++) yaml_write_string(writer, value->strings[k]);
    yaml_write_end(writer, YAML_LIST);
    break;
  default: yaml_write_string(writer, value->string);
  }
}

static void write_use(struct yaml_writer *writer, const struct plugin_use *use, GHashTable *checked) {
  const struct values *values = checked ? g_hash_table_lookup(checked, use) : NULL;
  write_string(writer, "plugin", use->plugin);
  if (!values) {
    write_node(writer, "params", use->params);
    return;
  }
  begin_map(writer, "params");
  for (guint k = 0; k < values->count; k++) {
    yaml_write_string(writer, values_param(values, k)->name);
    write_value(writer, &values->value[k]);
  }
  yaml_write_end(writer, YAML_MAP);
}

static void write_component(struct yaml_writer *writer, const char *key, const struct plugin_use *use,
                            GHashTable *checked) {
  begin_map(writer, key);
  write_use(writer, use, checked);
  yaml_write_end(writer, YAML_MAP);
}

static void write_data(struct yaml_writer *writer, const struct data_spec *data, GHashTable *checked) {
  static const char *const subsets[DVT_SUBSET_COUNT] = {"train", "test"};
  begin_map(writer, "data");
  write_use(writer, &data->use, checked);
  begin_map(writer, "limit");
  for (guint k = 0; k < DVT_SUBSET_COUNT; k++)
    if (data->limit[k] != G_MAXUINT64) write_integer(writer, subsets[k], data->limit[k]);
  yaml_write_end(writer, YAML_MAP);
  yaml_write_end(writer, YAML_MAP);
}

static void write_from(struct yaml_writer *writer, const struct from_spec *from) {
  if (from->path) write_string(writer, "from", from->path);
}

static void write_network(struct yaml_writer *writer, const struct network_spec *network, GHashTable *checked) {
  begin_map(writer, network->name);
  write_from(writer, &network->from);
  write_data(writer, &network->data, checked);
  write_node(writer, "classes", network->classes);
  write_component(writer, "backbone", &network->backbone, checked);
  write_string(writer, "split", network->split);
  write_component(writer, "head", &network->head, checked);
  yaml_write_end(writer, YAML_MAP);
}

static void write_aligners(struct yaml_writer *writer, const struct experiment *experiment, GHashTable *checked) {
  yaml_write_string(writer, "aligners");
  yaml_write_begin(writer, YAML_LIST);
  for (guint k = 0; k < experiment->aligner_count; k++) {
    yaml_write_begin(writer, YAML_MAP);
    write_use(writer, &experiment->aligners[k].use, checked);
    write_number(writer, "weight", experiment->aligners[k].weight);
    write_from(writer, &experiment->aligners[k].from);
    yaml_write_end(writer, YAML_MAP);
  }
  yaml_write_end(writer, YAML_LIST);
}

static void write_schedule(struct yaml_writer *writer, const struct schedule_spec *schedule) {
  begin_map(writer, "schedule");
  write_string(writer, "kind", schedule_kinds[schedule->kind]);
  write_number(writer, schedule->kind == SCHEDULE_ONE_CYCLE ? "peak" : "rate", schedule->rate);
  write_number(writer, "warmup", schedule->warmup);
  if (schedule->kind == SCHEDULE_STEP) {
    yaml_write_string(writer, "drops");
    yaml_write_begin(writer, YAML_LIST);
    for (guint k = 0; k < schedule->drop_count; k++) yaml_write_number(writer, schedule->drops[k]);
    yaml_write_end(writer, YAML_LIST);
    write_number(writer, "factor", schedule->factor);
  }
  yaml_write_end(writer, YAML_MAP);
}

static void write_train(struct yaml_writer *writer, const struct train_spec *train) {
  begin_map(writer, "train");
  write_integer(writer, train->epochs ? "epochs" : "steps", train->epochs ? train->epochs : train->steps);
  write_integer(writer, "batch", train->batch);
  write_string(writer, "precision", precisions[train->precision]);
  write_integer(writer, "threads", train->threads);
  write_number(writer, "momentum", train->momentum);
  write_boolean(writer, "nesterov", train->nesterov);
  write_number(writer, "weight_decay", train->weight_decay);
  begin_map(writer, "augment");
  write_integer(writer, "pad", train->pad);
  write_boolean(writer, "flip", train->flip);
  yaml_write_end(writer, YAML_MAP);
  write_schedule(writer, &train->schedule);
  write_integer(writer, "check", train->check);
  yaml_write_end(writer, YAML_MAP);
}

char *experiment_resolved(const struct experiment *experiment, GHashTable *values) {
  struct yaml_writer *writer = yaml_writer_new();
  yaml_write_begin(writer, YAML_MAP);
  write_string(writer, "name", experiment->name);
  write_integer(writer, "seed", experiment->seed);
  write_string(writer, "scheme", schemes[experiment->scheme]);
  begin_map(writer, "networks");
  for (guint k = 0; k < experiment->network_count; k++) write_network(writer, &experiment->networks[k], values);
  yaml_write_end(writer, YAML_MAP);
  write_aligners(writer, experiment, values);
  write_train(writer, &experiment->train);
  yaml_write_end(writer, YAML_MAP);
  return yaml_writer_finish(writer);
}
