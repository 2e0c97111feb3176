/* SPDX-License-Identifier: MIT */
/**
 * Aligners: what makes the extractors of several networks compatible.
 *
 * Life: create → init → initialise? → (the loss hooks, once a step each)* → destroy. Every loss hook may be NULL; an
 * aligner with one hook is a short file. The loss of a network is its own cross-entropy plus, for each aligner,
 * weight · loss. Hooks return the plain loss, and gradients of weight · loss.
 *
 * In one step, on each network's own thread, the host
 *   1. runs the batch through extractor and head;
 *   2. calls feature_loss, while the features are at hand;
 *   3. once every network is there, on one thread: joint_loss;
 *   4. runs the gradient of the features back through the extractor;
 *   5. calls make_view, runs the view through the extractor in the same working memory, calls view_loss, and runs that
 *      gradient back through the extractor; its batch-norm statistics are not committed: running statistics are those
 *      of the task's own images.
 * Then it sums the gradients of auxiliary heads in network order and updates every weight.
 *
 * From one step to the next an aligner keeps nothing that a run, stopped and resumed, would miss: what is learned is in
 * auxiliary heads, and random numbers are functions of the step.
 */
#ifndef DOVETAIL_ALIGNER_H
#define DOVETAIL_ALIGNER_H

#include <dovetail/error.h>
#include <dovetail/host.h>
#include <dovetail/param.h>
#include <dovetail/tensor.h>

enum dvt_component { DVT_COMPONENT_EXTRACTOR = 1, DVT_COMPONENT_HEAD };

/** A weight of a network, by name. */
struct dvt_network_weight {
  uint32_t struct_size;
  uint32_t component; /**< enum dvt_component */
  uint32_t role;      /**< enum dvt_weight_role, of module.h */
  uint32_t frozen;    /**< 1: its values must not be changed */
  const char *name;
  struct dvt_tensor value; /**< float32; data is NULL outside `initialise` */
};

/** One network of the experiment. The host owns it; it lives until `destroy` returns, and does not change. */
struct dvt_network {
  uint32_t struct_size;
  uint32_t index; /**< 0 .. count - 1, in the order of the experiment */
  const char *name;
  const char *dataset;            /**< name of the dataset's plugin */
  const char *const *class_names; /**< of the network's task: labels index this list */
  uint32_t class_count;
  uint32_t batch;       /**< examples in a batch, always the same */
  int64_t image[3];     /**< C, H, W */
  int64_t features[3];  /**< C, H, W */
  const char *split;    /**< where its backbone is cut */
  uint32_t frozen;      /**< 1: the extractor is not trained: its gradients are NULL, its views are not run */
  uint32_t weight_count;
  const struct dvt_network_weight *const *weights; /**< the extractor's, then the head's */
};

/** A batch of one network. The host owns it; it lives until the hook returns. */
struct dvt_batch {
  uint32_t struct_size;
  uint32_t network; /**< index of the network */
  uint64_t epoch;   /**< from 0 */
  uint64_t step;    /**< from 0, over the whole run */
  double weight;    /**< the aligner's weight λ */
  uint32_t count;   /**< examples, always dvt_network.batch */
  uint32_t threads; /**< that the hook may keep busy, the caller's among them */
  const struct dvt_tensor *images; /**< [count, C, H, W], augmented and normalised; read only */
  const int32_t *labels;           /**< [count] */
};

/** An auxiliary head that an aligner asks for. The aligner owns it; it lives until the call returns. */
struct dvt_head_request {
  uint32_t struct_size;
  uint32_t classes;
  const char *name;   /**< of the component, unique among the aligner's heads */
  const char *plugin; /**< a head plugin, made with its default parameters; NULL: as the head of network 0 */
  const char *const *class_names; /**< [classes], what the logits mean, kept with the component; NULL: numbers say it */
};

/**
 * What the host does for an aligner, besides `base`. Its first argument is always the table itself; the table lives
 * until `destroy` returns.
 */
struct dvt_aligner_host {
  uint32_t struct_size;
  uint32_t reserved;
  const struct dvt_host *base;
  void *context; /**< the host's own */

  /**
   * Makes an auxiliary head on the features of every network, its parameters tied across them. The host owns,
   * optimises and saves it.
   * *head is set to a number to name it by.
   * Fails when the plugin is unknown, the name is taken, the head does not take the features, or the features of the
   * networks differ in shape.
   * [main & during init]
   */
  int (*make_head)(const struct dvt_aligner_host *host, const struct dvt_head_request *request, uint32_t *head,
                   struct dvt_error *error);

  /**
   * Runs features [count, C, H, W] of a network through an auxiliary head.
   * *logits is set to [count, classes] in memory of the host, which the aligner may overwrite; it lives until the
   * hook returns. features belongs to the host.
   * On failure, or when there is no such head or network, *logits is undefined; the hook returns the status.
   * [network & during feature_loss and view_loss, with that hook's network]
   */
  int (*head_forward)(const struct dvt_aligner_host *host, uint32_t head, uint32_t network,
                      const struct dvt_tensor *features, struct dvt_tensor *logits, struct dvt_error *error);

  /**
   * Softmax cross-entropy. Sets *loss to the sum over the examples whose label is not negative, divided by the size
   * of the whole batch, and replaces the logits by the gradient of weight · loss.
   * labels[count] and loss belong to the aligner, the logits to whoever made them.
   * Fails when a label is not below the number of classes; logits and *loss are then untouched.
   * [any & after init]
   */
  int (*cross_entropy)(const struct dvt_aligner_host *host, struct dvt_tensor *logits, const int32_t *labels,
                       double weight, double *loss, struct dvt_error *error);

  /**
   * From the gradient of the logits of the last head_forward with this head and network: adds the gradients of the
   * head's weights to the host's, and adds that of the features to feature_gradient (NULL: not wanted).
   * The host owns both tensors, as they were handed out.
   * On failure the gradients are undefined; the hook returns the status.
   * [network & after head_forward, in the same hook]
   */
  int (*head_backward)(const struct dvt_aligner_host *host, uint32_t head, uint32_t network,
                       const struct dvt_tensor *logit_gradient, struct dvt_tensor *feature_gradient,
                       struct dvt_error *error);
};

enum dvt_aligner_flags {
  /** Every network must see the same images, in the same order, with the same augmentation. */
  DVT_ALIGNER_PAIRED = 1 << 0
};

struct dvt_aligner_ops {
  uint32_t struct_size;
  uint32_t flags; /**< enum dvt_aligner_flags */

  /**
   * Makes an aligner from checked parameters; may not call the host. values has a value for each row of the parameter
   * table and lives until the call returns.
   * *aligner belongs to the host, which gives it to `destroy`.
   * On failure *aligner is untouched and error says what is wrong.
   * [any & before anything else]
   */
  int (*create)(const struct dvt_value *values, void **aligner, struct dvt_error *error);

  /**
   * Frees the aligner; takes NULL.
   * [main & after create, also when init failed; no hook under way]
   */
  void (*destroy)(void *aligner);

  /**
   * Looks at the networks, refuses those that it cannot align, makes its auxiliary heads and its memory. No training
   * has begun, and none may: `dovetail check` calls this too.
   * host and networks[0 .. count) live until `destroy` returns.
   * Fails with a message that says which networks and why; the host then destroys the aligner.
   * [main & once, after create]
   */
  int (*init)(void *aligner, const struct dvt_aligner_host *host, const struct dvt_network *const *networks,
              uint32_t count, struct dvt_error *error);

  /**
   * Changes initial values of the networks' weights, in place; auxiliary heads are not among them.
   * The host owns the values; they may be written until the call returns.
   * Failure ends the run before its first step.
   * [main & once, after init, before the first step; never on resume]
   */
  int (*initialise)(void *aligner, struct dvt_error *error);

  /**
   * A loss on the features [count, C, H, W] of the batch. Sets *loss, and adds the gradient of weight · loss to
   * gradient (NULL when the extractor is frozen).
   * The host owns all of them; they live until the call returns.
   * Failure ends the run.
   * [network & once a step]
   */
  int (*feature_loss)(void *aligner, const struct dvt_batch *batch, const struct dvt_tensor *features,
                      struct dvt_tensor *gradient, double *loss, struct dvt_error *error);

  /**
   * Writes other inputs, made from the batch: view is [count, C, H, W], as the images. An aligner with make_view has
   * view_loss.
   * The host owns both; they live until the call returns.
   * Failure ends the run.
   * [network & once a step]
   */
  int (*make_view)(void *aligner, const struct dvt_batch *batch, struct dvt_tensor *view, struct dvt_error *error);

  /**
   * As feature_loss, on the features of the view.
   * [network & once a step, after make_view for the same batch]
   */
  int (*view_loss)(void *aligner, const struct dvt_batch *batch, const struct dvt_tensor *features,
                   struct dvt_tensor *gradient, double *loss, struct dvt_error *error);

  /**
   * A loss between the features of all networks: batches[i], features[i] and gradients[i] are those of network i;
   * gradients[i] is NULL when its extractor is frozen. Sets *loss, and adds the gradients of weight · loss.
   * The host owns all of them; they live until the call returns.
   * Failure ends the run.
   * [one & once a step, while every network waits]
   */
  int (*joint_loss)(void *aligner, const struct dvt_batch *const *batches, const struct dvt_tensor *const *features,
                    struct dvt_tensor *const *gradients, uint32_t count, double *loss, struct dvt_error *error);
};

#endif
