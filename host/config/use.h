/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_USE_H
#define CONFIG_USE_H

#include "config/yaml.h"

/** A plugin by name, as an experiment asks for it. */
struct plugin_use {
  const char *plugin;
  struct mark mark;               /**< of the name */
  const struct yaml_node *params; /**< a map, or NULL; not checked: only the plugin's table tells what is right */
};

#endif
