/* SPDX-License-Identifier: MIT */
#include "plugin/found.h"

static json_t *describe(const struct dvt_plugin *plugin) {
  g_autofree char *abi = g_strdup_printf("%u.%u", plugin->abi_major, plugin->abi_minor);
  return json_pack("{si ss ss ss ss ss ss}", "kind", (int)plugin->kind, "name", plugin->name, "version",
                   plugin->version, "description", plugin->description, "author", plugin->author, "licence",
                   plugin->licence, "abi", abi);
}

json_t *found_plugins(const struct dvt_plugin *descriptor) {
  json_t *list = json_array();
  for (; descriptor; descriptor = descriptor->next) json_array_append_new(list, describe(descriptor));
  return json_pack("{so}", "plugins", list);
}

json_t *found_refused(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *reason = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_autofree char *valid = g_utf8_make_valid(reason, -1);
  return json_pack("{ss}", "refused", valid);
}

gboolean found_read(const json_t *entry, struct found_plugin *plugin) {
  return !json_unpack((json_t *)entry, "{si ss ss ss ss ss ss}", "kind", &plugin->kind, "name", &plugin->name,
                      "version", &plugin->version, "description", &plugin->description, "author", &plugin->author,
                      "licence", &plugin->licence, "abi", &plugin->abi) &&
         plugin->kind >= DVT_KIND_BACKBONE && plugin->kind <= DVT_KIND_DATASET;
}

gboolean found_is_good(const json_t *found) {
  const json_t *list = json_object_get(found, "plugins");
  if (!list) return json_is_string(json_object_get(found, "refused"));
  struct found_plugin plugin;
  for (size_t k = 0; k < json_array_size(list); k++)
    if (!found_read(json_array_get(list, k), &plugin)) return FALSE;
  return json_array_size(list) > 0;
}
