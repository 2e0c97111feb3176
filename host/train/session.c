/* SPDX-License-Identifier: MIT */
#include "train/session.h"

#include <math.h>

#include "measure/cross.h"
#include "train/components.h"

struct session {
  struct composition *composition;
  const struct session_config *config;
  struct run *run;
  struct session_result *result;
};

void session_result_free(struct session_result *result) {
  if (!result) return;
  g_free(result->accuracy);
  g_free(result->path);
  g_free(result);
}

static double seconds_since(gint64 start) { return (double)(g_get_monotonic_time() - start) / G_TIME_SPAN_SECOND; }

/* Adds a plugin to the list unless it is there. */
static gboolean list_plugin(json_t *list, const struct registry *registry, const struct dvt_plugin *plugin,
                            GError **error) {
  const GPtrArray *all = registry_plugins(registry);
  for (guint k = 0; k < all->len; k++) {
    const struct registry_plugin *found = g_ptr_array_index(all, k);
    if (found->descriptor != plugin) continue;
    g_autofree char *checksum = run_checksum(found->path, error);
    if (!checksum) return FALSE;
    g_autofree char *path = g_utf8_make_valid(found->path, -1);
    json_t *entry = json_pack("{s:s, s:s, s:s, s:s, s:s}", "kind", registry_kind_name(plugin->kind), "name",
                              plugin->name, "version", plugin->version, "path", path, "sha256", checksum);
    for (size_t seen = 0; seen < json_array_size(list); seen++)
      if (json_equal(json_array_get(list, seen), entry)) {
        json_decref(entry);
        return TRUE;
      }
    json_array_append_new(list, entry);
  }
  return TRUE;
}

static gboolean list_plugins(json_t *list, const struct composition *composition, GError **error) {
  const struct registry *registry = composition->registry;
  for (guint t = 0; t < composition->network_count; t++) {
    const struct network *network = &composition->networks[t];
    if (!list_plugin(list, registry, network->task->dataset->plugin, error) ||
        !list_plugin(list, registry, network->extractor->plugin, error) ||
        !list_plugin(list, registry, network->head->plugin, error))
      return FALSE;
  }
  for (guint k = 0; k < composition->aligner_count; k++)
    if (!list_plugin(list, registry, composition->aligners[k].plugin, error)) return FALSE;
  return TRUE;
}

static gboolean open_run(struct session *session, GError **error) {
  const struct experiment *experiment = session->composition->experiment;
  const char *directory = session->config->directory;
  g_autofree char *resolved = composition_resolved(session->composition);
  g_autofree char *command = g_utf8_make_valid(session->config->command, -1);
  json_t *plugins = json_array();
  json_t *info = json_pack("{s:s, s:s, s:I, s:O}", "dovetail", DOVETAIL_VERSION, "command", command, "threads",
                           (json_int_t)session->result->threads, "plugins", plugins);
  if (list_plugins(plugins, session->composition, error))
    session->run = run_create(session->config->runs, directory ? directory : experiment->name, experiment->text,
                              resolved, info, error);
  json_decref(info);
  json_decref(plugins);
  if (!session->run) return FALSE;
  session->result->path = g_strdup(session->run->path);
  return TRUE;
}

static json_t *epoch_line(const struct composition *composition, const struct epoch_report *report, guint t) {
  const struct epoch_losses *losses = &report->networks[t];
  json_t *aligners = json_object();
  for (guint k = 0; k < composition->aligner_count; k++)
    json_object_set_new(aligners, composition->aligners[k].name, json_real(losses->aligners[k]));
  return json_pack("{s:I, s:I, s:s, s:f, s:f, s:f, s:o}", "epoch", (json_int_t)report->epoch + 1, "step",
                   (json_int_t)report->step, "network", composition->networks[t].spec->name, "rate", report->rate,
                   "loss", losses->task, "train_accuracy", losses->accuracy, "aligner_losses", aligners);
}

static gboolean on_epoch(gpointer data, const struct epoch_report *report, GError **error) {
  struct session *session = data;
  for (guint t = 0; t < session->composition->network_count; t++)
    if (!run_metric(session->run, epoch_line(session->composition, report, t), error)) return FALSE;
  session->config->epoch(session->config->data, session->composition, report);
  return TRUE;
}

static void on_progress(gpointer data, guint64 step, guint64 steps) {
  struct session *session = data;
  session->config->progress(session->config->data, step, steps);
}

static gboolean train(struct session *session, GError **error) {
  const struct trainer_watcher watcher = {on_epoch, on_progress, session};
  const gint64 start = g_get_monotonic_time();
  if (!composition_initialise(session->composition, error) ||
      !trainer_run(session->composition, session->result->threads, &watcher, session->config->interrupted, error))
    return FALSE;
  struct session_result *result = session->result;
  result->train_seconds = seconds_since(start);
  result->images_per_second = (double)trainer_steps(session->composition) *
                              session->composition->experiment->train.batch * result->count / result->train_seconds;
  return TRUE;
}

static void take_means(struct session_result *result, const struct composition *composition) {
  double own = 0, swap = 0, chance = 0;
  guint swaps = 0;
  for (guint i = 0; i < result->count; i++) {
    own += result->accuracy[i * result->count + i];
    chance += 1.0 / composition->networks[i].task->class_count;
    for (guint j = 0; j < result->count; j++) {
      const double accuracy = result->accuracy[i * result->count + j];
      if (i != j && !isnan(accuracy)) swap += accuracy, swaps++;
    }
  }
  result->own = own / result->count;
  result->chance = chance / result->count;
  result->swap = swaps ? swap / swaps : (double)NAN;
}

static gboolean measure(struct session *session, GError **error) {
  struct composition *composition = session->composition;
  const struct train_spec *spec = &composition->experiment->train;
  struct session_result *result = session->result;
  const struct cross_config config = {
      .batch = spec->batch,
      .threads = result->threads,
      .precision = spec->precision,
      .interrupted = session->config->interrupted,
  };
  g_autofree struct cross_network *networks = g_new(struct cross_network, result->count);
  for (guint t = 0; t < result->count; t++) {
    const struct network *network = &composition->networks[t];
    networks[t] = (struct cross_network){network->task, network->extractor, network->head};
  }
  const gint64 start = g_get_monotonic_time();
  if (!cross_measure(networks, result->count, &config, result->accuracy, error)) return FALSE;
  result->measure_seconds = seconds_since(start);
  take_means(result, composition);
  return TRUE;
}

static json_t *share(double value) { return isnan(value) ? json_null() : json_real(value); }

static json_t *pair_list(const struct composition *composition, const struct session_result *result) {
  json_t *pairs = json_array();
  for (guint i = 0; i < result->count; i++)
    for (guint j = 0; j < result->count; j++)
      json_array_append_new(pairs, json_pack("{s:s, s:s, s:o}", "extractor", composition->networks[i].spec->name,
                                             "head", composition->networks[j].spec->name, "accuracy",
                                             share(result->accuracy[i * result->count + j])));
  return pairs;
}

static gboolean write_results(const struct session *session, GError **error) {
  const struct session_result *result = session->result;
  const struct composition *composition = session->composition;
  json_t *results = json_pack(
      "{s:s, s:I, s:o, s:o, s:f, s:o, s:I, s:I, s:{s:f, s:f}, s:f, s:o, s:O}", "name", composition->experiment->name, "seed",
      (json_int_t)composition->experiment->seed, "own_accuracy", share(result->own), "swap_accuracy",
      share(result->swap), "chance", result->chance, "pairs", pair_list(composition, result), "steps",
      (json_int_t)trainer_steps(composition), "threads", (json_int_t)result->threads, "seconds", "train", result->train_seconds, "measure",
      result->measure_seconds, "images_per_second", result->images_per_second, "machine", run_machine(), "plugins",
      json_object_get(session->run->info, "plugins"));
  const gboolean good = run_results(session->run, results, error);
  json_decref(results);
  return good;
}

static const char *final_state(const GError *error) {
  if (!error) return "done";
  return error->code == DOVETAIL_INTERRUPTED ? "interrupted" : "failed";
}

static gboolean save(const struct session *session, GError **error) {
  const struct session_result *result = session->result;
  g_autofree double *own = g_new(double, result->count);
  for (guint t = 0; t < result->count; t++) own[t] = result->accuracy[t * result->count + t];
  return components_save(session->composition, own, session->run, error);
}

/* What was trained is kept before anything else can go wrong, and as it stands when the user stops the training. */
static gboolean run(struct session *session, GError **error) {
  const struct session_config *config = session->config;
  GError *stop = NULL;
  if (config->begun && !config->begun(config->begun_data, session->run->path, error)) return FALSE;
  if (!train(session, &stop) && stop->code != DOVETAIL_INTERRUPTED) {
    g_propagate_error(error, stop);
    return FALSE;
  }
  if (!components_save(session->composition, NULL, session->run, error)) {
    g_clear_error(&stop);
    return FALSE;
  }
  if (!stop && measure(session, &stop)) return save(session, error) && write_results(session, error);
  g_propagate_prefixed_error(error, stop, "the trained networks are in %s: ", session->run->path);
  return FALSE;
}

struct session_result *session_run(struct composition *composition, const struct session_config *config,
                                   GError **error) {
  AUTO(session_result) result = g_new0(struct session_result, 1);
  struct session session = {.composition = composition, .config = config, .result = result};
  GError *failure = NULL;
  const guint threads = composition->experiment->train.threads;
  result->count = composition->network_count;
  result->threads = threads ? threads : g_get_num_processors();
  result->accuracy = g_new0(double, (gsize)result->count * result->count);
  if (!open_run(&session, error)) return NULL;
  gboolean good = run(&session, &failure);
  good = run_finish(session.run, final_state(failure), failure ? NULL : &failure) && good;
  run_close(session.run);
  if (good) return g_steal_pointer(&result);
  g_propagate_error(error, failure);
  return NULL;
}
