/* SPDX-License-Identifier: MIT */
/**
 * Modules: backbones and heads.
 *
 * Life: create → init → (bind → changed* → pass_create → (forward → backward? → commit?)* → pass_destroy)? → destroy.
 * A module says which weights it has; the host owns their values and gradients, sets the values, and tells the module
 * with `changed`. All working memory is in passes. A module does not change while a pass is in flight, so several
 * passes of one module may be in flight on several threads.
 */
#ifndef DOVETAIL_MODULE_H
#define DOVETAIL_MODULE_H

#include <dovetail/error.h>
#include <dovetail/host.h>
#include <dovetail/param.h>
#include <dovetail/tensor.h>

/** What a module is made for. The host owns it; it lives until `init` returns. */
struct dvt_module_config {
  uint32_t struct_size;
  uint32_t classes; /**< head: number of logits; backbone: 0 */
  int64_t input[3]; /**< C, H, W of the images (backbone) or of the features (head) */
  /**
   * Backbone: the split to cut at; NULL: the whole backbone (its last split).
   * Head: the split that its features come from.
   */
  const char *split;
};

/** A named point of a backbone. */
struct dvt_split {
  uint32_t struct_size;
  uint32_t reserved;
  const char *name;
  int64_t shape[3]; /**< C, H, W of the features there */
};

enum dvt_weight_role {
  DVT_WEIGHT_PARAMETER = 1, /**< trained by gradient */
  DVT_WEIGHT_BUFFER         /**< not: running statistics; the module changes it, in `commit` alone */
};

enum dvt_initialiser {
  DVT_INIT_CONSTANT = 1, /**< every element = init_value */
  DVT_INIT_NORMAL,       /**< mean 0, standard deviation init_value */
  DVT_INIT_UNIFORM       /**< in [-init_value, init_value) */
};

/** A parameter or buffer of a module: float32, dense. */
struct dvt_weight {
  uint32_t struct_size;
  uint32_t role;    /**< enum dvt_weight_role */
  const char *name; /**< as PyTorch names it in this architecture (layer2.0.conv1.weight); unique in the module */
  uint32_t rank;
  uint32_t decays; /**< 1: weight decay applies */
  int64_t shape[DVT_MAX_RANK];
  uint32_t initialiser; /**< enum dvt_initialiser */
  float init_value;
};

enum dvt_pass_flags {
  /** Batch norm and the like use the batch's statistics (else the running ones), and `commit` may follow. */
  DVT_PASS_BATCH_STATISTICS = 1 << 0,
  /** `backward` may follow `forward`: keep what it needs. */
  DVT_PASS_BACKWARD = 1 << 1
};

enum dvt_precision {
  DVT_PRECISION_AUTO = 0, /**< whatever is fastest on this machine without harm */
  DVT_PRECISION_FLOAT32,
  DVT_PRECISION_BFLOAT16 /**< arithmetic on bfloat16 with float32 sums; a module may refuse it as unsupported */
};

/** What a pass is made for. The host owns it; it lives until `pass_create` returns. */
struct dvt_pass_config {
  uint32_t struct_size;
  uint32_t flags;     /**< enum dvt_pass_flags */
  uint32_t capacity;  /**< the largest batch, at least 1; smaller ones may come */
  uint32_t threads;   /**< how many threads a call may keep busy, the caller's among them */
  uint32_t precision; /**< enum dvt_precision */
  uint32_t reserved;
  /**
   * Where `backward` adds the gradient of each weight, in the order of `weight`; an entry is NULL for a buffer. The
   * array lives until `pass_create` returns, what it points to until `pass_destroy`. NULL: no gradients of weights
   * are wanted (the module is frozen).
   */
  float *const *gradients;
};

/** What a pass spent its time on since it was made. Since 1.1. */
struct dvt_pass_times {
  uint32_t struct_size; /**< set by the host */
  uint32_t reserved;
  double forward, backward_data, backward_weights; /**< seconds, of layers that multiply: convolutions, linear ones */
  double norm;       /**< seconds, of batch norm and the like, and what is fused with it */
  double other;      /**< seconds */
  double operations; /**< of the layers that multiply, as their definition counts them: 2 for a product and its sum */
};

struct dvt_module_ops {
  uint32_t struct_size;
  uint32_t reserved;

  /**
   * Makes a module from checked parameters; may not call the host. values has a value for each row of the parameter
   * table and lives until the call returns.
   * *module belongs to the host, which gives it to `destroy`.
   * On failure *module is untouched and error says what is wrong.
   * [any & before anything else]
   */
  int (*create)(const struct dvt_value *values, void **module, struct dvt_error *error);

  /**
   * Frees the module; takes NULL. All its passes are destroyed by then.
   * [one & after create, also when init failed]
   */
  void (*destroy)(void *module);

  /**
   * Fixes shapes; from now on splits, weights and output shape are known and constant.
   * host lives until `destroy` returns, config until this call returns.
   * Fails where the input has a shape that the module cannot take or the split is unknown, with a message that says
   * which it takes; the host then destroys the module.
   * [one & once, after create]
   */
  int (*init)(void *module, const struct dvt_host *host, const struct dvt_module_config *config,
              struct dvt_error *error);

  /**
   * Split number `index` of the whole backbone, in order from the input on, wherever this module is cut; NULL past
   * the last. Heads have none: their ops may leave this NULL.
   * The module owns what is returned; it lives until `destroy`.
   * [any & after init]
   */
  const struct dvt_split *(*split)(const void *module, uint32_t index);

  /**
   * Weight number `index`; NULL past the last.
   * The module owns what is returned; it lives until `destroy`.
   * [any & after init]
   */
  const struct dvt_weight *(*weight)(const void *module, uint32_t index);

  /**
   * Shape of the output for one example: C, H, W of the features; for a head: classes, 1, 1.
   * The caller owns shape.
   * [any & after init]
   */
  void (*output_shape)(const void *module, int64_t shape[3]);

  /**
   * Says where the values are: values[i] is that of weight(i), aligned to 64 bytes. The values themselves are not set
   * before the first `changed`.
   * The array lives until the call returns, the values until `destroy`.
   * [one & once, after init, before any pass]
   */
  void (*bind)(void *module, float *const *values);

  /**
   * Says that values changed since the last `changed`.
   * [one & after bind, no pass in flight]
   */
  void (*changed)(void *module);

  /**
   * Makes the working memory of a flight.
   * *pass belongs to the host, which gives it to `pass_destroy`; config lives until this call returns.
   * On failure *pass is untouched and error says why.
   * [any & after bind]
   */
  int (*pass_create)(void *module, const struct dvt_pass_config *config, void **pass, struct dvt_error *error);

  /**
   * Frees the pass; takes NULL.
   * [one & not in flight]
   */
  void (*pass_destroy)(void *pass);

  /**
   * Computes the output of a batch. input is [n, C, H, W] with 1 <= n <= capacity; output has room for
   * [n, C', H', W'] (backbone) or [n, classes] (head), and its shape is set by the host.
   * The host owns both; input stays as it is until `backward` returned or the next `forward` begins.
   * On failure the output is undefined, and the pass may be used again from `forward` on.
   * [one & after changed]
   */
  int (*forward)(void *pass, const struct dvt_tensor *input, struct dvt_tensor *output, struct dvt_error *error);

  /**
   * From the gradient of a loss with respect to the output of the last `forward`: adds the gradients of the weights
   * to pass_config.gradients, and writes that of the input to input_gradient (NULL: not wanted).
   * The host owns all tensors; output_gradient is only read. Shapes as in `forward`.
   * On failure the gradients are undefined.
   * [one & once after each forward, in a pass made with DVT_PASS_BACKWARD]
   */
  int (*backward)(void *pass, const struct dvt_tensor *output_gradient, struct dvt_tensor *input_gradient,
                  struct dvt_error *error);

  /**
   * Applies the statistics of the pass's last `forward` to the module's buffers: running = 0.9 running + 0.1 batch,
   * the variance unbiased. The host calls it in a fixed order of networks, so results depend on no thread. A module
   * without buffers may leave this NULL.
   * [one & after forward, in a pass made with DVT_PASS_BATCH_STATISTICS, no other pass of the module in flight]
   */
  void (*commit)(void *pass);

  /**
   * Since 1.1; NULL: not known. Says what the pass spent its time on.
   * The caller owns times.
   * [one & after pass_create]
   */
  void (*times)(const void *pass, struct dvt_pass_times *times);
};

#endif
