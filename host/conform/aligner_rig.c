/* SPDX-License-Identifier: MIT */
#include "conform/aligner_rig.h"

#include <string.h>

#include "dovetail/module.h"
#include "plugin/fault.h"
#include "plugin/tensors.h"

enum { CHANNELS = 8 };

static const char *const class_names[] = {"bird", "car", "cat", "dog", "frog", "ship"};
static const char *const network_names[MOST_NETWORKS] = {"anna", "berta", "clara"};

/* Those that an aligner is likely to take, the most usual first. */
static const struct cast casts[] = {
    {"two networks alike", 2, FALSE, FALSE, FALSE, -1},
    {"two networks with some classes in common", 2, TRUE, FALSE, FALSE, -1},
    {"three networks alike", 3, FALSE, FALSE, FALSE, -1},
    {"one network", 1, FALSE, FALSE, FALSE, -1},
};
static const struct cast frozen_casts[] = {
    {"two networks alike, one of them frozen", 2, FALSE, FALSE, FALSE, 0},
    {"two networks with some classes in common, one of them frozen", 2, TRUE, FALSE, FALSE, 0},
};
static const struct cast odd_casts[] = {
    {"one network", 1, FALSE, FALSE, FALSE, -1},
    {"features of different shapes", 2, FALSE, TRUE, FALSE, -1},
    {"images that are not square", 2, TRUE, FALSE, TRUE, -1},
    {"two networks with some classes in common", 2, TRUE, FALSE, FALSE, -1},
    {"two networks alike", 2, FALSE, FALSE, FALSE, -1},
    {"three networks with features of different shapes, one of them frozen", 3, TRUE, TRUE, FALSE, 1},
};

static void add_weight(struct paper *paper, const struct aligner_rig *rig, const char *name,
                       enum dvt_component component, enum dvt_weight_role role, const struct dvt_tensor *shape) {
  const guint k = paper->network.weight_count++;
  g_autofree char *stream = g_strdup_printf("%s/%s", paper->network.name, name);
  const gsize count = (gsize)dvt_tensor_count(shape);
  block_init(&paper->values[k], count * sizeof(float));
  probe_numbers(rig->probe, stream, 1, paper->values[k].data, count);
  paper->weights[k] = (struct dvt_network_weight){.struct_size = sizeof paper->weights[k],
                                                  .component = component,
                                                  .role = role,
                                                  .frozen = paper->network.frozen,
                                                  .name = name,
                                                  .value = *shape};
  paper->weight_list[k] = &paper->weights[k];
}

static void add_weights(struct paper *paper, const struct aligner_rig *rig) {
  const struct dvt_tensor conv = {.dtype = DVT_F32, .place = DVT_PLACE_HOST, .rank = 4, .shape = {CHANNELS, 3, 3, 3}};
  const struct dvt_tensor mean = {.dtype = DVT_F32, .place = DVT_PLACE_HOST, .rank = 1, .shape = {CHANNELS}};
  const struct dvt_tensor linear = tensor_logits(NULL, PAPER_CLASSES, CHANNELS);
  add_weight(paper, rig, "conv1.weight", DVT_COMPONENT_EXTRACTOR, DVT_WEIGHT_PARAMETER, &conv);
  add_weight(paper, rig, "bn1.running_mean", DVT_COMPONENT_EXTRACTOR, DVT_WEIGHT_BUFFER, &mean);
  add_weight(paper, rig, "linear.weight", DVT_COMPONENT_HEAD, DVT_WEIGHT_PARAMETER, &linear);
  add_weight(paper, rig, "scale", DVT_COMPONENT_HEAD, DVT_WEIGHT_PARAMETER, &mean);
}

static void add_network(struct aligner_rig *rig, guint index) {
  struct paper *paper = &rig->papers[index];
  const struct cast *cast = rig->cast;
  const gboolean differs = cast->other_features && index + 1 == cast->count;
  paper->network = (struct dvt_network){
      .struct_size = sizeof paper->network,
      .index = index,
      .name = network_names[index],
      .dataset = "paper",
      .class_names = class_names + (cast->other_classes ? index % 3 : 0),
      .class_count = PAPER_CLASSES,
      .batch = PAPER_BATCH,
      .image = {3, 8, cast->oblong ? 6 : 8},
      .features = {differs ? CHANNELS / 2 : CHANNELS, 4, 4},
      .split = "layer2",
      .frozen = (gint)index == cast->frozen,
      .weights = paper->weight_list,
  };
  rig->networks[index] = &paper->network;
  add_weights(paper, rig);
}

/* Pairs see the same images; else each network has its own. */
static void add_batch(struct aligner_rig *rig, guint index) {
  struct paper *paper = &rig->papers[index];
  const struct dvt_network *network = &paper->network;
  const char *name = rig->ops->flags & DVT_ALIGNER_PAIRED ? "pairs" : network->name;
  const gsize image = (gsize)(network->image[0] * network->image[1] * network->image[2]);
  const gsize features = (gsize)(network->features[0] * network->features[1] * network->features[2]);
  guint32 words[PAPER_BATCH];
  block_init(&paper->images, PAPER_BATCH * image * sizeof(float));
  block_init(&paper->view, PAPER_BATCH * image * sizeof(float));
  block_init(&paper->labels, PAPER_BATCH * sizeof(gint32));
  block_init(&paper->features, PAPER_BATCH * features * sizeof(float));
  block_init(&paper->gradient, PAPER_BATCH * features * sizeof(float));
  probe_numbers(rig->probe, name, 2, paper->images.data, PAPER_BATCH * image);
  probe_numbers(rig->probe, network->name, 1, paper->features.data, PAPER_BATCH * features);
  random_words(probe_stream(rig->probe, name), 1, 0, words, PAPER_BATCH);
  for (guint k = 0; k < PAPER_BATCH; k++)
    ((gint32 *)paper->labels.data)[k] = (gint32)random_below(words[k], PAPER_CLASSES);
  paper->images_tensor = tensor_maps(paper->images.data, PAPER_BATCH, network->image);
  paper->batch = (struct dvt_batch){.struct_size = sizeof paper->batch,
                                    .network = index,
                                    .weight = 1,
                                    .count = PAPER_BATCH,
                                    .threads = 1,
                                    .images = &paper->images_tensor,
                                    .labels = paper->labels.data};
}

static int init(struct aligner_rig *rig, void *self, struct dvt_error *fault) {
  rig->in_init = TRUE;
  const int status = rig->ops->init(self, &rig->host, rig->networks, rig->cast->count, fault);
  rig->in_init = FALSE;
  return status;
}

/* All but the plugin's part. */
static struct aligner_rig *rig_prepare(struct probe *probe, const struct cast *cast) {
  struct aligner_rig *rig = g_new0(struct aligner_rig, 1);
  rig->probe = probe;
  rig->ops = probe->plugin->ops;
  rig->cast = cast;
  rig->heads = g_ptr_array_new_with_free_func(tied_head_free);
  aligner_host_init(rig);
  for (guint k = 0; k < cast->count; k++) {
    add_network(rig, k);
    add_batch(rig, k);
  }
  return rig;
}

struct aligner_rig *aligner_rig_new(struct probe *probe, const struct values *values, const struct cast *cast,
                                    char **refusal) {
  AUTO(aligner_rig) rig = rig_prepare(probe, cast);
  struct dvt_error fault = DVT_ERROR_INIT;
  int status = rig->ops->create(values->value, &rig->self, &fault);
  if (status == DVT_OK) status = init(rig, rig->self, &fault);
  g_free(g_steal_pointer(refusal));
  if (status == DVT_OK) return g_steal_pointer(&rig);
  *refusal = fault_text(&fault, status);
  return NULL;
}

void aligner_rig_free(struct aligner_rig *rig) {
  if (!rig) return;
  if (rig->self) rig->ops->destroy(rig->self);
  for (guint t = 0; t < rig->cast->count; t++) {
    struct paper *paper = &rig->papers[t];
    struct block *const blocks[] = {&paper->images, &paper->labels, &paper->features, &paper->gradient, &paper->view};
    for (guint k = 0; k < G_N_ELEMENTS(blocks); k++) block_clear(blocks[k]);
    for (guint k = 0; k < PAPER_WEIGHTS; k++) block_clear(&paper->values[k]);
  }
  g_ptr_array_unref(rig->heads);
  g_free(rig);
}

gboolean aligner_rig_initialise(struct aligner_rig *rig) {
  if (!rig->ops->initialise || rig->initialised) return TRUE;
  struct dvt_error fault = DVT_ERROR_INIT;
  for (guint t = 0; t < rig->cast->count; t++)
    for (guint k = 0; k < PAPER_WEIGHTS; k++) rig->papers[t].weights[k].value.data = rig->papers[t].values[k].data;
  const int status = rig->ops->initialise(rig->self, &fault);
  for (guint t = 0; t < rig->cast->count; t++)
    for (guint k = 0; k < PAPER_WEIGHTS; k++) rig->papers[t].weights[k].value.data = NULL;
  rig->initialised = TRUE;
  return probe_called(rig->probe, "initialise", &fault, status);
}

static gpointer open_among(struct probe *probe, const struct values *values, const struct cast *list, guint count,
                           char **refusal) {
  struct aligner_rig *rig = NULL;
  for (guint k = 0; !rig && k < count; k++) rig = aligner_rig_new(probe, values, &list[k], refusal);
  return rig;
}

static gpointer open_aligner(struct probe *probe, const struct values *values, char **refusal) {
  return open_among(probe, values, casts, G_N_ELEMENTS(casts), refusal);
}

struct aligner_rig *aligner_rig_open(struct probe *probe) {
  return kind_open(probe);
}

struct aligner_rig *aligner_rig_open_frozen(struct probe *probe) {
  AUTO(values) values = probe_values(probe);
  g_autofree char *refusal = NULL;
  if (!values) return NULL;
  struct aligner_rig *rig = open_among(probe, values, frozen_casts, G_N_ELEMENTS(frozen_casts), &refusal);
  if (!rig) probe_skip(probe, "it takes no frozen network: %s", refusal);
  return rig;
}

static gboolean use_aligner(gpointer instance, struct record *record) {
  struct aligner_rig *rig = instance;
  const gboolean first = !rig->initialised;
  if (!aligner_rig_initialise(rig)) return FALSE;
  for (guint t = 0; first && t < rig->cast->count; t++)
    for (guint k = 0; k < PAPER_WEIGHTS; k++)
      record_floats(record, rig->papers[t].weights[k].name, rig->papers[t].values[k].data,
                    rig->papers[t].values[k].size / sizeof(float));
  return aligner_step(rig, 0, record) && aligner_step(rig, 1, record);
}

static void close_aligner(gpointer instance) { aligner_rig_free(instance); }

/* The networks of the model live on until the other is destroyed; its heads make room for those of the other. */
static int init_aligner(gpointer instance, void *created, struct dvt_error *fault) {
  struct aligner_rig *model = instance;
  g_ptr_array_set_size(model->heads, 0);
  return init(model, created, fault);
}

static int fail_aligner(struct probe *probe, guint variant, const char **what, struct dvt_error *fault) {
  if (variant == G_N_ELEMENTS(odd_casts)) return KIND_NO_MORE;
  AUTO(values) values = probe_values(probe);
  if (!values) return KIND_NO_MORE;
  AUTO(aligner_rig) rig = rig_prepare(probe, &odd_casts[variant]);
  *what = rig->cast->words;
  if (rig->ops->create(values->value, &rig->self, fault) != DVT_OK) return KIND_NO_MORE;
  return init(rig, rig->self, fault);
}

const struct kind aligner_kind = {open_aligner, use_aligner, close_aligner, init_aligner, fail_aligner, NULL};
