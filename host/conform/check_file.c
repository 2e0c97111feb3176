/* SPDX-License-Identifier: MIT */
/* The file, and the descriptors that it holds. */
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "conform/checks.h"
#include "conform/probe.h"
#include "plugin/check.h"
#include "plugin/registry.h"

void check_file_loads(struct probe *probe) {
  if (!probe->file) probe_fail(probe, "%s", probe->load_fault);
}

/* The parts of a loaded file that say which symbols it has. */
struct symbols {
  void *handle;
  const char *names;
  const ElfW(Sym) * table;
  gsize count;
};

/* How many symbols the dynamic table has is in neither table: the last chain of GNU's hash ends with it. */
static gsize count_by_gnu_hash(const guint32 *hash) {
  const guint32 buckets = hash[0], first = hash[1], bloom = hash[2];
  const guint32 *bucket = hash + 4 + bloom * (sizeof(ElfW(Addr)) / sizeof *hash), *chain = bucket + buckets;
  gsize last = 0;
  for (guint32 k = 0; k < buckets; k++) last = MAX(last, bucket[k]);
  if (last < first) return first;
  while (!(chain[last - first] & 1)) last++;
  return last + 1;
}

static gboolean open_symbols(struct probe *probe, struct symbols *symbols) {
  if (!probe->file) return probe_skip(probe, "file.loads fails");
  struct link_map *map = NULL;
  *symbols = (struct symbols){.handle = dlopen(probe->options->path, RTLD_NOW | RTLD_NOLOAD)};
  if (!symbols->handle || dlinfo(symbols->handle, RTLD_DI_LINKMAP, &map))
    return probe_skip(probe, "its symbols cannot be listed: %s", dlerror());
  for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
    if (entry->d_tag == DT_STRTAB) symbols->names = (const char *)entry->d_un.d_ptr;
    if (entry->d_tag == DT_SYMTAB) symbols->table = (const ElfW(Sym) *)entry->d_un.d_ptr;
    if (entry->d_tag == DT_GNU_HASH)
      symbols->count = MAX(symbols->count, count_by_gnu_hash((const guint32 *)entry->d_un.d_ptr));
    if (entry->d_tag == DT_HASH) symbols->count = ((const guint32 *)entry->d_un.d_ptr)[1];
  }
  if (symbols->names && symbols->table && symbols->count) return TRUE;
  return probe_skip(probe, "it has no table of symbols");
}

/* Names that the compiler or the linker makes, not the plugin. */
static gboolean is_toolchains(const char *name) {
  static const char *const own[] = {"_init", "_fini", "_edata", "_end", "__bss_start"};
  for (guint k = 0; k < G_N_ELEMENTS(own); k++)
    if (!strcmp(name, own[k])) return TRUE;
  return g_str_has_prefix(name, "__asan_") || g_str_has_prefix(name, "__odr_asan") ||
         g_str_has_prefix(name, "__ubsan_") || g_str_has_prefix(name, "__tsan_");
}

static gboolean is_wanted(const ElfW(Sym) * symbol, gboolean defined) {
  const guint binding = ELF64_ST_BIND(symbol->st_info);
  if (!symbol->st_name || (symbol->st_shndx != SHN_UNDEF) != defined) return FALSE;
  return binding == STB_GLOBAL || (defined && binding != STB_LOCAL);
}

void check_file_exports(struct probe *probe) {
  struct symbols symbols;
  if (!open_symbols(probe, &symbols)) return;
  for (gsize k = 1; k < symbols.count; k++) {
    const char *name = symbols.names + symbols.table[k].st_name;
    if (is_wanted(&symbols.table[k], TRUE) && strcmp(name, "dovetail_plugin") && !is_toolchains(name))
      probe_fail(probe, "it exports '%s' too; compile with -fvisibility=hidden, and in C++ link with a version script",
                 name);
  }
}

/* dlsym of a handle looks in the file and the libraries that it is linked with, and nowhere else. */
void check_file_needs(struct probe *probe) {
  struct symbols symbols;
  if (!open_symbols(probe, &symbols)) return;
  for (gsize k = 1; k < symbols.count; k++) {
    const char *name = symbols.names + symbols.table[k].st_name;
    if (is_wanted(&symbols.table[k], FALSE) && !is_toolchains(name) && !dlsym(symbols.handle, name))
      probe_fail(probe, "it needs '%s', which it gets from the host by chance; link with the library that has it",
                 name);
  }
}

/* The list, as far as it can be walked. The caller frees it. */
static GPtrArray *list_descriptors(const struct probe *probe) {
  GPtrArray *list = g_ptr_array_new();
  const struct dvt_plugin *plugin = probe->file;
  for (; plugin && list->len < 1000; plugin = plugin->next) {
    g_autofree char *fault = plugin_part_fault(plugin, PLUGIN_HEAD);
    g_ptr_array_add(list, (void *)plugin);
    if (fault) break;
  }
  return list;
}

/* Judges a part of every descriptor whose parts before it are right. */
static void check_part(struct probe *probe, enum plugin_part part) {
  g_autoptr(GPtrArray) list = list_descriptors(probe);
  if (!list->len) probe_skip(probe, "file.loads fails");
  for (guint k = 0; k < list->len; k++) {
    g_autofree char *fault = NULL;
    enum plugin_part at = 0;
    for (; !fault && at <= part; at++) fault = plugin_part_fault(list->pdata[k], at);
    if (fault && at == part + 1)
      probe_fail(probe, "descriptor %u: %s", k + 1, fault);
    else if (fault)
      probe_skip(probe, "another check of the descriptor fails: %s", fault);
  }
}

void check_descriptor_head(struct probe *probe) { check_part(probe, PLUGIN_HEAD); }

void check_descriptor_name(struct probe *probe) { check_part(probe, PLUGIN_NAME); }

void check_descriptor_texts(struct probe *probe) { check_part(probe, PLUGIN_TEXTS); }

void check_descriptor_params(struct probe *probe) { check_part(probe, PLUGIN_PARAMS); }

void check_descriptor_ops(struct probe *probe) { check_part(probe, PLUGIN_OPS); }

static gboolean same_plugin(const struct dvt_plugin *a, const struct dvt_plugin *b) {
  return a->kind == b->kind && a->name && b->name && !strcmp(a->name, b->name);
}

void check_descriptor_list(struct probe *probe) {
  g_autoptr(GPtrArray) list = list_descriptors(probe);
  if (!list->len) probe_skip(probe, "file.loads fails");
  for (guint k = 0; k < list->len; k++)
    for (guint before = 0; before < k; before++) {
      const struct dvt_plugin *plugin = list->pdata[k], *other = list->pdata[before];
      if (plugin == other) {
        probe_fail(probe, "the list does not end: descriptor %u is followed by descriptor %u", k, before + 1);
        return;
      }
      if (same_plugin(plugin, other))
        probe_fail(probe, "descriptors %u and %u are both named '%s'", before + 1, k + 1, plugin->name);
    }
}

/* "MAJOR.MINOR.PATCH", perhaps with something after '-' or '+'. */
void check_descriptor_version(struct probe *probe) {
  g_autoptr(GPtrArray) list = list_descriptors(probe);
  if (!list->len) probe_skip(probe, "file.loads fails");
  for (guint k = 0; k < list->len; k++) {
    const struct dvt_plugin *plugin = list->pdata[k];
    g_autofree char *fault = plugin_part_fault(plugin, PLUGIN_HEAD);
    if (fault) continue;
    if (!g_regex_match_simple("^[0-9]+\\.[0-9]+\\.[0-9]+([-+].*)?$", plugin->version ? plugin->version : "", 0, 0))
      probe_fail(probe, "the version of descriptor %u is '%s'", k + 1, plugin->version ? plugin->version : "");
  }
}

/* Whether an address lies in memory that may be written: its segment's, or after relocation its page's. */
static gboolean is_writable(const void *address) {
  g_autofree char *maps = NULL;
  if (!g_file_get_contents("/proc/self/maps", &maps, NULL, NULL)) return FALSE;
  g_auto(GStrv) lines = g_strsplit(maps, "\n", -1);
  for (char **line = lines; *line; line++) {
    gulong begin, end;
    char mode[5];
    if (sscanf(*line, "%lx-%lx %4s", &begin, &end, mode) == 3 && (gulong)address >= begin && (gulong)address < end)
      return mode[1] == 'w';
  }
  return FALSE;
}

void check_descriptor_constant(struct probe *probe) {
  g_autoptr(GPtrArray) list = list_descriptors(probe);
  if (!list->len) probe_skip(probe, "file.loads fails");
  for (guint k = 0; k < list->len; k++)
    if (is_writable(list->pdata[k]))
      probe_warn(probe, "descriptor %u lies in memory that may be written; declare it const and link with -z relro",
                 k + 1);
}
