/* SPDX-License-Identifier: MIT */
#include "train/session.h"

#include "measure/cross.h"
#include "train/components.h"
#include "train/frozen.h"
#include "train/results.h"
#include "train/stages.h"
#include "train/step.h"

struct session {
  struct composition *composition; /* of the last stage */
  struct composition *stage;       /* that trains, or was trained last */
  guint64 steps_before;            /* of the stages before */
  const struct session_config *config;
  struct run *run;
  struct session_result *result;
};

void session_result_free(struct session_result *result) {
  if (!result) return;
  for (guint k = 0; k < result->count * result->count; k++) similarity_clear(&result->similarity[k]);
  g_free(result->similarity);
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
  for (guint k = 0; k < composition->aligner_count; k++) {
    const struct aligner *aligner = &composition->aligners[k];
    if (!list_plugin(list, registry, aligner->plugin, error)) return FALSE;
    for (guint h = 0; h < aligner->auxiliaries->len; h++) {
      const struct auxiliary *auxiliary = g_ptr_array_index(aligner->auxiliaries, h);
      if (!list_plugin(list, registry, auxiliary->module->plugin, error)) return FALSE;
    }
  }
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
  if (session->config->choices) json_object_set(info, RUN_CHOICES, session->config->recorded_choices);
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
  json_t *line =
      json_pack("{s:I, s:I, s:s, s:f, s:f, s:f, s:o}", "epoch", (json_int_t)report->epoch + 1, "step",
                (json_int_t)report->step, "network", composition->networks[t].spec->name, "rate", report->rate, "loss",
                losses->task, "train_accuracy", losses->accuracy, "aligner_losses", aligners);
  if (line && composition->experiment->scheme == SCHEME_INCREMENTAL)
    json_object_set_new(line, "stage", json_integer(composition->stage + 1));
  return line;
}

/* For a run that is killed. Choices of measuring, which come later, stay as they were recorded. */
static gboolean on_start(gpointer data, GError **error) {
  const struct session *session = data;
  const struct session_config *config = session->config;
  if (!config->choices) return TRUE;
  json_t *choices = choices_used(config->choices);
  json_object_update_missing(choices, config->recorded_choices);
  return run_record(session->run, RUN_CHOICES, choices, error);
}

static gboolean on_epoch(gpointer data, const struct epoch_report *report, GError **error) {
  struct session *session = data;
  for (guint t = 0; t < session->stage->network_count; t++)
    if (!session->stage->networks[t].view.frozen &&
        !run_metric(session->run, epoch_line(session->stage, report, t), error))
      return FALSE;
  session->config->epoch(session->config->data, session->stage, report);
  return TRUE;
}

static void on_progress(gpointer data, guint64 step, guint64 steps) {
  struct session *session = data;
  (void)steps;
  session->config->progress(session->config->data, session->steps_before + step, session->result->steps);
}

static gboolean train_stage(struct session *session, struct composition *stage, GError **error) {
  const struct trainer_watcher watcher = {
      .start = on_start, .epoch = on_epoch, .progress = on_progress, .data = session};
  const struct trainer_config config = {.threads = threads_asked(stage->experiment),
                                        .interrupted = session->config->interrupted};
  session->stage = stage;
  if (!composition_initialise(stage, error) || !frozen_load(stage, session->run->path, error) ||
      !trainer_run(stage, &config, &watcher, error))
    return FALSE;
  session->steps_before += trainer_steps(stage);
  return TRUE;
}

/* Each stage leaves its components in the run directory, for the next. */
static gboolean train_earlier(struct session *session, GError **error) {
  GPtrArray *earlier = session->composition->earlier;
  for (; earlier->len; g_ptr_array_remove_index(earlier, 0))
    if (!train_stage(session, earlier->pdata[0], error) || !components_save(session->stage, NULL, session->run, error))
      return FALSE;
  return TRUE;
}

static gboolean train(struct session *session, GError **error) {
  struct composition *composition = session->composition;
  struct session_result *result = session->result;
  const gint64 start = g_get_monotonic_time();
  result->steps = stages_steps(composition); /* now: those before the last are freed as they end */
  if (!train_earlier(session, error) || !train_stage(session, composition, error)) return FALSE;
  const guint images_per_step = composition->experiment->train.batch * composition_trained(composition);
  result->train_seconds = seconds_since(start);
  result->images_per_second = (double)result->steps * images_per_step / result->train_seconds;
  return TRUE;
}

static gboolean measure(struct session *session, GError **error) {
  struct composition *composition = session->composition;
  const struct train_spec *spec = &composition->experiment->train;
  struct session_result *result = session->result;
  const struct cross_config config = {
      .batch = spec->batch,
      .threads = threads_asked(composition->experiment),
      .precision = spec->precision,
      .interrupted = session->config->interrupted,
  };
  g_autofree struct cross_network *networks = g_new(struct cross_network, result->count);
  for (guint t = 0; t < result->count; t++) {
    const struct network *network = &composition->networks[t];
    networks[t] = (struct cross_network){network->task, network->extractor, network->head};
  }
  const gint64 start = g_get_monotonic_time();
  if (!cross_measure(networks, result->count, &config, result->accuracy, result->similarity, error)) return FALSE;
  result->measure_seconds = seconds_since(start);
  results_take_means(result, composition);
  return TRUE;
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
  if (!components_save(session->stage, NULL, session->run, error)) {
    g_clear_error(&stop);
    return FALSE;
  }
  if (!stop && measure(session, &stop))
    return save(session, error) && results_write(session->result, session->composition, session->run, error);
  g_propagate_prefixed_error(error, stop, "the trained networks are in %s: ", session->run->path);
  return FALSE;
}

/* A run whose end could not be written stays "running" in run.json, so whoever reads of its error reads that too. */
static gboolean finish(struct run *run, GError **failure) {
  const gboolean failed = *failure && (*failure)->code != DOVETAIL_INTERRUPTED;
  g_autoptr(GError) unwritten = NULL;
  if (run_finish(run, final_state(*failure), failed ? (*failure)->message : NULL, &unwritten)) return TRUE;
  if (*failure)
    g_prefix_error(failure, "%s; and before that: ", unwritten->message);
  else
    *failure = g_steal_pointer(&unwritten);
  return FALSE;
}

struct session_result *session_run(struct composition *composition, const struct session_config *config,
                                   GError **error) {
  AUTO(session_result) result = g_new0(struct session_result, 1);
  struct session session = {.composition = composition, .config = config, .result = result};
  GError *failure = NULL;
  result->count = composition->network_count;
  result->threads = threads_taken(composition);
  result->accuracy = g_new0(double, (gsize)result->count * result->count);
  result->similarity = g_new0(struct similarity, (gsize)result->count * result->count);
  if (!open_run(&session, error)) return NULL;
  composition_choose(composition, config->choices);
  if (config->choices) choices_begin(config->choices, config->recorded_choices);
  gboolean good = run(&session, &failure);
  if (config->choices) json_object_set_new(session.run->info, RUN_CHOICES, choices_used(config->choices));
  good = finish(session.run, &failure) && good;
  run_close(session.run);
  if (good) return g_steal_pointer(&result);
  g_propagate_error(error, failure);
  return NULL;
}
