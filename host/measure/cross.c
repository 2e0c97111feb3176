/* SPDX-License-Identifier: MIT */
#include "measure/cross.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/largest.h"
#include "base/memory.h"
#include "plugin/parallel.h"
#include "plugin/tensors.h"

/* One extractor on the images of the walk's task. */
struct visit {
  const struct walk *walk;
  guint index; /* of its network */
  struct pass *extractor;
  struct pass **heads; /* by network; NULL: of another task, or for other features */
  guint64 *correct;    /* by network */
  float *features, *logits;
  struct deviations *deviations;
  GError *error;
};

/* One block of channels of the products of a pair. */
struct share {
  struct products *products;
  guint block;
};

/* One task's test images, and the extractors that take them. */
struct walk {
  const struct cross_network *networks;
  guint count;
  const struct cross_config *config;
  const struct task *task;
  struct visit *visits;
  guint visit_count;
  struct products **products; /* [visit × visit]: of a pair once, and of its two with themselves; else NULL */
  GArray *shares;             /* of all products */
  float *images;              /* of the batch */
  gint32 *labels;
  guint n;
};

static gsize elements(const gint64 shape[3]) { return (gsize)(shape[0] * shape[1] * shape[2]); }

static gboolean same_positions(const gint64 a[3], const gint64 b[3]) { return a[1] == b[1] && a[2] == b[2]; }

/* Whether a network of the task has something to ask of an extractor. */
static gboolean takes_part(const struct walk *walk, const struct module *extractor) {
  if (memcmp(extractor->input, walk->task->dataset->info->image, sizeof extractor->input)) return FALSE;
  for (guint j = 0; j < walk->count; j++)
    if (walk->networks[j].task == walk->task && same_positions(extractor->output, walk->networks[j].extractor->output))
      return TRUE;
  return FALSE;
}

static gboolean head_fits(const struct walk *walk, const struct module *extractor, guint j) {
  const struct cross_network *network = &walk->networks[j];
  return network->task == walk->task && !memcmp(extractor->output, network->head->input, sizeof extractor->output);
}

static gboolean make_visit(struct visit *visit, GError **error) {
  const struct walk *walk = visit->walk;
  struct module *extractor = walk->networks[visit->index].extractor;
  const gsize batch = walk->config->batch;
  const struct dvt_pass_config config = {
      .struct_size = sizeof config,
      .capacity = walk->config->batch,
      .threads = MAX(1, walk->config->threads / walk->visit_count),
      .precision = walk->config->precision,
  };
  gsize classes = 1;
  if (!(visit->extractor = pass_new(extractor, &config, FALSE, error))) return FALSE;
  for (guint j = 0; j < walk->count; j++) {
    struct module *head = walk->networks[j].head;
    if (!head_fits(walk, extractor, j)) continue;
    classes = MAX(classes, (gsize)head->output[0]);
    if (!(visit->heads[j] = pass_new(head, &config, FALSE, error))) return FALSE;
  }
  return (visit->features = memory_floats(batch * elements(extractor->output), error)) &&
         (visit->logits = memory_floats(batch * classes, error)) &&
         (visit->deviations = deviations_new(extractor->output, walk->config->batch, error));
}

static void finish_visit(struct visit *visit, guint networks) {
  for (guint j = 0; j < networks; j++) pass_free(visit->heads[j]);
  pass_free(visit->extractor);
  deviations_free(visit->deviations);
  free(visit->features);
  free(visit->logits);
  g_free(visit->heads);
  g_free(visit->correct);
  g_clear_error(&visit->error);
}

static gboolean make_visits(struct walk *walk, GError **error) {
  walk->visits = g_new0(struct visit, walk->count);
  for (guint i = 0; i < walk->count; i++) {
    if (!takes_part(walk, walk->networks[i].extractor)) continue;
    walk->visits[walk->visit_count++] = (struct visit){
        .walk = walk,
        .index = i,
        .heads = g_new0(struct pass *, walk->count),
        .correct = g_new0(guint64, walk->count),
    };
  }
  for (guint v = 0; v < walk->visit_count; v++)
    if (!make_visit(&walk->visits[v], error)) return FALSE;
  return TRUE;
}

static gboolean add_products(struct walk *walk, guint v, guint w, GError **error) {
  struct products **place = &walk->products[v * walk->visit_count + w];
  if (*place) return TRUE;
  *place = products_new(walk->visits[v].deviations, walk->visits[w].deviations, error);
  if (!*place) return FALSE;
  for (guint block = 0; block < (*place)->a->blocks; block++) {
    const struct share share = {*place, block};
    g_array_append_val(walk->shares, share);
  }
  return TRUE;
}

static gboolean at_home(const struct walk *walk, const struct visit *visit) {
  return walk->networks[visit->index].task == walk->task;
}

static gboolean make_products(struct walk *walk, GError **error) {
  walk->products = g_new0(struct products *, (gsize)walk->visit_count * walk->visit_count);
  walk->shares = g_array_new(FALSE, FALSE, sizeof(struct share));
  for (guint v = 0; v < walk->visit_count; v++)
    for (guint w = v + 1; w < walk->visit_count; w++) {
      const struct visit *a = &walk->visits[v], *b = &walk->visits[w];
      if (!(at_home(walk, a) || at_home(walk, b)) || !same_positions(a->deviations->shape, b->deviations->shape))
        continue;
      if (!add_products(walk, v, v, error) || !add_products(walk, w, w, error) || !add_products(walk, v, w, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean make_walk(struct walk *walk, GError **error) {
  walk->labels = g_new(gint32, walk->config->batch);
  walk->images = memory_floats(walk->config->batch * dataset_image_size(walk->task->dataset), error);
  return walk->images && make_visits(walk, error) && make_products(walk, error);
}

static void finish_walk(struct walk *walk) {
  for (guint k = 0; walk->products && k < walk->visit_count * walk->visit_count; k++) products_free(walk->products[k]);
  for (guint v = 0; v < walk->visit_count; v++) finish_visit(&walk->visits[v], walk->count);
  if (walk->shares) g_array_unref(walk->shares);
  g_free(walk->products);
  g_free(walk->visits);
  g_free(walk->labels);
  free(walk->images);
}

/* FALSE when a logit is no number. */
static gboolean count_right(const float *logits, guint examples, guint classes, const gint32 *labels, guint64 *right) {
  for (guint k = 0; k < examples; k++) {
    const float *row = logits + (gsize)k * classes;
    for (guint c = 0; c < classes; c++)
      if (!isfinite(row[c])) return FALSE;
    *right += (gint32)largest_logit(row, classes) == labels[k];
  }
  return TRUE;
}

static gboolean judge(struct visit *visit, guint j, const struct dvt_tensor *features, GError **error) {
  const struct walk *walk = visit->walk;
  const struct module *head = walk->networks[j].head;
  struct dvt_tensor logits = tensor_logits(visit->logits, walk->n, head->output[0]);
  if (!pass_forward(visit->heads[j], features, &logits, error)) return FALSE;
  if (count_right(visit->logits, walk->n, (guint)head->output[0], walk->labels, &visit->correct[j])) return TRUE;
  return error_failed(error, "%s on the features of %s: a logit is not a finite number", head->label,
                      walk->networks[visit->index].extractor->label);
}

static gboolean see_batch(struct visit *visit, GError **error) {
  const struct walk *walk = visit->walk;
  const struct module *extractor = walk->networks[visit->index].extractor;
  const struct dvt_tensor images = tensor_maps(walk->images, walk->n, extractor->input);
  struct dvt_tensor features = tensor_maps(visit->features, walk->n, extractor->output);
  if (!pass_forward(visit->extractor, &images, &features, error)) return FALSE;
  if (!deviations_take(visit->deviations, visit->features, walk->n))
    return error_failed(error, "%s: a feature of the test images is not a finite number", extractor->label);
  for (guint j = 0; j < walk->count; j++)
    if (visit->heads[j] && !judge(visit, j, &features, error)) return FALSE;
  return TRUE;
}

static void see_batches(void *data, gint64 begin, gint64 end) {
  struct visit *visits = data;
  for (gint64 v = begin; v < end; v++) see_batch(&visits[v], &visits[v].error);
}

static void multiply(void *data, gint64 begin, gint64 end) {
  const struct share *shares = data;
  for (gint64 k = begin; k < end; k++) products_add(shares[k].products, shares[k].block);
}

static gboolean walk_batch(struct walk *walk, guint32 first, GError **error) {
  if (!task_read(walk->task, DVT_SUBSET_TEST, first, walk->n, walk->images, walk->labels, error)) return FALSE;
  parallel_for(walk->config->threads, walk->visit_count, see_batches, walk->visits);
  for (guint v = 0; v < walk->visit_count; v++)
    if (walk->visits[v].error) {
      g_propagate_error(error, g_steal_pointer(&walk->visits[v].error));
      return FALSE;
    }
  parallel_for(walk->config->threads, walk->shares->len, multiply, walk->shares->data);
  return TRUE;
}

static gboolean walk_all(struct walk *walk, GError **error) {
  const guint32 total = walk->task->count[DVT_SUBSET_TEST];
  for (guint32 first = 0; first < total; first += walk->n) {
    if (g_atomic_int_get(walk->config->interrupted)) {
      g_set_error_literal(error, DOVETAIL_ERROR, DOVETAIL_INTERRUPTED, "interrupted");
      return FALSE;
    }
    walk->n = MIN(walk->config->batch, total - first);
    if (!walk_batch(walk, first, error)) return FALSE;
  }
  return TRUE;
}

static void take_accuracies(const struct walk *walk, double *accuracy) {
  for (guint v = 0; v < walk->visit_count; v++) {
    const struct visit *visit = &walk->visits[v];
    for (guint j = 0; j < walk->count; j++)
      if (visit->heads[j])
        accuracy[visit->index * walk->count + j] = (double)visit->correct[j] / walk->task->count[DVT_SUBSET_TEST];
  }
}

/* A pair at home in one task has one similarity, which goes to both its places. */
static void take_similarities(const struct walk *walk, struct similarity *similarity) {
  const guint n = walk->visit_count;
  for (guint v = 0; v < n; v++)
    for (guint w = v + 1; w < n; w++) {
      if (!walk->products[v * n + w]) continue;
      const struct visit *a = &walk->visits[v], *b = &walk->visits[w];
      struct similarity found =
          similarity_measure(walk->products[v * n + v], walk->products[w * n + w], walk->products[v * n + w]);
      found.symmetric = at_home(walk, a) && at_home(walk, b);
      if (at_home(walk, a)) similarity[b->index * walk->count + a->index] = similarity_reversed(&found);
      if (at_home(walk, b))
        similarity[a->index * walk->count + b->index] = found;
      else
        similarity_clear(&found);
    }
}

gboolean cross_measure(const struct cross_network *networks, guint count, const struct cross_config *config,
                       double *accuracy, struct similarity *similarity, GError **error) {
  for (guint k = 0; k < count * count; k++) {
    accuracy[k] = (double)NAN;
    similarity[k] = similarity_none();
  }
  for (guint t = 0; t < count; t++) {
    guint first = 0;
    while (networks[first].task != networks[t].task) first++;
    if (first < t) continue; /* walked already */
    struct walk walk = {.networks = networks, .count = count, .config = config, .task = networks[t].task};
    const gboolean good = make_walk(&walk, error) && walk_all(&walk, error);
    if (good) take_accuracies(&walk, accuracy), take_similarities(&walk, similarity);
    finish_walk(&walk);
    if (!good) return FALSE;
  }
  return TRUE;
}
