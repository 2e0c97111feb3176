/* SPDX-License-Identifier: MIT */
#include "plugin/check.h"

#include <dovetail/aligner.h>
#include <dovetail/dataset.h>
#include <dovetail/module.h>
#include <string.h>

#include "base/text.h"
#include "config/values.h"

enum { MOST_PLUGINS = 256, MOST_PARAMS = 1000, LARGEST_STRUCT = 1 << 16 };

#define END_OF(type, field) (offsetof(struct type, field) + sizeof((struct type *)0)->field)
#define ENTRY(type, field)                                                                                             \
  { #field, offsetof(struct type, field) }

/* Entries of an operations table that must not be NULL. */
struct entry {
  const char *name;
  gsize offset;
};

static const struct entry module_entries[] = {
    ENTRY(dvt_module_ops, split), /* first: heads need none */
    ENTRY(dvt_module_ops, create),  ENTRY(dvt_module_ops, destroy),      ENTRY(dvt_module_ops, init),
    ENTRY(dvt_module_ops, weight),  ENTRY(dvt_module_ops, output_shape), ENTRY(dvt_module_ops, bind),
    ENTRY(dvt_module_ops, changed), ENTRY(dvt_module_ops, pass_create),  ENTRY(dvt_module_ops, pass_destroy),
    ENTRY(dvt_module_ops, forward), ENTRY(dvt_module_ops, backward),     {NULL, 0},
};

static const struct entry aligner_entries[] = {
    ENTRY(dvt_aligner_ops, create),
    ENTRY(dvt_aligner_ops, destroy),
    ENTRY(dvt_aligner_ops, init),
    {NULL, 0},
};

static const struct entry dataset_entries[] = {
    ENTRY(dvt_dataset_ops, create), ENTRY(dvt_dataset_ops, destroy), ENTRY(dvt_dataset_ops, init),
    ENTRY(dvt_dataset_ops, info),   ENTRY(dvt_dataset_ops, read),    {NULL, 0},
};

/* By kind: the size of the operations table in ABI 1.0, up to its last entry of then. */
static const struct {
  gsize size;
  const struct entry *entries;
} tables[] = {
    [DVT_KIND_BACKBONE] = {END_OF(dvt_module_ops, commit), module_entries},
    [DVT_KIND_HEAD] = {END_OF(dvt_module_ops, commit), module_entries + 1},
    [DVT_KIND_ALIGNER] = {END_OF(dvt_aligner_ops, joint_loss), aligner_entries},
    [DVT_KIND_DATASET] = {END_OF(dvt_dataset_ops, read), dataset_entries},
};

const struct dvt_param *plugin_param(const struct dvt_plugin *plugin, guint k) {
  return (const struct dvt_param *)((const char *)plugin->params + (gsize)k * plugin->param_size);
}

static char *size_fault(const char *what, gsize size, gsize least) {
  if (size >= least && size <= LARGEST_STRUCT && size % sizeof(void *) == 0) return NULL;
  return g_strdup_printf("%s is %" G_GSIZE_FORMAT "; in plugin ABI 1.0 it is %" G_GSIZE_FORMAT, what, size, least);
}

static char *head_fault(const struct dvt_plugin *plugin) {
  if (plugin->magic != DVT_MAGIC)
    return g_strdup_printf("no Dovetail plugin: its magic number is 0x%08x, not 0x%08x", plugin->magic, DVT_MAGIC);
  if (plugin->abi_major != DVT_ABI_MAJOR)
    return g_strdup_printf("built for plugin ABI %u, this host speaks %d", plugin->abi_major, DVT_ABI_MAJOR);
  char *fault = size_fault("struct_size", plugin->struct_size, PLUGIN_SIZE_1_0);
  if (!fault) fault = size_fault("param_size", plugin->param_size, END_OF(dvt_param, doc));
  if (fault || plugin->host_minor <= DVT_ABI_MINOR) return fault;
  return g_strdup_printf("needs plugin ABI %d.%u, this host speaks %d.%d", DVT_ABI_MAJOR, plugin->host_minor,
                         DVT_ABI_MAJOR, DVT_ABI_MINOR);
}

/* Lower-case words of letters and digits with `joint` between them. */
static gboolean is_name(const char *text, char joint) {
  gboolean within = FALSE;
  for (; *text; text++) {
    const gboolean legal = g_ascii_islower(*text) || g_ascii_isdigit(*text);
    if (!legal && !(*text == joint && within)) return FALSE;
    within = legal;
  }
  return within;
}

gboolean plugin_name_good(const char *name) { return is_name(name, '-'); }

static char *name_fault(const struct dvt_plugin *plugin) {
  if (plugin->kind < DVT_KIND_BACKBONE || plugin->kind > DVT_KIND_DATASET)
    return g_strdup_printf("kind %u is unknown; known are %d to %d", plugin->kind, DVT_KIND_BACKBONE, DVT_KIND_DATASET);
  if (!plugin->name) return g_strdup("it has no name");
  if (plugin_name_good(plugin->name)) return NULL;
  g_autofree char *name = g_utf8_make_valid(plugin->name, -1);
  return g_strdup_printf("its name '%s' is not made of lower-case letters, digits and single '-' between them", name);
}

static char *text_fault(const struct dvt_plugin *plugin) {
  const struct {
    const char *what, *text;
  } texts[] = {
      {"version", plugin->version},
      {"description", plugin->description},
      {"author", plugin->author},
      {"licence", plugin->licence},
  };
  for (gsize k = 0; k < G_N_ELEMENTS(texts); k++) {
    if (!texts[k].text || !texts[k].text[0]) return g_strdup_printf("it has no %s", texts[k].what);
    if (!text_is_line(texts[k].text)) return g_strdup_printf("its %s is not one line of UTF-8", texts[k].what);
  }
  return NULL;
}

static char *default_fault(const struct dvt_plugin *plugin, const struct dvt_param *param) {
  if (!param->initial) return NULL;
  g_autoptr(GError) error = NULL;
  AUTO(values) values =
      values_check(plugin->name, param, plugin->param_size, 1, NULL, (struct mark){NULL, 0, 0}, &error);
  return values ? NULL : g_strdup(error->message);
}

static char *param_fault(const struct dvt_plugin *plugin, guint k) {
  const struct dvt_param *param = plugin_param(plugin, k);
  if (!param->name) return g_strdup_printf("parameter %u has no name", k + 1);
  if (!is_name(param->name, '_'))
    return g_strdup_printf("the name of parameter %u is not made of lower-case letters, digits and single '_'", k + 1);
  for (guint before = 0; before < k; before++)
    if (!strcmp(plugin_param(plugin, before)->name, param->name))
      return g_strdup_printf("parameter '%s' is declared twice", param->name);
  if (param->type < DVT_TYPE_INT || param->type > DVT_TYPE_STRINGS)
    return g_strdup_printf("parameter '%s' has the unknown type %u", param->name, param->type);
  if (!(param->least <= param->greatest))
    return g_strdup_printf("parameter '%s' has the empty range %g to %g", param->name, param->least, param->greatest);
  if (!param->doc || !param->doc[0] || !text_is_line(param->doc))
    return g_strdup_printf("parameter '%s' lacks its line of documentation", param->name);
  if (param->unit && !text_is_line(param->unit))
    return g_strdup_printf("the unit of parameter '%s' is not one line of UTF-8", param->name);
  return default_fault(plugin, param);
}

static char *params_fault(const struct dvt_plugin *plugin) {
  if (plugin->param_count && !plugin->params)
    return g_strdup_printf("it declares %u parameters, but their table is NULL", plugin->param_count);
  if (plugin->param_count > MOST_PARAMS)
    return g_strdup_printf("it declares %u parameters; %d are allowed", plugin->param_count, MOST_PARAMS);
  char *fault = NULL;
  for (guint k = 0; !fault && k < plugin->param_count; k++) fault = param_fault(plugin, k);
  return fault;
}

static gboolean is_null(const void *ops, gsize offset) {
  void (*entry)(void);
  memcpy(&entry, (const char *)ops + offset, sizeof entry);
  return !entry;
}

static char *ops_fault(const struct dvt_plugin *plugin) {
  if (!plugin->ops) return g_strdup("its operations table is NULL");
  guint32 size; /* the first field of every operations table */
  memcpy(&size, plugin->ops, sizeof size);
  char *fault = size_fault("struct_size of its operations table", size, tables[plugin->kind].size);
  if (fault) return fault;
  for (const struct entry *entry = tables[plugin->kind].entries; entry->name; entry++)
    if (is_null(plugin->ops, entry->offset))
      return g_strdup_printf("the entry '%s' of its operations table is NULL", entry->name);
  if (plugin->kind != DVT_KIND_ALIGNER) return NULL;
  const struct dvt_aligner_ops *aligner = plugin->ops;
  if (!aligner->make_view == !aligner->view_loss) return NULL;
  return g_strdup_printf("its operations table has '%s' without '%s'", aligner->make_view ? "make_view" : "view_loss",
                         aligner->make_view ? "view_loss" : "make_view");
}

char *plugin_part_fault(const struct dvt_plugin *plugin, enum plugin_part part) {
  static char *(*const faults[PLUGIN_PARTS])(const struct dvt_plugin *) = {
      [PLUGIN_HEAD] = head_fault,     [PLUGIN_NAME] = name_fault, [PLUGIN_TEXTS] = text_fault,
      [PLUGIN_PARAMS] = params_fault, [PLUGIN_OPS] = ops_fault,
  };
  return faults[part](plugin);
}

static char *plugin_fault(const struct dvt_plugin *plugin) {
  char *fault = NULL;
  for (enum plugin_part part = 0; !fault && part < PLUGIN_PARTS; part++) fault = plugin_part_fault(plugin, part);
  return fault;
}

gboolean plugin_check(const struct dvt_plugin *descriptor, char **reason) {
  guint place = 1;
  for (const struct dvt_plugin *plugin = descriptor; plugin; plugin = plugin->next, place++) {
    char *fault = place > MOST_PLUGINS ? g_strdup("the list does not end") : plugin_fault(plugin);
    if (!fault) continue;
    *reason = place == 1 ? g_strdup(fault) : g_strdup_printf("plugin %u of its list: %s", place, fault);
    g_free(fault);
    return FALSE;
  }
  return TRUE;
}
