/* SPDX-License-Identifier: MIT */
#include "base/processors.h"

#include <sched.h>

/* GLib's own g_get_num_processors counts those of the machine. */
static guint count_usable(void) {
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) return g_get_num_processors();
  return (guint)MAX(1, CPU_COUNT(&usable));
}

guint processors_usable(void) {
  static gsize count;
  if (g_once_init_enter(&count)) g_once_init_leave(&count, count_usable());
  return (guint)count;
}
