/* SPDX-License-Identifier: MIT */
/* The features of this backbone against a convolution written out, and its gradients against finite differences. */
#include "plain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 3, SIDE = 6, PIXELS = IMAGES * 3 * SIDE * SIDE, WEIGHTS = 6, MOST = 4 * 4 * TAPS * 3 };

static void parallel_for(const struct dvt_host *host, uint32_t threads, int64_t count,
                         void (*body)(void *data, int64_t begin, int64_t end), void *data) {
  (void)host, (void)threads;
  body(data, 0, count / 2);
  body(data, count / 2, count);
}

static const struct dvt_host host = {.struct_size = sizeof host, .parallel_for = parallel_for};

/* Width 2 on images of 3 x 6 x 6: features of 4 x 3 x 3. */
struct scene {
  const struct dvt_module_ops *ops;
  struct plain *plain;
  void *pass;
  float values[WEIGHTS][MOST], slopes[WEIGHTS][MOST];
  float images[PIXELS], image_slopes[PIXELS];
  float features[IMAGES * 4 * 9], feature_slopes[IMAGES * 4 * 9];
};

static float noise(void) { return (float)rand() / (float)RAND_MAX * 2 - 1; }

static struct dvt_tensor tensor(float *data, int64_t channels, int64_t side) {
  return (struct dvt_tensor){data, DVT_F32, DVT_PLACE_HOST, 4, 0, {IMAGES, channels, side, side}};
}

static struct scene *scene_new(void) {
  struct scene *scene = calloc(1, sizeof *scene);
  const struct dvt_value width = {.type = DVT_TYPE_INT, .count = 1, .integer = 2};
  const struct dvt_module_config config = {.struct_size = sizeof config, .input = {3, SIDE, SIDE}};
  float *values[WEIGHTS], *slopes[WEIGHTS];
  void *module;
  for (int k = 0; k < WEIGHTS; k++) {
    values[k] = scene->values[k];
    slopes[k] = scene->slopes[k];
    for (int at = 0; at < MOST; at++) values[k][at] = noise() / 2;
  }
  for (int k = 0; k < PIXELS; k++) scene->images[k] = noise();
  for (int k = 0; k < IMAGES * 4 * 9; k++) scene->feature_slopes[k] = noise();
  const struct dvt_pass_config pass = {.struct_size = sizeof pass,
                                       .flags = DVT_PASS_BACKWARD,
                                       .capacity = IMAGES + 1,
                                       .threads = 2,
                                       .gradients = slopes};
  scene->ops = dovetail_plugin.ops;
  if (scene->ops->create(&width, &module, NULL) != DVT_OK) abort();
  if (scene->ops->init(module, &host, &config, NULL) != DVT_OK) abort();
  scene->plain = module;
  scene->ops->bind(module, values);
  if (scene->ops->pass_create(module, &pass, &scene->pass, NULL) != DVT_OK) abort();
  return scene;
}

static void scene_free(struct scene *scene) {
  scene->ops->pass_destroy(scene->pass);
  scene->ops->destroy(scene->plain);
  free(scene);
}

/* The sum of the features, each times the gradient that backward is given. */
static double loss_of(struct scene *scene) {
  const struct dvt_tensor images = tensor(scene->images, 3, SIDE);
  struct dvt_tensor features = tensor(scene->features, 4, SIDE / 2);
  double sum = 0;
  scene->ops->changed(scene->plain);
  if (scene->ops->forward(scene->pass, &images, &features, NULL) != DVT_OK) abort();
  for (int k = 0; k < IMAGES * 4 * 9; k++) sum += (double)scene->features[k] * scene->feature_slopes[k];
  return sum;
}

/* The first convolution and those behind it, point by point: channel c at (y, x) of image n behind layer `layer`. */
static double written_out(const struct scene *scene, int layer, int64_t n, int64_t c, int64_t y, int64_t x) {
  const struct plain *plain = scene->plain;
  if (y < 0 || x < 0 || y >= SIDE / 2 || x >= SIDE / 2) return 0;
  if (layer == 0) return scene->images[((n * 3 + c / 4) * SIDE + 2 * y + c / 2 % 2) * SIDE + 2 * x + c % 2];
  double sum = scene->values[2 * layer - 1][c];
  for (int64_t i = 0; i < plain->channels[layer - 1]; i++)
    for (int tap = 0; tap < TAPS; tap++)
      sum += scene->values[2 * layer - 2][(c * plain->channels[layer - 1] + i) * TAPS + tap] *
             written_out(scene, layer - 1, n, i, y + tap / 3 - 1, x + tap % 3 - 1);
  return sum > 0 ? sum : 0;
}

static int features_are_right(void) {
  struct scene *scene = scene_new();
  double worst = 0;
  for (int flight = 0; flight < 2; flight++) loss_of(scene); /* the second finds the memory of the first */
  for (int64_t k = 0; k < 4 * 9; k++) {
    const double expected = written_out(scene, LAYERS, IMAGES - 1, k / 9, k / 3 % 3, k % 3);
    worst = fmax(worst, fabs(expected - scene->features[(IMAGES - 1) * 4 * 9 + k]));
  }
  scene_free(scene);
  printf("# largest difference: %g\n", worst);
  return worst < 1e-5;
}

/* The largest difference of the gradients of count values. */
static double worst_of(struct scene *scene, float *values, const float *slopes, int64_t count) {
  const float step = 1e-3f;
  double worst = 0;
  for (int64_t k = 0; k < count; k++) {
    const float middle = values[k];
    values[k] = middle + step;
    const double above = loss_of(scene);
    values[k] = middle - step;
    worst = fmax(worst, fabs((above - loss_of(scene)) / (2 * step) - slopes[k]));
    values[k] = middle;
  }
  return worst;
}

static int gradients_are_right(void) {
  struct scene *scene = scene_new();
  const struct dvt_tensor given = tensor(scene->feature_slopes, 4, SIDE / 2);
  struct dvt_tensor made = tensor(scene->image_slopes, 3, SIDE);
  loss_of(scene);
  if (scene->ops->backward(scene->pass, &given, &made, NULL) != DVT_OK) abort();
  double worst = worst_of(scene, scene->images, scene->image_slopes, PIXELS);
  for (uint32_t k = 0; k < WEIGHTS; k++) {
    const struct dvt_weight *weight = scene->ops->weight(scene->plain, k);
    const int64_t count = weight->rank == 1 ? weight->shape[0] : weight->shape[0] * weight->shape[1] * TAPS;
    worst = fmax(worst, worst_of(scene, scene->values[k], scene->slopes[k], count));
  }
  scene_free(scene);
  printf("# largest difference: %g\n", worst);
  return worst < 5e-3;
}

int main(void) {
  printf("1..2\n");
  const int features = features_are_right();
  printf("%s 1 - features agree with a convolution written out\n", features ? "ok" : "not ok");
  const int gradients = gradients_are_right();
  printf("%s 2 - gradients agree with finite differences\n", gradients ? "ok" : "not ok");
  return !(features && gradients);
}
