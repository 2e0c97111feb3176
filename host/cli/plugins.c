/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <stdio.h>

#include <string.h>

#include "cli/cli.h"
#include "cli/columns.h"

static const char examples[] = "  dovetail plugins\n"
                               "  dovetail plugins --plugin-path ~/my-aligner/build\n"
                               "  dovetail plugins --refused\n"
                               "  dovetail plugins --exists rotation --at-least 1.2\n"
                               "  dovetail plugins --json\n";

static void print_plugins(const GPtrArray *plugins) {
  static const char *const titles[] = {"kind", "name", "version", "ABI", "description", "file"};
  g_autoptr(GPtrArray) cells = g_ptr_array_new();
  for (guint k = 0; k < G_N_ELEMENTS(titles); k++) g_ptr_array_add(cells, (void *)titles[k]);
  for (guint k = 0; k < plugins->len; k++) {
    const struct registry_plugin *plugin = plugins->pdata[k];
    const char *const row[] = {registry_kind_name(plugin->kind),
                               plugin->name,
                               plugin->version,
                               plugin->abi,
                               plugin->description,
                               plugin->path};
    G_STATIC_ASSERT(G_N_ELEMENTS(row) == G_N_ELEMENTS(titles));
    for (guint column = 0; column < G_N_ELEMENTS(row); column++) g_ptr_array_add(cells, (void *)row[column]);
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
    g_autofree char *path = g_utf8_make_valid(plugin->path, -1);
    json_array_append_new(list, json_pack("{ss ss ss ss ss ss ss ss}", "kind", registry_kind_name(plugin->kind), "name",
                                          plugin->name, "version", plugin->version, "description", plugin->description,
                                          "author", plugin->author, "licence", plugin->licence, "file", path, "abi",
                                          plugin->abi));
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

struct version {
  guint64 part[3]; /* major, minor, patch */
};

/* The numbers at the beginning of a text, of which those left out are 0. Returns what follows them. */
static const char *read_version(const char *text, struct version *version) {
  *version = (struct version){{0}};
  for (guint k = 0; k < G_N_ELEMENTS(version->part) && g_ascii_isdigit(*text); k++) {
    char *end;
    version->part[k] = g_ascii_strtoull(text, &end, 10);
    if (*end != '.') return end;
    text = end + 1;
  }
  return text;
}

static gboolean is_at_least(const char *text, const struct version *least) {
  struct version version;
  read_version(text, &version);
  for (guint k = 0; k < G_N_ELEMENTS(version.part); k++)
    if (version.part[k] != least->part[k]) return version.part[k] > least->part[k];
  return TRUE;
}

/* name: "NAME" or "KIND/NAME". */
static gboolean exists(const GPtrArray *plugins, const char *name, const struct version *least) {
  for (guint k = 0; k < plugins->len; k++) {
    const struct registry_plugin *plugin = plugins->pdata[k];
    g_autofree char *full = g_strdup_printf("%s/%s", registry_kind_name(plugin->kind), plugin->name);
    if ((!strcmp(plugin->name, name) || !strcmp(full, name)) && is_at_least(plugin->version, least)) return TRUE;
  }
  return FALSE;
}

/* FALSE, with the message printed, when --at-least stands alone or is no version. NULL: an option not given. */
static gboolean read_least(const char *wanted, const char *at_least, struct version *least) {
  if (!at_least) return TRUE;
  if (!wanted) return fputs("dovetail: --at-least goes with --exists NAME\n", stderr), FALSE;
  if (g_ascii_isdigit(*at_least) && !*read_version(at_least, least)) return TRUE;
  fprintf(stderr, "dovetail: '%s' is no version; one looks like 1.2.0\n", at_least);
  return FALSE;
}

int cli_plugins(int argc, char **argv) {
  g_auto(GStrv) folders = NULL;
  g_autofree char *wanted = NULL, *at_least = NULL;
  gboolean json = FALSE, refused = FALSE;
  const GOptionEntry entries[] = {
      {"plugin-path", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &folders, "Look for plugins here first", "DIR"},
      {"refused", 'r', 0, G_OPTION_ARG_NONE, &refused, "List the files that were refused, each with the reason", NULL},
      {"exists", 'e', 0, G_OPTION_ARG_STRING, &wanted, "Print nothing; end with 0 if it is there, else with 1",
       "[KIND/]NAME"},
      {"at-least", 0, 0, G_OPTION_ARG_STRING, &at_least, "With --exists: in this version or a later one", "VERSION"},
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
  struct version least = {{0}};
  if (!read_least(wanted, at_least, &least)) return DOVETAIL_WRONG;
  AUTO(registry) registry = registry_new();
  registry_scan_default(registry, (const char *const *)folders);
  if (wanted) return exists(registry_plugins(registry), wanted, &least) ? 0 : DOVETAIL_FAILED;
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
