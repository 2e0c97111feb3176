/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/columns.h"

static const char examples[] = "  dovetail plugins\n"
                               "  dovetail plugins --plugin-path ~/my-aligner/build\n"
                               "  dovetail plugins --refused\n"
                               "  dovetail plugins --json\n";

static void print_plugins(const GPtrArray *plugins) {
  static const char *const titles[] = {"kind", "name", "version", "description", "file"};
  g_autoptr(GPtrArray) cells = g_ptr_array_new();
  for (guint k = 0; k < G_N_ELEMENTS(titles); k++) g_ptr_array_add(cells, (void *)titles[k]);
  for (guint k = 0; k < plugins->len; k++) {
    const struct registry_plugin *plugin = plugins->pdata[k];
    const struct dvt_plugin *descriptor = plugin->descriptor;
    g_ptr_array_add(cells, (void *)registry_kind_name(descriptor->kind));
    g_ptr_array_add(cells, (void *)descriptor->name);
    g_ptr_array_add(cells, (void *)descriptor->version);
    g_ptr_array_add(cells, (void *)descriptor->description);
    g_ptr_array_add(cells, plugin->path);
  }
  columns_print(stdout, cells, G_N_ELEMENTS(titles), 0);
}

static void print_refusals(const GPtrArray *refusals) {
  for (guint k = 0; k < refusals->len; k++) {
    const struct registry_refusal *refusal = refusals->pdata[k];
    printf("%s: %s\n", refusal->path, refusal->reason);
  }
}

static json_t *list_plugins(const GPtrArray *plugins) {
  json_t *list = json_array();
  for (guint k = 0; k < plugins->len; k++) {
    const struct registry_plugin *plugin = plugins->pdata[k];
    const struct dvt_plugin *descriptor = plugin->descriptor;
    g_autofree char *path = g_utf8_make_valid(plugin->path, -1);
    g_autofree char *abi = g_strdup_printf("%u.%u", descriptor->abi_major, descriptor->abi_minor);
    json_array_append_new(list, json_pack("{ss ss ss ss ss ss}", "kind", registry_kind_name(descriptor->kind), "name",
                                          descriptor->name, "version", descriptor->version, "description",
                                          descriptor->description, "file", path, "abi", abi));
  }
  return list;
}

static json_t *list_refusals(const GPtrArray *refusals) {
  json_t *list = json_array();
  for (guint k = 0; k < refusals->len; k++) {
    const struct registry_refusal *refusal = refusals->pdata[k];
    g_autofree char *path = g_utf8_make_valid(refusal->path, -1), *reason = g_utf8_make_valid(refusal->reason, -1);
    json_array_append_new(list, json_pack("{ss ss}", "file", path, "reason", reason));
  }
  return list;
}

static void print_json(const struct registry *registry) {
  json_t *all = json_pack("{so so}", "plugins", list_plugins(registry_plugins(registry)), "refused",
                          list_refusals(registry_refusals(registry)));
  json_dumpf(all, stdout, JSON_INDENT(2));
  putchar('\n');
  json_decref(all);
}

static void print_hints(const struct registry *registry) {
  const guint refused = registry_refusals(registry)->len;
  if (registry_plugins(registry)->len == 0) fputs("dovetail: no plugin was found\n", stderr);
  if (refused)
    fprintf(stderr, "dovetail: %u %s refused; 'dovetail plugins --refused' tells why\n", refused,
            refused == 1 ? "file was" : "files were");
}

int cli_plugins(int argc, char **argv) {
  g_auto(GStrv) folders = NULL;
  gboolean json = FALSE, refused = FALSE;
  const GOptionEntry entries[] = {
      {"plugin-path", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &folders, "Look for plugins here first", "DIR"},
      {"refused", 'r', 0, G_OPTION_ARG_NONE, &refused, "List the files that were refused, each with the reason", NULL},
      {"json", 'j', 0, G_OPTION_ARG_NONE, &json, "Print both lists as JSON", NULL},
      {0},
  };
  int status;
  if (!cli_options("plugins", "", examples, entries, &argc, &argv, &status)) return status;
  if (argc > 1) {
    fprintf(stderr, "dovetail: plugins takes no argument, and '%s' is one; 'dovetail inspect %s' describes a plugin\n",
            argv[1], argv[1]);
    return DOVETAIL_WRONG;
  }
  AUTO(registry) registry = registry_new();
  registry_scan_default(registry, (const char *const *)folders);
  if (json) {
    print_json(registry);
  } else if (refused) {
    print_refusals(registry_refusals(registry));
  } else {
    print_plugins(registry_plugins(registry));
    print_hints(registry);
  }
  return 0;
}
