/* SPDX-License-Identifier: MIT */
#include "plugin/load.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

#include "plugin/check.h"

/* dlerror's message without the path that it begins with. */
static const char *dl_reason(const char *path) {
  const char *message = dlerror();
  if (!message) return "its symbol 'dovetail_plugin' is NULL";
  const gsize length = strlen(path);
  if (!strncmp(message, path, length) && g_str_has_prefix(message + length, ": ")) return message + length + 2;
  return message;
}

/* Whether the symbol is data, and enough of it to be read as a descriptor. */
static gboolean is_descriptor(const void *address) {
  Dl_info info;
  void *entry = NULL;
  if (!dladdr1(address, &info, &entry, RTLD_DL_SYMENT) || !entry) return FALSE;
  const ElfW(Sym) *symbol = entry;
  return ELF64_ST_TYPE(symbol->st_info) == STT_OBJECT && symbol->st_size >= PLUGIN_SIZE_1_0;
}

const char *plugin_file_fault(const char *path) {
  if (g_file_test(path, G_FILE_TEST_IS_REGULAR)) return NULL; /* opening a pipe would wait for ever */
  return g_file_test(path, G_FILE_TEST_EXISTS) ? "no regular file" : "a link to no file";
}

const struct dvt_plugin *plugin_open(const char *path, char **reason) {
  if ((*reason = g_strdup(plugin_file_fault(path)))) return NULL;
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    *reason = g_strdup_printf("cannot be loaded: %s", dl_reason(path));
    return NULL;
  }
  const struct dvt_plugin *descriptor = dlsym(library, "dovetail_plugin");
  if (!descriptor)
    *reason = g_strdup_printf("no Dovetail plugin: %s", dl_reason(path));
  else if (!is_descriptor(descriptor))
    *reason = g_strdup("no Dovetail plugin: its symbol 'dovetail_plugin' is no descriptor");
  else
    return descriptor;
  return NULL;
}

const struct dvt_plugin *plugin_load(const char *path, char **reason) {
  const struct dvt_plugin *descriptor = plugin_open(path, reason);
  return descriptor && plugin_check(descriptor, reason) ? descriptor : NULL;
}
