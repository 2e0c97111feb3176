/* SPDX-License-Identifier: MIT */
/**
 * An experiment put together: plugins found, their parameters checked, datasets opened, networks and aligners made and
 * fitted to each other. Nothing is trained, and no memory for training is made: `dovetail check` does just this.
 */
#ifndef TRAIN_COMPOSE_H
#define TRAIN_COMPOSE_H

#include <dovetail/aligner.h>

#include "config/experiment.h"
#include "config/values.h"
#include "data/pool.h"
#include "data/task.h"
#include "plugin/module.h"
#include "plugin/registry.h"
#include "plugin/services.h"

struct network {
  const struct network_spec *spec;
  const struct task *task;
  struct module *extractor, *head;
  struct dvt_network view; /**< what aligners see */
};

/** An auxiliary head: one module, a pass for each network while training. */
struct auxiliary {
  char *name;            /**< unique among its aligner's */
  struct plugin_use use; /**< what it is made by */
  struct module *module;
  char **class_names;   /**< NULL-terminated, or NULL */
  guint pass_count;     /**< one for each network while training, else 0 */
  gboolean *has_run;    /**< by network: it ran in this step */
  struct pass **passes; /**< by network; NULL where its aligner does not heed it, as in the next two */
  float **logits;       /**< by network, [batch, classes] */
  float **scratch;      /**< by network, [batch, features] */
};

struct aligner {
  const struct aligner_spec *spec;
  char *name; /**< the plugin's; of a second aligner with that plugin "NAME-2" */
  const struct dvt_plugin *plugin;
  const struct dvt_aligner_ops *ops;
  void *self;
  gboolean frozen;   /**< its auxiliary heads are not trained */
  gboolean in_init;  /**< it may ask for heads */
  gboolean *in_hook; /**< by network: it may run them */
  struct dvt_aligner_host host;
  struct composition *composition;
  GPtrArray *auxiliaries; /**< struct auxiliary, by the number that the aligner knows */
};

struct composition {
  const struct experiment *experiment;
  const struct registry *registry;
  struct dataset_pool *pool;
  GPtrArray *services; /**< one for each plugin instance */
  GPtrArray *datasets; /**< of each network, in order: a struct dataset of the pool */
  GPtrArray *tasks;
  GHashTable *values; /**< of each struct plugin_use * and struct module *: struct values * */
  GPtrArray *owned_values;
  struct network *networks;
  guint network_count;
  const struct dvt_network **views; /**< of every network, in order */
  struct aligner *aligners;
  guint aligner_count;
  guint stage;                     /**< from 0 (see train/stages.h); its networks are those that this stage has */
  GPtrArray *earlier;              /**< of the last stage: struct composition of every stage before it */
  const struct composition *whole; /**< of the last stage, which has every network */
  GHashTable *origins; /**< of a struct module * whose values came from a file: what that says, component_info * */
};

/**
 * The last stage of an experiment, with those before it, and with its frozen components checked. Experiment, registry
 * and pool must outlive it; its datasets are the pool's. Errors: DOVETAIL_WRONG at the place in the experiment,
 * DOVETAIL_FAILED when a dataset cannot be read. The caller frees it.
 */
struct composition *composition_new(const struct experiment *experiment, const struct registry *registry,
                                    struct dataset_pool *pool, GError **error);

/** The composition of one stage of it alone; composition_new makes those of every stage. */
struct composition *composition_stage(const struct experiment *experiment, const struct registry *registry,
                                      struct dataset_pool *pool, guint stage, GError **error);
void composition_free(struct composition *composition);
AUTO_DEFINE(composition, composition_free)

/** How many of its networks are trained. */
guint composition_trained(const struct composition *composition);

/** The experiment with every default, those of plugins too, and absolute paths, as YAML. The caller frees it. */
char *composition_resolved(const struct composition *composition);

/** Checks the parameters of a use against its plugin's table; NULL with an error at its place. */
const struct values *composition_values(struct composition *composition, const struct dvt_plugin *plugin,
                                        const struct plugin_use *use, GError **error);

/**
 * Makes every module's arena and sets initial values: each module from its own random stream (by network and component
 * name), then the aligners' `initialise`, in the experiment's order. Once.
 */
gboolean composition_initialise(struct composition *composition, GError **error);

/** Lets the plugins choose by time, in every stage, from now on; `choices` must outlive composition and pool. */
void composition_choose(struct composition *composition, struct choices *choices);

/** Services for a plugin instance: random streams are of the seed and the owner alone. Belongs to the composition. */
const struct dvt_host *composition_services(struct composition *composition, const char *owner);

/** A head plugin's module for features of a network, as `use` asks. */
struct module *composition_head(struct composition *composition, const struct plugin_use *use,
                                const struct module *extractor, const char *split, guint classes, const char *label,
                                GError **error);

#endif
