/* SPDX-License-Identifier: MIT */
#include "plugin/fault.h"

#include <string.h>

char *fault_text(const struct dvt_error *fault, int status) {
  const gsize length = strnlen(fault->message, sizeof fault->message);
  if (length) return g_utf8_make_valid(fault->message, (gssize)length);
  if (status == DVT_ERROR_MEMORY) return g_strdup("out of memory");
  return g_strdup_printf("it failed with status %d and did not say why", status);
}

struct mark fault_mark(const struct dvt_error *fault, const struct plugin_use *use) {
  if (!use) return (struct mark){0};
  const struct yaml_node *value = fault->param && use->params ? yaml_get(use->params, fault->param) : NULL;
  if (!value) return use->mark;
  const gboolean is_item = value->kind == YAML_LIST && fault->item < value->items->len;
  return is_item ? ((const struct yaml_node *)value->items->pdata[fault->item])->mark : value->mark;
}
