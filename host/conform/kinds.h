/* SPDX-License-Identifier: MIT */
/** What checks of every kind need: an instance ready for use, used once from end to end. */
#ifndef CONFORM_KINDS_H
#define CONFORM_KINDS_H

#include "conform/record.h"
#include "conform/settings.h"

struct kind {
  /**
   * create and init. NULL with what the plugin said in *refusal, which the caller frees; NULL with a failed verdict and
   * *refusal untouched when what it did breaks the contract. values need not outlive the call.
   */
  gpointer (*open)(struct probe *probe, const struct values *values, char **refusal);
  /** Calls everything once, and records what came out. FALSE with a verdict. The same instance may be used again. */
  gboolean (*use)(gpointer instance, struct record *record);
  void (*close)(gpointer instance);
  /** init of another instance, which was only created, as it was done for this one. */
  int (*init)(gpointer instance, void *created, struct dvt_error *fault);
  /**
   * create, an init that is likely to fail, destroy. *what is set to what was wrong, in words. Returns the status, or
   * KIND_NO_MORE where `variant`, from 0, is past the last.
   */
  int (*fail)(struct probe *probe, guint variant, const char **what, struct dvt_error *fault);
  /** Whether using an instance takes little time and memory; NULL: always. */
  gboolean (*is_small)(gpointer instance);
};

enum { KIND_NO_MORE = G_MAXINT /**< what no plugin returns */ };

extern const struct kind module_kind, aligner_kind, dataset_kind;

const struct kind *kind_of(const struct dvt_plugin *plugin);

/** The two entries that are the same in every kind's table. */
struct lifecycle {
  int (*create)(const struct dvt_value *values, void **instance, struct dvt_error *error);
  void (*destroy)(void *instance);
};
struct lifecycle lifecycle_of(const struct dvt_plugin *plugin);

/** An instance with the user's settings; NULL with a verdict: refused, or a parameter that only the user knows. */
gpointer kind_open(struct probe *probe);

/** Opens, uses and closes. FALSE with a verdict. */
gboolean kind_live(struct probe *probe, struct record *record);

/** Values of the user's settings; NULL with a verdict. */
struct values *probe_values(struct probe *probe);

#endif
