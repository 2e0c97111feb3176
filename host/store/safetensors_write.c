/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <string.h>

#include "store/dtype.h"
#include "store/file.h"
#include "store/safetensors.h"

/* What a reader would refuse is not written. */
static gboolean check_tensor(const char *path, const struct safetensor *tensor, GError **error) {
  const struct dtype *dtype = dtype_find(tensor->dtype);
  gsize size;
  if (!g_utf8_validate(tensor->name, -1, NULL) || !strcmp(tensor->name, "__metadata__"))
    return error_failed(error, "%s: no tensor can have the name '%s'", path, tensor->name);
  if (!dtype) return error_failed(error, "%s: tensor '%s': dtype '%s' is unknown", path, tensor->name, tensor->dtype);
  if (tensor->rank > SAFETENSORS_MAX_RANK)
    return error_failed(error, "%s: tensor '%s': has %u dimensions; at most %d can be written", path, tensor->name,
                        tensor->rank, SAFETENSORS_MAX_RANK);
  for (guint axis = 0; axis < tensor->rank; axis++)
    if (tensor->shape[axis] < 0)
      return error_failed(error, "%s: tensor '%s': a dimension is negative", path, tensor->name);
  if (!dtype_size(dtype, tensor->shape, tensor->rank, &size) || size != tensor->size)
    return error_failed(error, "%s: tensor '%s': its shape does not take its %" G_GSIZE_FORMAT " bytes", path,
                        tensor->name, tensor->size);
  return TRUE;
}

/* Descending alignment, so that all are aligned after a header of 8k bytes; then by name. */
static int compare_order(const void *a, const void *b) {
  const struct safetensor *left = *(const struct safetensor *const *)a, *right = *(const struct safetensor *const *)b;
  const guint left_bits = dtype_find(left->dtype)->bits, right_bits = dtype_find(right->dtype)->bits;
  if (left_bits != right_bits) return left_bits > right_bits ? -1 : 1;
  return strcmp(left->name, right->name);
}

static gboolean add_metadata(const char *path, json_t *header, GHashTable *metadata, GError **error) {
  json_t *object = json_object();
  json_object_set_new(header, "__metadata__", object);
  g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(metadata), (GCompareFunc)strcmp);
  for (const GList *key = keys; key; key = key->next)
    if (json_object_set_new(object, key->data, json_string(g_hash_table_lookup(metadata, key->data))))
      return error_failed(error, "%s: metadata '%s' is not UTF-8", path, (const char *)key->data);
  return TRUE;
}

static gboolean add_tensor(const char *path, json_t *header, const struct safetensor *tensor, gsize begin,
                           GError **error) {
  if (json_object_get(header, tensor->name))
    return error_failed(error, "%s: two tensors have the name '%s'", path, tensor->name);
  json_t *shape = json_array();
  for (guint axis = 0; axis < tensor->rank; axis++) json_array_append_new(shape, json_integer(tensor->shape[axis]));
  json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", tensor->dtype, "shape", shape, "data_offsets",
                            (json_int_t)begin, (json_int_t)(begin + tensor->size));
  return !json_object_set_new(header, tensor->name, entry) || error_failed(error, "%s: out of memory", path);
}

static int append_text(const char *text, size_t size, void *string) {
  g_string_append_len(string, text, (gssize)size);
  return 0;
}

/* The header's text, padded so that the data begin at a multiple of 8. */
static GString *make_header(const char *path, const struct safetensor *const *tensors, guint count,
                            GHashTable *metadata, GError **error) {
  json_auto_t *header = json_object();
  gsize end = 0;
  if (metadata && !add_metadata(path, header, metadata, error)) return NULL;
  for (guint k = 0; k < count; k++) {
    if (!add_tensor(path, header, tensors[k], end, error)) return NULL;
    end += tensors[k]->size;
  }
  g_autoptr(GString) text = g_string_new(NULL);
  json_dump_callback(header, append_text, text, JSON_COMPACT);
  while (text->len % 8) g_string_append_c(text, ' ');
  if (text->len <= SAFETENSORS_MAX_HEADER) return g_steal_pointer(&text);
  error_failed(error, "%s: its header would have %" G_GSIZE_FORMAT " bytes; at most %d are allowed", path, text->len,
               SAFETENSORS_MAX_HEADER);
  return NULL;
}

gboolean safetensors_write(const char *path, const struct safetensor *tensors, guint count, GHashTable *metadata,
                           GError **error) {
  g_autofree const struct safetensor **sorted = g_new(const struct safetensor *, count);
  g_autofree struct file_part *parts = g_new(struct file_part, count + 2);
  for (guint k = 0; k < count; k++) {
    if (!check_tensor(path, &tensors[k], error)) return FALSE;
    sorted[k] = &tensors[k];
  }
  if (count) qsort(sorted, count, sizeof *sorted, compare_order);
  g_autoptr(GString) header = make_header(path, sorted, count, metadata, error);
  if (!header) return FALSE;
  const guint64 size = GUINT64_TO_LE(header->len);
  parts[0] = (struct file_part){&size, sizeof size};
  parts[1] = (struct file_part){header->str, header->len};
  for (guint k = 0; k < count; k++) parts[k + 2] = (struct file_part){sorted[k]->data, sorted[k]->size};
  return file_replace(path, parts, count + 2, error);
}
