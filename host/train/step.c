/* SPDX-License-Identifier: MIT */
#include "train/step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/processors.h"
#include "plugin/border.h"
#include "plugin/fault.h"
#include "plugin/tensors.h"
#include "train/aligner.h"
#include "train/loss.h"

static gboolean allocate(struct dvt_tensor *tensor, GError **error) {
  tensor->data = guard_floats((gsize)dvt_tensor_count(tensor), error);
  return tensor->data != NULL;
}

static gboolean has_views(const struct composition *composition) {
  for (guint k = 0; k < composition->aligner_count; k++)
    if (composition->aligners[k].ops->make_view) return TRUE;
  return FALSE;
}

static struct optimiser_config optimiser_config(const struct composition *composition) {
  const struct train_spec *train = &composition->experiment->train;
  return (struct optimiser_config){train->momentum, train->weight_decay, train->nesterov};
}

static gboolean make_passes(struct flight *flight, const struct composition *composition, GError **error) {
  const struct optimiser_config optimiser = optimiser_config(composition);
  struct dvt_pass_config config = {
      .struct_size = sizeof config,
      .flags = DVT_PASS_BATCH_STATISTICS | DVT_PASS_BACKWARD,
      .capacity = composition->experiment->train.batch,
      .threads = flight->stepper->threads,
      .precision = composition->experiment->train.precision,
  };
  struct network *network = flight->network;
  if (flight->frozen) {
    config.flags = 0;
    return (flight->extractor = pass_new(network->extractor, &config, FALSE, error)) != NULL;
  }
  return (flight->extractor = pass_new(network->extractor, &config, TRUE, error)) &&
         (flight->head = pass_new(network->head, &config, TRUE, error)) &&
         (flight->extractor_optimiser = optimiser_new(network->extractor, &optimiser, error)) &&
         (flight->head_optimiser = optimiser_new(network->head, &optimiser, error));
}

static gboolean flight_init(struct flight *flight, struct stepper *stepper, guint index, GError **error) {
  const struct composition *composition = stepper->composition;
  const guint batch = composition->experiment->train.batch;
  flight->stepper = stepper;
  flight->index = index;
  flight->network = &composition->networks[index];
  flight->frozen = flight->network->view.frozen;
  flight->losses.aligners = g_new0(double, composition->aligner_count + 1);
  const struct module *extractor = flight->network->extractor, *head = flight->network->head;
  flight->images = tensor_maps(NULL, batch, extractor->input);
  flight->view = tensor_maps(NULL, batch, extractor->input);
  flight->features = tensor_maps(NULL, batch, extractor->output);
  flight->gradient = tensor_maps(NULL, batch, extractor->output);
  flight->logits = tensor_logits(NULL, batch, head->output[0]);
  if (!network_flies(composition, index)) return TRUE;
  if (!make_passes(flight, composition, error) || !allocate(&flight->features, error)) return FALSE;
  return flight->frozen || (allocate(&flight->gradient, error) && allocate(&flight->logits, error) &&
                            (!has_views(composition) || allocate(&flight->view, error)));
}

static void flight_finish(struct flight *flight) {
  optimiser_free(flight->extractor_optimiser);
  optimiser_free(flight->head_optimiser);
  pass_free(flight->extractor);
  pass_free(flight->head);
  guard_free(flight->features.data);
  guard_free(flight->gradient.data);
  guard_free(flight->logits.data);
  guard_free(flight->view.data);
  g_free(flight->losses.aligners);
}

static void joint_view_init(struct joint_view *view, guint networks) {
  view->batches = g_new0(const struct dvt_batch *, networks);
  view->features = g_new0(const struct dvt_tensor *, networks);
  view->gradients = g_new0(struct dvt_tensor *, networks);
  view->given = g_new0(struct dvt_tensor, networks);
}

static void joint_view_finish(struct joint_view *view) {
  g_free(view->batches);
  g_free(view->features);
  g_free(view->gradients);
  g_free(view->given);
}

static gboolean start_aligners(struct stepper *stepper, GError **error) {
  struct composition *composition = stepper->composition;
  const struct optimiser_config config = optimiser_config(composition);
  for (guint k = 0; k < composition->aligner_count; k++) {
    struct aligner *aligner = &composition->aligners[k];
    if (!aligner_start(aligner, stepper->threads, composition->experiment->train.precision, error)) return FALSE;
    stepper->joint |= aligner->ops->joint_loss != NULL;
    if (aligner->frozen) continue;
    for (guint h = 0; h < aligner->auxiliaries->len; h++) {
      const struct auxiliary *auxiliary = g_ptr_array_index(aligner->auxiliaries, h);
      struct optimiser *optimiser = optimiser_new(auxiliary->module, &config, error);
      if (!optimiser) return FALSE;
      g_ptr_array_add(stepper->optimisers, optimiser);
    }
  }
  stepper->tied = stepper->optimisers->len > 0;
  return TRUE;
}

gboolean network_flies(const struct composition *composition, guint t) {
  for (guint k = 0; k < composition->aligner_count; k++)
    if (composition->aligners[k].ops->joint_loss || aligner_heeds(&composition->aligners[k], t)) return TRUE;
  return !composition->networks[t].view.frozen;
}

static guint count_flying(const struct composition *composition) {
  guint count = 0;
  for (guint t = 0; t < composition->network_count; t++) count += network_flies(composition, t);
  return count;
}

guint threads_asked(const struct experiment *experiment) {
  return experiment->train.threads ? experiment->train.threads : processors_usable();
}

/* Of `threads`, what each network gets. */
static guint threads_each(const struct composition *composition, guint threads) {
  return MAX(1, threads / count_flying(composition));
}

guint threads_taken(const struct composition *composition) {
  return count_flying(composition) * threads_each(composition, threads_asked(composition->experiment));
}

struct stepper *stepper_new(struct composition *composition, guint threads, GError **error) {
  AUTO(stepper) stepper = g_new0(struct stepper, 1);
  stepper->composition = composition;
  stepper->threads = threads_each(composition, threads);
  stepper->flights = g_new0(struct flight, composition->network_count);
  stepper->joint_losses = g_new0(double, composition->aligner_count + 1);
  joint_view_init(&stepper->joint_view, composition->network_count);
  stepper->optimisers = g_ptr_array_new_with_free_func((GDestroyNotify)optimiser_free);
  for (guint t = 0; t < composition->network_count; t++)
    if (!flight_init(&stepper->flights[t], stepper, t, error)) return NULL;
  if (!start_aligners(stepper, error)) return NULL;
  return g_steal_pointer(&stepper);
}

void stepper_free(struct stepper *stepper) {
  if (!stepper) return;
  struct composition *composition = stepper->composition;
  for (guint t = 0; t < composition->network_count; t++) flight_finish(&stepper->flights[t]);
  for (guint k = 0; k < composition->aligner_count; k++) aligner_stop(&composition->aligners[k]);
  joint_view_finish(&stepper->joint_view);
  g_ptr_array_unref(stepper->optimisers);
  g_free(stepper->flights);
  g_free(stepper->joint_losses);
  g_free(stepper);
}

static gboolean check_finite(double loss, const char *term, GError **error) {
  if (isfinite(loss)) return TRUE;
  return error_failed(error, "the %s loss is %s; a lower learning rate or a longer warm-up may help", term,
                      isnan(loss) ? "not a number" : "infinite");
}

/* Whether what plugins leave is looked at in a step. */
static gboolean is_checked(const struct composition *composition, guint64 step) {
  const guint64 first = 10, every = composition->experiment->train.check;
  return every && (step < first || step % every == 0);
}

/* What a hook of aligner k has written to; tensor: what it was given for `made`, NULL: nothing. */
static gboolean check_border(const struct flight *flight, guint k, const char *hook, const struct dvt_tensor *tensor,
                             const struct dvt_tensor *made, const char *name, GError **error) {
  if (!tensor || (border_same(tensor, made, name, error) && (!flight->checked || border_good(made, name, error))))
    return TRUE;
  g_prefix_error(error, "aligner %s: %s: ", flight->stepper->composition->aligners[k].name, hook);
  return FALSE;
}

/* After a hook of aligner k: its status, and whether its loss is a number. */
static gboolean check_hook(const struct stepper *stepper, guint k, const char *hook, int status,
                           const struct dvt_error *fault, double loss, GError **error) {
  const char *name = stepper->composition->aligners[k].name;
  if (status != DVT_OK) {
    g_autofree char *text = fault_text(fault, status);
    return error_failed(error, "aligner %s: %s: %s", name, hook, text);
  }
  return check_finite(loss, name, error);
}

static void begin(struct flight *flight, const struct feed *feed, guint64 epoch, guint64 step) {
  flight->step = step;
  flight->checked = is_checked(flight->stepper->composition, step);
  flight->extractor->checked = flight->checked;
  flight->images.data = feed->images;
  flight->batch = (struct dvt_batch){
      .struct_size = sizeof flight->batch,
      .network = flight->index,
      .epoch = epoch,
      .step = step,
      .count = flight->network->view.batch,
      .images = &flight->images,
      .labels = feed->labels,
      .threads = flight->stepper->threads,
  };
  pass_clear(flight->extractor);
  if (!flight->frozen) {
    flight->head->checked = flight->checked;
    pass_clear(flight->head);
  }
  const struct composition *composition = flight->stepper->composition;
  for (guint k = 0; k < composition->aligner_count; k++) {
    flight->losses.aligners[k] = 0;
    if (!aligner_heeds(&composition->aligners[k], flight->index)) continue;
    for (guint h = 0; h < composition->aligners[k].auxiliaries->len; h++) {
      struct auxiliary *auxiliary = g_ptr_array_index(composition->aligners[k].auxiliaries, h);
      auxiliary->passes[flight->index]->checked = flight->checked;
      pass_clear(auxiliary->passes[flight->index]);
      auxiliary->has_run[flight->index] = FALSE;
    }
  }
}

static const char GRADIENTS[] = "gradients of the features";

/* What hooks add a gradient to: `given`, a copy of the tensor, so that they cannot take the host's memory from it. */
static struct dvt_tensor *gradient_of(const struct flight *flight, struct dvt_tensor *given) {
  *given = flight->gradient;
  return flight->frozen ? NULL : given;
}

static gboolean feature_losses(struct flight *flight, GError **error) {
  const struct composition *composition = flight->stepper->composition;
  for (guint k = 0; k < composition->aligner_count; k++) {
    const struct aligner *aligner = &composition->aligners[k];
    if (!aligner->ops->feature_loss || !aligner_heeds(aligner, flight->index)) continue;
    struct dvt_error fault = DVT_ERROR_INIT;
    flight->batch.weight = aligner->spec->weight;
    struct dvt_tensor given, *const gradient = gradient_of(flight, &given);
    const gint64 start = g_get_monotonic_time();
    aligner->in_hook[flight->index] = TRUE;
    const int status = aligner->ops->feature_loss(aligner->self, &flight->batch, &flight->features, gradient,
                                                  &flight->losses.aligners[k], &fault);
    aligner->in_hook[flight->index] = FALSE;
    flight->in_hooks += g_get_monotonic_time() - start;
    if (!check_hook(flight->stepper, k, "feature_loss", status, &fault, flight->losses.aligners[k], error) ||
        !check_border(flight, k, "feature_loss", gradient, &flight->gradient, GRADIENTS, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean task_loss(struct flight *flight, const struct feed *feed, GError **error) {
  if (!pass_forward(flight->head, &flight->features, &flight->logits, error)) return FALSE;
  flight->losses.task = loss_cross_entropy(flight->logits.data, flight->batch.count, flight->network->task->class_count,
                                           feed->labels, 1.0, &flight->losses.correct);
  if (!check_finite(flight->losses.task, "task", error)) return FALSE;
  if (!pass_backward(flight->head, &flight->logits, &flight->gradient, error)) return FALSE;
  pass_commit(flight->head);
  return TRUE;
}

gboolean flight_task(struct flight *flight, const struct feed *feed, guint64 epoch, guint64 step, GError **error) {
  begin(flight, feed, epoch, step);
  return pass_forward(flight->extractor, &flight->images, &flight->features, error) &&
         (flight->frozen || task_loss(flight, feed, error)) && feature_losses(flight, error);
}

static gboolean joint_loss(struct stepper *stepper, guint k, GError **error) {
  const struct aligner *aligner = &stepper->composition->aligners[k];
  const struct joint_view *view = &stepper->joint_view;
  const guint count = stepper->composition->network_count;
  for (guint t = 0; t < count; t++) {
    struct flight *flight = &stepper->flights[t];
    flight->batch.weight = aligner->spec->weight;
    view->batches[t] = &flight->batch;
    view->features[t] = &flight->features;
    view->gradients[t] = gradient_of(flight, &view->given[t]);
  }
  struct dvt_error fault = DVT_ERROR_INIT;
  const int status = aligner->ops->joint_loss(aligner->self, view->batches, view->features, view->gradients, count,
                                              &stepper->joint_losses[k], &fault);
  gboolean good = check_hook(stepper, k, "joint_loss", status, &fault, stepper->joint_losses[k], error);
  for (guint t = 0; good && t < count; t++)
    good = check_border(&stepper->flights[t], k, "joint_loss", view->gradients[t], &stepper->flights[t].gradient,
                        GRADIENTS, error);
  return good;
}

gboolean stepper_joint(struct stepper *stepper, GError **error) {
  for (guint k = 0; k < stepper->composition->aligner_count; k++)
    if (stepper->composition->aligners[k].ops->joint_loss && !joint_loss(stepper, k, error)) return FALSE;
  return TRUE;
}

gboolean flight_view(struct flight *flight, guint k, GError **error) {
  const struct aligner *aligner = &flight->stepper->composition->aligners[k];
  struct dvt_tensor view = flight->view, gradient = flight->gradient;
  struct dvt_error fault = DVT_ERROR_INIT;
  double loss = 0;
  flight->batch.weight = aligner->spec->weight;
  gint64 start = g_get_monotonic_time();
  int status = aligner->ops->make_view(aligner->self, &flight->batch, &view, &fault);
  flight->in_hooks += g_get_monotonic_time() - start;
  if (!check_hook(flight->stepper, k, "make_view", status, &fault, 0, error) ||
      !check_border(flight, k, "make_view", &view, &flight->view, "images of the view", error))
    return FALSE;
  if (!pass_forward(flight->extractor, &flight->view, &flight->features, error)) return FALSE;
  memset(flight->gradient.data, 0, (gsize)dvt_tensor_count(&flight->gradient) * sizeof(float));
  start = g_get_monotonic_time();
  aligner->in_hook[flight->index] = TRUE;
  status = aligner->ops->view_loss(aligner->self, &flight->batch, &flight->features, &gradient, &loss, &fault);
  aligner->in_hook[flight->index] = FALSE;
  flight->in_hooks += g_get_monotonic_time() - start;
  flight->losses.aligners[k] += loss;
  if (!check_hook(flight->stepper, k, "view_loss", status, &fault, loss, error) ||
      !check_border(flight, k, "view_loss", &gradient, &flight->gradient, GRADIENTS, error))
    return FALSE;
  return pass_backward(flight->extractor, &flight->gradient, NULL, error);
}

gboolean flight_backward(struct flight *flight, GError **error) {
  if (flight->frozen) return TRUE;
  if (!pass_backward(flight->extractor, &flight->gradient, NULL, error)) return FALSE;
  pass_commit(flight->extractor);
  for (guint k = 0; k < flight->stepper->composition->aligner_count; k++)
    if (flight->stepper->composition->aligners[k].ops->make_view && !flight_view(flight, k, error)) return FALSE;
  return TRUE;
}

/* The pass that gradients are summed into. There is one: a network that is trained heeds every aligner. */
static struct pass *first_pass(const struct auxiliary *auxiliary) {
  guint t = 0;
  while (!auxiliary->passes[t]) t++;
  return auxiliary->passes[t];
}

static void sum_auxiliary(struct auxiliary *auxiliary) {
  struct pass *first = first_pass(auxiliary);
  float *restrict sum = first->gradients;
  for (guint t = 0; t < auxiliary->pass_count; t++) {
    struct pass *pass = auxiliary->passes[t];
    if (!pass) continue;
    const float *restrict term = pass->gradients;
    for (gsize k = 0; pass != first && k < auxiliary->module->parameter_size; k++) sum[k] += term[k];
    if (auxiliary->has_run[t]) pass_commit(pass);
  }
}

void stepper_sum(struct stepper *stepper) {
  for (guint k = 0; k < stepper->composition->aligner_count; k++) {
    const GPtrArray *auxiliaries = stepper->composition->aligners[k].auxiliaries;
    if (stepper->composition->aligners[k].frozen) continue;
    for (guint h = 0; h < auxiliaries->len; h++) sum_auxiliary(g_ptr_array_index(auxiliaries, h));
  }
}

void stepper_tie(struct stepper *stepper, double rate) {
  stepper_sum(stepper);
  guint at = 0;
  for (guint k = 0; k < stepper->composition->aligner_count; k++) {
    const GPtrArray *auxiliaries = stepper->composition->aligners[k].auxiliaries;
    if (stepper->composition->aligners[k].frozen) continue;
    for (guint h = 0; h < auxiliaries->len; h++, at++) {
      const struct auxiliary *auxiliary = g_ptr_array_index(auxiliaries, h);
      optimiser_step(g_ptr_array_index(stepper->optimisers, at), first_pass(auxiliary)->gradients, rate);
    }
  }
}

void flight_update(struct flight *flight, double rate) {
  if (flight->frozen) return;
  const gint64 start = g_get_monotonic_time();
  optimiser_step(flight->extractor_optimiser, flight->extractor->gradients, rate);
  optimiser_step(flight->head_optimiser, flight->head->gradients, rate);
  flight->in_optimiser += g_get_monotonic_time() - start;
}

static double in_seconds(gint64 microseconds) { return (double)microseconds / G_TIME_SPAN_SECOND; }

static void add_pass(struct step_times *times, const struct pass *pass) {
  struct dvt_pass_times own;
  if (!pass) return;
  pass_times(pass, &own);
  times->forward += own.forward;
  times->backward_data += own.backward_data;
  times->backward_weights += own.backward_weights;
  times->norm += own.norm;
  times->operations += own.operations;
}

void flight_times(const struct flight *flight, struct step_times *times) {
  const struct composition *composition = flight->stepper->composition;
  gint64 in_auxiliaries = 0;
  *times = (struct step_times){.optimiser = in_seconds(flight->in_optimiser)};
  add_pass(times, flight->extractor);
  add_pass(times, flight->head);
  for (guint k = 0; k < composition->aligner_count; k++)
    for (guint h = 0; h < composition->aligners[k].auxiliaries->len; h++) {
      const struct auxiliary *auxiliary = g_ptr_array_index(composition->aligners[k].auxiliaries, h);
      const struct pass *pass = auxiliary->passes[flight->index];
      add_pass(times, pass);
      if (pass) in_auxiliaries += pass->spent;
    }
  times->aligner = in_seconds(flight->in_hooks - in_auxiliaries);
}
