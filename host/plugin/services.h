/* SPDX-License-Identifier: MIT */
/** The services that a plugin gets: struct dvt_host, filled in. */
#ifndef PLUGIN_SERVICES_H
#define PLUGIN_SERVICES_H

#include <dovetail/host.h>
#include <glib.h>

#include "plugin/choices.h"

struct services {
  struct dvt_host table; /**< give plugins &services->table */
  guint64 seed;
  /**
   * The plugin's kind and name: random streams of services with other owners are other streams. NULL: none; no
   * stream of a plugin is ever one that the host makes with random_stream. Set it before the plugin has the table.
   */
  const char *owner;
  /** Where log lines go; called in any thread. NULL: g_log of domain "dovetail". */
  void (*log)(void *data, enum dvt_level level, const char *message);
  void *log_data;
  /** Which way plugins take; NULL: the first. It must live as long as plugins use the table. */
  struct choices *choices;
};

/** Fills *services in; it must stay where it is as long as plugins use it. */
void services_init(struct services *services, guint64 seed);

#endif
