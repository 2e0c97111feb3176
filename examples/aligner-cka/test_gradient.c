/* SPDX-License-Identifier: MIT */
/* The loss of this aligner, and its gradient against finite differences. */
#include <dovetail/dovetail.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NETWORKS = 3, BATCH = 5, AREA = 3 * 2, MOST = BATCH * 4 * AREA };

/* Three networks whose features have 4, 3 and 2 channels. */
struct scene {
  const struct dvt_aligner_ops *ops;
  void *aligner;
  struct dvt_network networks[NETWORKS];
  struct dvt_batch batches[NETWORKS];
  struct dvt_tensor features[NETWORKS], gradients[NETWORKS];
  float values[NETWORKS][MOST], slopes[NETWORKS][MOST];
  uint32_t frozen; /* this network has no gradient; NETWORKS: all have */
};

static struct dvt_tensor tensor(float *data, int64_t channels) {
  return (struct dvt_tensor){data, DVT_F32, DVT_PLACE_HOST, 4, 0, {BATCH, channels, 3, 2}};
}

static float noise(void) { return (float)rand() / (float)RAND_MAX * 2 - 1; }

static struct scene *scene_new(double weight) {
  struct scene *scene = calloc(1, sizeof *scene);
  const struct dvt_network *list[NETWORKS];
  scene->ops = dovetail_plugin.ops;
  scene->frozen = NETWORKS;
  for (uint32_t t = 0; t < NETWORKS; t++) {
    scene->networks[t] = (struct dvt_network){
        .struct_size = sizeof scene->networks[t], .index = t, .name = "n", .batch = BATCH, .features = {4 - t, 3, 2}};
    scene->batches[t] = (struct dvt_batch){
        .struct_size = sizeof scene->batches[t], .network = t, .weight = weight, .count = BATCH, .threads = 1};
    scene->features[t] = tensor(scene->values[t], 4 - t);
    scene->gradients[t] = tensor(scene->slopes[t], 4 - t);
    for (int k = 0; k < MOST; k++) scene->values[t][k] = noise() + (float)t;
    list[t] = &scene->networks[t];
  }
  /* Networks 0 and 1 have something in common, or CKA would be almost 0. */
  for (int k = 0; k < BATCH * AREA; k++) scene->values[1][k] = scene->values[0][k] * 2;
  scene->ops->create(NULL, &scene->aligner, NULL);
  if (scene->ops->init(scene->aligner, NULL, list, NETWORKS, NULL) != DVT_OK) abort();
  return scene;
}

static void scene_free(struct scene *scene) {
  scene->ops->destroy(scene->aligner);
  free(scene);
}

static double loss_of(struct scene *scene) {
  const struct dvt_batch *batches[NETWORKS];
  const struct dvt_tensor *features[NETWORKS];
  struct dvt_tensor *gradients[NETWORKS];
  double loss = NAN;
  for (uint32_t t = 0; t < NETWORKS; t++) {
    batches[t] = &scene->batches[t];
    features[t] = &scene->features[t];
    gradients[t] = t == scene->frozen ? NULL : &scene->gradients[t];
  }
  if (scene->ops->joint_loss(scene->aligner, batches, features, gradients, NETWORKS, &loss, NULL) != DVT_OK) abort();
  return loss;
}

/* The gradient is added to what is there, and is that of weight times the loss. */
static int agrees_with_differences(void) {
  const double weight = 3, step = 1e-2;
  struct scene *scene = scene_new(weight);
  float slopes[NETWORKS][MOST];
  double worst = 0;
  for (int t = 0; t < NETWORKS; t++)
    for (int k = 0; k < MOST; k++) scene->slopes[t][k] = 1;
  loss_of(scene);
  memcpy(slopes, scene->slopes, sizeof slopes);
  for (int t = 0; t < NETWORKS; t++)
    for (int64_t k = 0; k < dvt_tensor_count(&scene->features[t]); k++) {
      float *value = &scene->values[t][k];
      const float middle = *value;
      *value = middle + (float)step;
      const double above = loss_of(scene);
      *value = middle - (float)step;
      const double difference = (above - loss_of(scene)) / (2 * step) * weight;
      *value = middle;
      worst = fmax(worst, fabs(slopes[t][k] - 1 - difference));
    }
  scene_free(scene);
  printf("# largest difference: %g\n", worst);
  return worst < 2e-4;
}

static int frozen_network_gets_none(void) {
  struct scene *scene = scene_new(1);
  const double loss = loss_of(scene);
  memset(scene->slopes, 0, sizeof scene->slopes);
  scene->frozen = 1;
  const int good = fabs(loss_of(scene) - loss) < 1e-12 && scene->slopes[1][0] == 0 && scene->slopes[0][0] != 0;
  scene_free(scene);
  return good;
}

/* Dead channels, and a network whose features are all the same. */
static int dead_features_are_no_nan(void) {
  struct scene *scene = scene_new(1);
  int good = 1;
  for (int k = 0; k < MOST; k++) scene->values[2][k] = 0.3f;
  for (int n = 0; n < BATCH; n++) memset(scene->values[0] + n * 4 * AREA, 0, AREA * sizeof(float));
  good = isfinite(loss_of(scene));
  for (int t = 0; t < NETWORKS; t++)
    for (int k = 0; k < MOST; k++) good = good && isfinite(scene->slopes[t][k]) && (t != 2 || scene->slopes[t][k] == 0);
  scene_free(scene);
  return good;
}

/* Channels in another order, scaled and moved, are alike: then the loss of that pair is 0, and that of the others 1,
 * because network 2 is dead. */
static int order_and_scale_do_not_matter(void) {
  struct scene *scene = scene_new(1);
  scene->features[1] = scene->features[0];
  scene->features[1].data = scene->values[1];
  scene->features[2].data = memset(scene->values[2], 0, sizeof scene->values[2]);
  scene->ops->destroy(scene->aligner);
  const struct dvt_network *list[NETWORKS] = {&scene->networks[0], &scene->networks[1], &scene->networks[2]};
  scene->networks[1].features[0] = 4;
  scene->ops->create(NULL, &scene->aligner, NULL);
  scene->ops->init(scene->aligner, NULL, list, NETWORKS, NULL);
  for (int k = 0; k < MOST; k++) {
    const int n = k / (4 * AREA), c = k / AREA % 4, at = k % AREA;
    scene->values[1][k] = 0.5f * scene->values[0][(n * 4 + (c + 1) % 4) * AREA + at] - 7;
  }
  const double loss = loss_of(scene);
  scene_free(scene);
  printf("# loss %g\n", loss);
  return fabs(loss - 2.0 / 3) < 1e-6;
}

int main(void) {
  static const struct {
    const char *name;
    int (*test)(void);
  } tests[] = {
      {"the gradient agrees with finite differences", agrees_with_differences},
      {"a frozen network gets no gradient", frozen_network_gets_none},
      {"dead features give no NaN", dead_features_are_no_nan},
      {"order, scale and mean of channels do not matter", order_and_scale_do_not_matter},
  };
  const int count = sizeof tests / sizeof *tests;
  int failed = 0;
  printf("1..%d\n", count);
  for (int k = 0; k < count; k++) {
    const int good = tests[k].test();
    printf("%s %d - %s\n", good ? "ok" : "not ok", k + 1, tests[k].name);
    failed += !good;
  }
  return failed > 0;
}
