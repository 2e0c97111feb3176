/* SPDX-License-Identifier: MIT */
/*
 * What the layers of a ResNet cost when each runs alone, in the fastest of its ways, and of those that are oneDNN's:
 * the sums are what a training step of one network on one thread should take. Each kind of convolution, with its batch
 * norm, is a small plan of its own.
 * Usage: primitives [DEPTH [BATCH [bfloat16]]]; prints one JSON object, times in milliseconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "conv.h"
#include "plugin/services.h"
#include "threads.h"

enum { ROUNDS = 9 };

/* A convolution of a ResNet for 32 x 32 images, and how many of it there are. */
struct layer {
  const char *name;
  int64_t from, to, side, kernel, stride;
  int count;
};

struct times {
  double kinds[PLAN_KINDS];
};

static struct nn_graph *build(const struct layer *layer) {
  const int64_t shape[] = {layer->from, layer->side, layer->side};
  struct nn_graph *graph = nn_graph_new(shape);
  const int conv = nn_conv(graph, NN_INPUT, "conv", layer->to, layer->kernel, layer->stride);
  nn_output(graph, nn_batch_norm(graph, conv, "norm", true));
  return graph;
}

static void check(int status, const struct dvt_error *error) {
  if (status == DVT_OK) return;
  fprintf(stderr, "primitives: %s\n", error->message);
  exit(1);
}

/* Runs all phases, and keeps the fastest time of each kind. */
static void run(struct plan *plan, double *seconds, struct times *best) {
  struct dvt_error error = DVT_ERROR_INIT;
  dnnl_stream_t stream;
  dnnl_stream_create(&stream, plan->setup.engine, dnnl_stream_default_flags);
  for (int round = 0; round < ROUNDS; round++) {
    memset(seconds, 0, PLAN_KINDS * sizeof *seconds);
    for (int phase = 0; phase < PLAN_PHASES; phase++) check(plan_run(plan, phase, true, stream, &error), &error);
    for (int kind = 0; kind < PLAN_KINDS; kind++) best->kinds[kind] = MIN(best->kinds[kind], seconds[kind]);
  }
  dnnl_stream_destroy(stream);
}

/* Where every weight of a graph begins, in memory for all. */
static float **allocate(const struct nn_graph *graph) {
  float **weights = g_new0(float *, graph->weight_count);
  for (int k = 0; k < graph->weight_count; k++) {
    gsize count = 1;
    for (uint32_t axis = 0; axis < graph->weights[k].rank; axis++) count *= (gsize)graph->weights[k].shape[axis];
    weights[k] = memory_floats(count, NULL);
  }
  return weights;
}

static void try_way(const struct layer *layer, int64_t batch, bool half, enum conv_way way, struct times *best) {
  struct nn_graph *graph = build(layer);
  struct dvt_error error = DVT_ERROR_INIT;
  struct plan *plan = NULL;
  double seconds[PLAN_KINDS];
  struct plan_setup setup = {.graph = graph,
                             .values = allocate(graph),
                             .gradients = allocate(graph),
                             .flags = DVT_PASS_BACKWARD | DVT_PASS_BATCH_STATISTICS,
                             .threads = 1,
                             .batch = batch,
                             .capacity = batch,
                             .half = half,
                             .seconds = seconds,
                             .way = &way};
  dnnl_engine_create(&setup.engine, dnnl_cpu, 0);
  check(plan_new(&setup, &plan, &error), &error);
  float *memory = memory_floats(plan->arena.size / sizeof(float) + 1, NULL);
  const gsize size = (gsize)(batch * MAX(layer->from, layer->to) * layer->side * layer->side);
  float *borders[PLAN_BORDERS];
  check(plan_place(plan, memory, &error), &error);
  for (int k = 0; k < PLAN_BORDERS; k++) {
    borders[k] = memory_floats(size, NULL);
    check(plan_set_border(plan, k, borders[k], &error), &error);
  }
  run(plan, seconds, best);
  for (int k = 0; k < PLAN_BORDERS; k++) free(borders[k]);
  for (int k = 0; k < graph->weight_count; k++) free(setup.values[k]), free(setup.gradients[k]);
  plan_free(plan);
  free(memory);
  dnnl_engine_destroy(setup.engine);
  nn_graph_free(graph);
}

/* Of one kind of layer: in the fastest of all ways, and of oneDNN's. */
struct measured {
  struct times best, onednn;
};

static struct measured measure(const struct layer *layer, int64_t batch, bool half) {
  struct measured measured;
  for (int kind = 0; kind < PLAN_KINDS; kind++) measured.onednn.kinds[kind] = G_MAXDOUBLE;
  try_way(layer, batch, half, CONV_DIRECT, &measured.onednn);
  try_way(layer, batch, half, CONV_ONEDNN_WINOGRAD, &measured.onednn);
  measured.best = measured.onednn;
  try_way(layer, batch, half, CONV_WINOGRAD, &measured.best);
  return measured;
}

struct sums {
  double convolutions, norms;
};

/* Of the first layer no gradient goes further back. */
static void add(struct sums *sums, const struct layer *layer, const struct times *times, bool is_first) {
  const double *kinds = times->kinds, back = is_first ? 0 : kinds[PLAN_CONV_DATA];
  sums->convolutions += layer->count * (kinds[PLAN_CONV_FORWARD] + back + kinds[PLAN_CONV_WEIGHTS]);
  sums->norms += layer->count * kinds[PLAN_NORM];
}

static void print_sums(const char *name, const struct sums *sums, int64_t batch, const char *end) {
  const double all = sums->convolutions + sums->norms;
  printf("  \"%s\": {\"convolutions\": %.1f, \"norms\": %.1f, \"sum\": %.1f, \"images_per_s\": %.1f}%s\n", name,
         1e3 * sums->convolutions, 1e3 * sums->norms, 1e3 * all, (double)batch / all, end);
}

static void print_layer(const struct layer *layer, const struct times *best) {
  printf("    {\"layer\": \"%s\", \"count\": %d, \"forward\": %.3f, \"backward_data\": %.3f, "
         "\"backward_weights\": %.3f, \"norm\": %.3f},\n",
         layer->name, layer->count, 1e3 * best->kinds[PLAN_CONV_FORWARD], 1e3 * best->kinds[PLAN_CONV_DATA],
         1e3 * best->kinds[PLAN_CONV_WEIGHTS], 1e3 * best->kinds[PLAN_NORM]);
}

int main(int argc, char **argv) {
  const int depth = argc > 1 ? atoi(argv[1]) : 56, blocks = (depth - 2) / 6;
  const int64_t batch = argc > 2 ? atoi(argv[2]) : 128;
  const bool half = argc > 3 && !strcmp(argv[3], "bfloat16");
  const struct layer layers[] = {
      {"first", 3, 16, 32, 3, 1, 1},
      {"16 channels", 16, 16, 32, 3, 1, 2 * blocks},
      {"16 to 32", 16, 32, 32, 3, 2, 1},
      {"16 to 32, shortcut", 16, 32, 32, 1, 2, 1},
      {"32 channels", 32, 32, 16, 3, 1, 2 * blocks - 1},
      {"32 to 64", 32, 64, 16, 3, 2, 1},
      {"32 to 64, shortcut", 32, 64, 16, 1, 2, 1},
      {"64 channels", 64, 64, 8, 3, 1, 2 * blocks - 1},
  };
  struct sums best = {0}, onednn = {0};
  threads_limit(1);
  printf("{\n  \"depth\": %d, \"batch\": %d, \"precision\": \"%s\",\n  \"layers\": [\n", depth, (int)batch,
         half ? "bfloat16" : "float32");
  for (guint k = 0; k < G_N_ELEMENTS(layers); k++) {
    const struct measured measured = measure(&layers[k], batch, half);
    print_layer(&layers[k], &measured.best);
    add(&best, &layers[k], &measured.best, k == 0);
    add(&onednn, &layers[k], &measured.onednn, k == 0);
  }
  puts("    null\n  ],");
  print_sums("best", &best, batch, ",");
  print_sums("onednn", &onednn, batch, "");
  puts("}");
  return 0;
}
