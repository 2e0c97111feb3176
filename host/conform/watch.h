/* SPDX-License-Identifier: MIT */
/** The host's services, with an eye on how a plugin uses them. */
#ifndef CONFORM_WATCH_H
#define CONFORM_WATCH_H

#include "plugin/services.h"

struct watch {
  struct services services; /**< first: its context leads back here. Give plugins &watch.services.table */
  GMutex mutex;
  GHashTable *live; /**< what allocate returned and release did not get back */
  gint64 budget;    /**< so many allocations succeed; negative: all */
  guint strangers;  /**< released, though allocate never returned them */
  char *bad_log;    /**< a logged line that is none */
};

void watch_init(struct watch *watch, guint64 seed);
void watch_clear(struct watch *watch);

/** How many blocks are not given back. */
guint watch_live(struct watch *watch);

#endif
