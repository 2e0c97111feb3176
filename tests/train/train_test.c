/* SPDX-License-Identifier: MIT */
#include "train_test.h"

#include <stdio.h>

struct registry *registry;

const char small_experiment[] = "name: small\n"
                                "data: {plugin: shapes, params: {train: 64, test: 10}}\n"
                                "networks:\n"
                                "  a: &network\n"
                                "    backbone: {plugin: resnet, params: {depth: 8, width: 4}}\n"
                                "    split: layer2\n"
                                "    head: {plugin: linear}\n"
                                "  b: *network\n"
                                "train: {batch: 8, steps: 3}\n";

int registry_setup(void **state) {
  const char *plugins = g_getenv("DOVETAIL_PLUGIN_PATH");
  (void)state;
  if (!plugins) return fputs("DOVETAIL_PLUGIN_PATH is not set: where are the plugins?\n", stderr), -1;
  registry = registry_new();
  registry_scan(registry, plugins);
  return 0;
}

int registry_teardown(void **state) {
  (void)state;
  registry_free(registry);
  return 0;
}
