/* SPDX-License-Identifier: MIT */
/**
 * What the host does for every plugin: a table of functions, handed to `init` and valid until `destroy` returns.
 * Its first argument is always the table itself.
 */
#ifndef DOVETAIL_HOST_H
#define DOVETAIL_HOST_H

#include <dovetail/abi.h>
#include <stddef.h>

enum dvt_level { DVT_LOG_DEBUG = 1, DVT_LOG_INFO, DVT_LOG_WARNING };

struct dvt_host {
  uint32_t struct_size;
  uint16_t abi_major, abi_minor; /**< of the host */
  void *context;                 /**< the host's own */
  uint32_t threads;              /**< that a call in the main thread may keep busy, the caller's among them */
  uint32_t reserved;

  /**
   * Says something to the user, in one line without a newline; errors are returned, not logged.
   * The host copies the message.
   * [any & after init began]
   */
  void (*log)(const struct dvt_host *host, enum dvt_level level, const char *message);

  /**
   * Memory aligned to 64 bytes, not cleared.
   * The plugin owns it and gives it back with `release`.
   * Returns NULL when there is none, or when size is 0.
   * [any & after init began]
   */
  void *(*allocate)(const struct dvt_host *host, size_t size);

  /**
   * Gives memory of `allocate` back; takes NULL.
   * [any & after init began]
   */
  void (*release)(const struct dvt_host *host, void *memory);

  /**
   * Random words of a named stream: out[0 .. count) depend on the experiment's seed, the stream's name, epoch and
   * index alone (Philox4x32-10: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), so on no
   * thread and on no earlier call. For a dataset the seed is always 0: its images do not vary with the experiment.
   * The plugin owns out; the name is read during the call. A plugin's stream is private to the plugin.
   * [any & after init began]
   */
  void (*random)(const struct dvt_host *host, const char *stream, uint64_t epoch, uint64_t index, uint32_t *out,
                 size_t count);

  /**
   * Calls body(data, begin, end) over disjoint ranges that together are [0, count), on up to `threads` threads, the
   * caller's among them, and returns when all are done. The ranges depend on count and threads alone.
   * data belongs to the plugin; body may not call parallel_for.
   * [any & after init began]
   */
  void (*parallel_for)(const struct dvt_host *host, uint32_t threads, int64_t count,
                       void (*body)(void *data, int64_t begin, int64_t end), void *data);

  /**
   * Since 1.1; where a host has it not, take way 0. Chooses one of `count` ways to compute the same, 1 to 64, and
   * returns its number: the one that was chosen for `key` before, in this process, in the runs that it goes on with or
   * by an earlier process on this machine, else the fastest; or always way 0, where the user wants no choices by time.
   *
   * key says all that the speed depends on besides the machine, such as sizes, threads and the version of a library;
   * names has a word for each way; both are UTF-8, read during the call. data belongs to the plugin.
   *
   * seconds(data, way) does the work once, on as many threads as it will later, and returns how long it took, or a
   * negative number where it cannot. The host calls it some times for each way, in this thread, before choose returns.
   * It may not call choose.
   * [any & after init began]
   */
  uint32_t (*choose)(const struct dvt_host *host, const char *key, uint32_t count, const char *const *names,
                     double (*seconds)(void *data, uint32_t way), void *data);
};

#endif
