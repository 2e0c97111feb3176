/* SPDX-License-Identifier: MIT */
/* Rotation: every network also predicts, through one shared head, by how much an image was turned (Gygli, Uijlings and
 * Ferrari 2020, section 3; the task is that of Gidaris, Singh and Komodakis 2018). */
#include <dovetail/dovetail.h>
#include <stdlib.h>

struct rotation {
  const struct dvt_aligner_host *host;
  const struct dvt_network *const *networks;
  uint32_t count, head;
  int32_t **turns; /* by network, [batch]: quarter turns of each image of the view */
};

static int create(const struct dvt_value *values, void **aligner, struct dvt_error *error) {
  (void)values;
  struct rotation *rotation = calloc(1, sizeof *rotation);
  if (!rotation) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  *aligner = rotation;
  return DVT_OK;
}

static void destroy(void *aligner) {
  struct rotation *rotation = aligner;
  if (!rotation) return;
  for (uint32_t t = 0; rotation->turns && t < rotation->count; t++) free(rotation->turns[t]);
  free(rotation->turns);
  free(rotation);
}

static int init(void *aligner, const struct dvt_aligner_host *host, const struct dvt_network *const *networks,
                uint32_t count, struct dvt_error *error) {
  struct rotation *rotation = aligner;
  rotation->host = host;
  rotation->networks = networks;
  rotation->count = count;
  rotation->turns = calloc(count, sizeof *rotation->turns);
  if (!rotation->turns) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  for (uint32_t t = 0; t < count; t++) {
    const struct dvt_network *network = networks[t];
    if (network->image[1] != network->image[2])
      return dvt_fail(error, DVT_ERROR_ARGUMENT,
                      "network %s has images of %d x %d pixels; only square ones can be turned", network->name,
                      (int)network->image[1], (int)network->image[2]);
    if (!(rotation->turns[t] = calloc(network->batch, sizeof **rotation->turns)))
      return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  }
  static const char *const turns[] = {"0", "90", "180", "270"};
  const struct dvt_head_request request = {
      .struct_size = sizeof request, .classes = 4, .name = "rotation", .class_names = turns};
  return host->make_head(host, &request, &rotation->head, error);
}

/* Turns one square channel [side, side] counter-clockwise by so many quarters. */
static void turn(const float *from, float *to, int64_t side, int32_t quarters) {
  for (int64_t y = 0; y < side; y++)
    for (int64_t x = 0; x < side; x++) {
      const int64_t last = side - 1;
      const int64_t source[] = {y * side + x, x * side + last - y, (last - y) * side + last - x, (last - x) * side + y};
      to[y * side + x] = from[source[quarters]];
    }
}

static int make_view(void *aligner, const struct dvt_batch *batch, struct dvt_tensor *view, struct dvt_error *error) {
  (void)error;
  struct rotation *rotation = aligner;
  const struct dvt_host *host = rotation->host->base;
  const int64_t channels = view->shape[1], side = view->shape[2], area = side * side;
  int32_t *turns = rotation->turns[batch->network];
  for (uint32_t k = 0; k < batch->count; k++) {
    const uint64_t drawn = batch->step * batch->count + k;
    uint32_t word;
    host->random(host, rotation->networks[batch->network]->name, 0, drawn, &word, 1);
    turns[k] = (int32_t)(word % 4);
    for (int64_t c = 0; c < channels; c++) {
      const int64_t at = (k * channels + c) * area;
      turn((const float *)batch->images->data + at, (float *)view->data + at, side, turns[k]);
    }
  }
  return DVT_OK;
}

static int view_loss(void *aligner, const struct dvt_batch *batch, const struct dvt_tensor *features,
                     struct dvt_tensor *gradient, double *loss, struct dvt_error *error) {
  const struct rotation *rotation = aligner;
  const struct dvt_aligner_host *host = rotation->host;
  const int32_t *turns = rotation->turns[batch->network];
  struct dvt_tensor logits;
  int status = host->head_forward(host, rotation->head, batch->network, features, &logits, error);
  if (status == DVT_OK) status = host->cross_entropy(host, &logits, turns, batch->weight, loss, error);
  if (status == DVT_OK) status = host->head_backward(host, rotation->head, batch->network, &logits, gradient, error);
  return status;
}

static const struct dvt_aligner_ops ops = {
    .struct_size = sizeof ops,
    .create = create,
    .destroy = destroy,
    .init = init,
    .make_view = make_view,
    .view_loss = view_loss,
};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_ALIGNER,
    .name = "rotation",
    .version = "1.0.0",
    .description = "A shared auxiliary head predicts by how many quarters each image was turned",
    .author = "The Dovetail authors",
    .licence = "MIT",
    .ops = &ops,
};
