/* SPDX-License-Identifier: MIT */
/**
 * Versions and status codes of the plugin ABI.
 *
 * The ABI is plain C11. Within one major version a published struct only grows at its end, and says its size in its
 * field `struct_size`, the first but in dvt_plugin (of dvt_param, dvt_plugin.param_size says it); whoever reads a
 * struct reads no further than that and takes the documented default for the rest. Structs without a size (dvt_tensor,
 * dvt_value) never change within a major version. Enums may gain values: whoever does not know one refuses it.
 *
 * Thread tags. Every function pointer of the ABI ends its description with `[thread & state]`:
 *   main      the host's main thread
 *   network   the thread of the network that the call is about
 *   any       any thread; calls may overlap on the same object
 *   one       any thread, but the host never overlaps two calls on the same object
 * followed by the state of the object in which the host may make the call.
 */
#ifndef DOVETAIL_ABI_H
#define DOVETAIL_ABI_H

#include <stdint.h>

#define DVT_MAGIC UINT32_C(0x4c545644) /* "DVTL" in memory on a little-endian machine */
#define DVT_ABI_MAJOR 1
#define DVT_ABI_MINOR 0

#if defined(__GNUC__)
#define DVT_EXPORT __attribute__((visibility("default")))
#define DVT_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define DVT_EXPORT
#define DVT_PRINTF(text, first)
#endif

/** True when `pointer->field` lies within the struct_size that *pointer states: read a field added later only then. */
#define DVT_HAS(pointer, field)                                                                                        \
  ((const char *)&(pointer)->field + sizeof (pointer)->field <= (const char *)(pointer) + (pointer)->struct_size)

/** What every fallible function returns: DVT_OK, or a negative status with a message in its error argument. */
enum dvt_status {
  DVT_OK = 0,
  DVT_ERROR_ARGUMENT = -1,    /**< what was asked for is wrong: a parameter, a shape, a name */
  DVT_ERROR_MEMORY = -2,      /**< out of memory */
  DVT_ERROR_IO = -3,          /**< a file is missing, unreadable or damaged */
  DVT_ERROR_UNSUPPORTED = -4, /**< right, but this plugin or machine cannot do it */
  DVT_ERROR_INTERNAL = -5     /**< a defect of the plugin, or of a library below it */
};

#endif
