/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "cli/cli.h"
#include "cli/columns.h"
#include "cli/describe.h"

static const char examples[] = "  dovetail inspect resnet\n"
                               "  dovetail inspect rotation --kind aligner\n"
                               "  dovetail inspect cifar10 --set path=data/cifar-10-batches-bin --json\n";

static const char *get(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

static char *join(const json_t *array, const char *between) {
  GString *out = g_string_new("");
  for (size_t k = 0; k < json_array_size(array); k++) {
    const json_t *item = json_array_get(array, k);
    if (k) g_string_append(out, between);
    if (json_is_string(item))
      g_string_append(out, json_string_value(item));
    else
      g_string_append_printf(out, "%.6g", json_number_value(item));
  }
  return g_string_free(out, FALSE);
}

static char *limits(const json_t *param) {
  const json_t *choices = json_object_get(param, "choices");
  if (choices) return join(choices, " | ");
  const json_t *least = json_object_get(param, "least"), *greatest = json_object_get(param, "greatest");
  if (!greatest) return least ? g_strdup_printf("at least %.15g", json_number_value(least)) : g_strdup("");
  if (!least) return g_strdup_printf("at most %.15g", json_number_value(greatest));
  return g_strdup_printf("%.15g to %.15g", json_number_value(least), json_number_value(greatest));
}

static char *initial(const json_t *param) {
  const char *text = json_string_value(json_object_get(param, "default"));
  return g_strdup(!text ? "required" : *text ? text : "\"\"");
}

static void add_titles(GPtrArray *cells, const char *const *titles) {
  for (; *titles; titles++) g_ptr_array_add(cells, g_strdup(*titles));
}

static void print_params(const json_t *params) {
  static const char *const titles[] = {"name", "type", "default", "range", "unit", "meaning", NULL};
  if (!json_array_size(params)) return;
  g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
  add_titles(cells, titles);
  for (size_t k = 0; k < json_array_size(params); k++) {
    const json_t *param = json_array_get(params, k);
    g_ptr_array_add(cells, g_strdup(get(param, "name")));
    g_ptr_array_add(cells, g_strdup(get(param, "type")));
    g_ptr_array_add(cells, initial(param));
    g_ptr_array_add(cells, limits(param));
    g_ptr_array_add(cells, g_strdup(get(param, "unit")));
    g_ptr_array_add(cells, g_strdup(get(param, "doc")));
  }
  puts("\nParameters:");
  columns_print(stdout, cells, G_N_ELEMENTS(titles) - 1, 2);
}

static void print_splits(const json_t *object) {
  static const char *const titles[] = {"name", "features", "parameters up to it", NULL};
  const json_t *splits = json_object_get(object, "splits");
  if (!json_array_size(splits)) return;
  g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *input = join(json_object_get(object, "input"), "x");
  add_titles(cells, titles);
  for (size_t k = 0; k < json_array_size(splits); k++) {
    const json_t *split = json_array_get(splits, k);
    g_ptr_array_add(cells, g_strdup(get(split, "name")));
    g_ptr_array_add(cells, join(json_object_get(split, "shape"), "x"));
    g_ptr_array_add(cells,
                    g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(split, "parameters"))));
  }
  printf("\nSplits, with these parameters and images of %s:\n", input);
  columns_print(stdout, cells, G_N_ELEMENTS(titles) - 1, 2);
}

static void add_fact(GPtrArray *cells, const char *name, char *text) {
  g_ptr_array_add(cells, g_strdup(name));
  g_ptr_array_add(cells, text);
}

static void add_dataset_facts(GPtrArray *cells, const json_t *object) {
  const json_int_t train = json_integer_value(json_object_get(object, "train"));
  const json_int_t test = json_integer_value(json_object_get(object, "test"));
  add_fact(cells, "examples",
           g_strdup_printf("%" JSON_INTEGER_FORMAT " to train, %" JSON_INTEGER_FORMAT " to test", train, test));
  add_fact(cells, "image", join(json_object_get(object, "image"), "x"));
  add_fact(cells, "classes", join(json_object_get(object, "classes"), ", "));
  add_fact(cells, "mean", join(json_object_get(object, "mean"), ", "));
  add_fact(cells, "deviation", join(json_object_get(object, "deviation"), ", "));
}

static void add_aligner_facts(GPtrArray *cells, const json_t *object) {
  add_fact(cells, "hooks", join(json_object_get(object, "hooks"), ", "));
  add_fact(cells, "data",
           g_strdup(json_is_true(json_object_get(object, "paired")) ? "the same images in every network"
                                                                    : "any images in each network"));
}

static void print_text(const json_t *object) {
  static const char *const keys[] = {"author", "licence", "file", "abi"};
  static const char *const names[] = {"author", "licence", "file", "plugin ABI"};
  g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
  for (guint k = 0; k < G_N_ELEMENTS(keys); k++) add_fact(cells, names[k], g_strdup(get(object, keys[k])));
  if (json_object_get(object, "hooks")) add_aligner_facts(cells, object);
  if (json_object_get(object, "classes")) add_dataset_facts(cells, object);
  printf("%s '%s' %s\n%s\n\n", get(object, "kind"), get(object, "name"), get(object, "version"),
         get(object, "description"));
  columns_print(stdout, cells, 2, 2);
  print_params(json_object_get(object, "parameters"));
  print_splits(object);
  if (json_object_get(object, "unavailable"))
    printf("\nWith these parameters no more can be shown; --set NAME=VALUE gives others: %s\n",
           get(object, "unavailable"));
}

static const struct registry_plugin *find_of_kind(const struct registry *registry, const char *kind, const char *name,
                                                  GError **error) {
  const char *kinds[DVT_KIND_DATASET];
  for (enum dvt_kind k = DVT_KIND_BACKBONE; k <= DVT_KIND_DATASET; k++) {
    kinds[k - 1] = registry_kind_name(k);
    if (!strcmp(kinds[k - 1], kind)) return registry_find(registry, k, name, (struct mark){NULL, 0, 0}, error);
  }
  g_autofree char *hint = nearest_hint(kind, kinds, G_N_ELEMENTS(kinds));
  g_set_error(error, DOVETAIL_ERROR, DOVETAIL_WRONG, "unknown kind '%s'%s", kind, hint);
  return NULL;
}

static const struct registry_plugin *find_of_any_kind(const struct registry *registry, const char *name,
                                                      GError **error) {
  const GPtrArray *plugins = registry_plugins(registry);
  const struct registry_plugin *found = NULL;
  g_autofree const char **names = g_new(const char *, plugins->len + 1);
  for (guint k = 0; k < plugins->len; k++) {
    const struct registry_plugin *plugin = plugins->pdata[k];
    names[k] = plugin->name;
    if (strcmp(names[k], name)) continue;
    if (found) {
      g_set_error(error, DOVETAIL_ERROR, DOVETAIL_WRONG, "'%s' is %s and %s; choose with --kind", name,
                  registry_kind_name(found->kind), registry_kind_name(plugin->kind));
      return NULL;
    }
    found = plugin;
  }
  if (found) return registry_find(registry, found->kind, name, (struct mark){NULL, 0, 0}, error);
  g_autofree char *hint = nearest_hint(name, names, plugins->len);
  g_set_error(error, DOVETAIL_ERROR, DOVETAIL_WRONG, "unknown plugin '%s'%s%s", name, hint,
              registry_refusals(registry)->len ? "; 'dovetail plugins --refused' lists files that were refused" : "");
  return NULL;
}

int cli_inspect(int argc, char **argv) {
  g_auto(GStrv) folders = NULL, sets = NULL;
  g_autofree char *kind = NULL;
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
      {"kind", 'k', 0, G_OPTION_ARG_STRING, &kind, "Which one, where several kinds have a plugin of this name", "KIND"},
      {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &sets, "Describe it with this value of a parameter", "NAME=VALUE"},
      {"plugin-path", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &folders, "Look for plugins here first", "DIR"},
      {"json", 'j', 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL},
      {0},
  };
  int status;
  if (!cli_options("inspect", "NAME", examples, entries, &argc, &argv, &status)) return status;
  if (argc != 2) {
    fputs("dovetail: inspect wants the name of one plugin; 'dovetail plugins' lists them\n", stderr);
    return DOVETAIL_WRONG;
  }
  AUTO(registry) registry = registry_new();
  registry_scan_default(registry, (const char *const *)folders);
  g_autoptr(GError) error = NULL;
  const struct registry_plugin *plugin =
      kind ? find_of_kind(registry, kind, argv[1], &error) : find_of_any_kind(registry, argv[1], &error);
  if (!plugin) return cli_fail(error);
  json_t *object = describe_plugin(plugin, (const char *const *)sets, &error);
  if (!object) return cli_fail(error);
  if (json) {
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    putchar('\n');
  } else {
    print_text(object);
  }
  json_decref(object);
  return 0;
}
