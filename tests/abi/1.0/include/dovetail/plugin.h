/* SPDX-License-Identifier: MIT */
/**
 * The one symbol that a plugin's .so exports: a constant that the host can judge before any code of the plugin runs.
 *
 *     DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
 *       DVT_PLUGIN_HEAD, .kind = DVT_KIND_ALIGNER, .name = "mine", …, .ops = &ops,
 *     };
 *
 * A plugin includes only dovetail/, links with nothing of the host, prints nothing and never exits.
 */
#ifndef DOVETAIL_PLUGIN_H
#define DOVETAIL_PLUGIN_H

#include <dovetail/abi.h>
#include <dovetail/param.h>

enum dvt_kind { DVT_KIND_BACKBONE = 1, DVT_KIND_HEAD, DVT_KIND_ALIGNER, DVT_KIND_DATASET };

/** Everything is constant and lives as long as the .so is loaded, which is until the program ends. */
struct dvt_plugin {
  uint32_t magic;       /**< DVT_MAGIC */
  uint16_t abi_major;   /**< of the headers it was built with; a host of another major refuses it */
  uint16_t abi_minor;   /**< of the headers it was built with */
  uint32_t struct_size; /**< sizeof(struct dvt_plugin) */
  uint32_t param_size;  /**< sizeof(struct dvt_param) */
  uint32_t host_minor;  /**< the lowest ABI minor of a host that it works with */
  uint32_t kind;        /**< enum dvt_kind */
  const char *name;        /**< as experiments write it: lower case, digits, '-'; unique within its kind */
  const char *version;     /**< the plugin's own, "MAJOR.MINOR.PATCH" */
  const char *description; /**< one line */
  const char *author;
  const char *licence; /**< an SPDX expression */
  const struct dvt_param *params; /**< NULL: none */
  uint32_t param_count;
  uint32_t reserved;
  const void *ops; /**< by kind: struct dvt_module_ops (backbone, head), dvt_aligner_ops, dvt_dataset_ops */
  const struct dvt_plugin *next; /**< another plugin in the same .so, or NULL */
};

#ifdef __cplusplus
extern "C" {
#endif
/** What every plugin defines: here, so that it is exported under this name from C++ too. */
extern DVT_EXPORT const struct dvt_plugin dovetail_plugin;
#ifdef __cplusplus
}
#endif

/** The first fields of dvt_plugin, after which designated initialisers go on, in the order of the struct. */
#define DVT_PLUGIN_HEAD                                                                                                \
  .magic = DVT_MAGIC, .abi_major = DVT_ABI_MAJOR, .abi_minor = DVT_ABI_MINOR, .struct_size = sizeof(struct dvt_plugin), \
  .param_size = sizeof(struct dvt_param)

/** Sets .params and .param_count from an array. */
#define DVT_PARAMS(table) .params = (table), .param_count = sizeof(table) / sizeof(table)[0]

#endif
