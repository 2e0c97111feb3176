/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <string.h>

#include "store/dtype.h"
#include "store/file.h"
#include "store/safetensors.h"

static void tensor_free(gpointer data) {
  struct safetensor *tensor = data;
  g_free((char *)tensor->name);
  g_free(tensor);
}

static struct safetensors *safetensors_new(const char *path) {
  struct safetensors *file = g_new0(struct safetensors, 1);
  file->path = g_strdup(path);
  file->metadata = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  file->tensors = g_ptr_array_new_with_free_func(tensor_free);
  return file;
}

void safetensors_free(struct safetensors *file) {
  if (!file) return;
  g_free(file->path);
  g_hash_table_unref(file->metadata);
  g_ptr_array_unref(file->tensors);
  if (file->map) g_mapped_file_unref(file->map);
  g_free(file);
}

const struct safetensor *safetensors_find(const struct safetensors *file, const char *name) {
  for (guint k = 0; k < file->tensors->len; k++) {
    const struct safetensor *tensor = g_ptr_array_index(file->tensors, k);
    if (!strcmp(tensor->name, name)) return tensor;
  }
  return NULL;
}

static gboolean read_header_size(const struct safetensors *file, gsize *size, GError **error) {
  const gsize length = g_mapped_file_get_length(file->map);
  guint64 stated;
  if (length < sizeof stated)
    return error_failed(error, "%s: has %" G_GSIZE_FORMAT " bytes; a safetensors file has at least 8", file->path,
                        length);
  memcpy(&stated, g_mapped_file_get_contents(file->map), sizeof stated);
  stated = GUINT64_FROM_LE(stated);
  if (stated > SAFETENSORS_MAX_HEADER)
    return error_failed(error,
                        "%s: states a header of %" G_GUINT64_FORMAT " bytes; at most %d are allowed: is this a "
                        "safetensors file?",
                        file->path, stated, SAFETENSORS_MAX_HEADER);
  if (stated > length - sizeof stated)
    return error_failed(error,
                        "%s: ends within its header: %" G_GUINT64_FORMAT " bytes stated, %" G_GSIZE_FORMAT " there",
                        file->path, stated, length - sizeof stated);
  *size = stated;
  return TRUE;
}

/* jansson names a duplicate key only while it is short: this finds it, as it is written, before text[end]. */
static char *key_before(const char *text, gsize end) {
  gsize begin = end - 1;
  gboolean opening;
  do {
    gsize escapes = 0;
    begin--;
    while (text[begin - escapes - 1] == '\\') escapes++;
    opening = text[begin] == '"' && escapes % 2 == 0;
  } while (!opening);
  return g_strndup(text + begin, end - begin);
}

static json_t *parse_header(const struct safetensors *file, gsize size, GError **error) {
  const char *text = g_mapped_file_get_contents(file->map) + sizeof(guint64);
  json_error_t problem;
  json_t *header = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
  if (json_is_object(header)) return header;
  if (header) {
    error_failed(error, "%s: its header is a JSON array; an object is wanted", file->path);
    json_decref(header);
  } else if (json_error_code(&problem) == json_error_duplicate_key) {
    g_autofree char *key = key_before(text, (gsize)problem.position);
    error_failed(error, "%s: its header has the key %s twice", file->path, key);
  } else {
    error_failed(error, "%s: its header is not valid JSON: byte %d: %s", file->path, problem.position, problem.text);
  }
  return NULL;
}

static gboolean read_metadata(struct safetensors *file, json_t *metadata, GError **error) {
  const char *key;
  json_t *value;
  if (!json_is_object(metadata)) return error_failed(error, "%s: __metadata__ is not an object of strings", file->path);
  json_object_foreach(metadata, key, value) {
    if (!json_is_string(value))
      return error_failed(error, "%s: __metadata__: the value of '%s' is not a string", file->path, key);
    g_hash_table_insert(file->metadata, g_strdup(key), g_strdup(json_string_value(value)));
  }
  return TRUE;
}

static gboolean tensor_failed(const struct safetensors *file, const struct safetensor *tensor, const char *message,
                              GError **error) {
  return error_failed(error, "%s: tensor '%s': %s", file->path, tensor->name, message);
}

/* An array of non-negative integers. */
static gboolean read_naturals(const json_t *array, gint64 *numbers) {
  for (size_t k = 0; k < json_array_size(array); k++) {
    const json_t *number = json_array_get(array, k);
    if (!json_is_integer(number) || json_integer_value(number) < 0) return FALSE;
    numbers[k] = json_integer_value(number);
  }
  return TRUE;
}

static gboolean read_shape(const struct safetensors *file, struct safetensor *tensor, const json_t *shape,
                           GError **error) {
  if (!json_is_array(shape)) return tensor_failed(file, tensor, "shape is not an array", error);
  if (json_array_size(shape) > SAFETENSORS_MAX_RANK)
    return error_failed(error, "%s: tensor '%s': has %zu dimensions; at most %d can be read", file->path, tensor->name,
                        json_array_size(shape), SAFETENSORS_MAX_RANK);
  if (!read_naturals(shape, tensor->shape))
    return tensor_failed(file, tensor, "shape holds something else than integers from 0 on", error);
  tensor->rank = (guint)json_array_size(shape);
  return TRUE;
}

static gboolean read_offsets(const struct safetensors *file, struct safetensor *tensor, const json_t *offsets,
                             gsize buffer_start, GError **error) {
  const gsize buffer_size = g_mapped_file_get_length(file->map) - buffer_start;
  gint64 range[2];
  if (!json_is_array(offsets) || json_array_size(offsets) != 2 || !read_naturals(offsets, range))
    return tensor_failed(file, tensor, "data_offsets are not two integers from 0 on", error);
  if (range[1] < range[0]) return tensor_failed(file, tensor, "data_offsets end before they begin", error);
  if ((guint64)range[1] > buffer_size)
    return error_failed(error,
                        "%s: tensor '%s': its data end at byte %" G_GINT64_FORMAT " of the buffer; the file has "
                        "%" G_GSIZE_FORMAT,
                        file->path, tensor->name, range[1], buffer_size);
  tensor->data = g_mapped_file_get_contents(file->map) + buffer_start + range[0];
  tensor->size = (gsize)(range[1] - range[0]);
  return TRUE;
}

static gboolean read_tensor(const struct safetensors *file, struct safetensor *tensor, const json_t *entry,
                            gsize buffer_start, GError **error) {
  if (!json_is_object(entry)) return tensor_failed(file, tensor, "its entry is not an object", error);
  const json_t *name = json_object_get(entry, "dtype");
  if (!json_is_string(name)) return tensor_failed(file, tensor, "dtype is not a string", error);
  const struct dtype *dtype = dtype_find(json_string_value(name));
  if (!dtype)
    return error_failed(error, "%s: tensor '%s': dtype '%s' is unknown", file->path, tensor->name,
                        json_string_value(name));
  tensor->dtype = dtype->name;
  if (!read_shape(file, tensor, json_object_get(entry, "shape"), error) ||
      !read_offsets(file, tensor, json_object_get(entry, "data_offsets"), buffer_start, error))
    return FALSE;
  gsize size;
  if (!dtype_size(dtype, tensor->shape, tensor->rank, &size))
    return tensor_failed(file, tensor, "its shape makes no whole number of bytes, or too many", error);
  if (size != tensor->size)
    return error_failed(error,
                        "%s: tensor '%s': its shape takes %" G_GSIZE_FORMAT " bytes, its data_offsets %" G_GSIZE_FORMAT,
                        file->path, tensor->name, size, tensor->size);
  return TRUE;
}

static gboolean read_entries(struct safetensors *file, json_t *header, gsize buffer_start, GError **error) {
  const char *key;
  json_t *entry;
  json_object_foreach(header, key, entry) {
    if (!strcmp(key, "__metadata__")) {
      if (!read_metadata(file, entry, error)) return FALSE;
      continue;
    }
    struct safetensor *tensor = g_new0(struct safetensor, 1);
    tensor->name = g_strdup(key);
    g_ptr_array_add(file->tensors, tensor);
    if (!read_tensor(file, tensor, entry, buffer_start, error)) return FALSE;
  }
  return TRUE;
}

/* By place; empty tensors come before what begins where they are. */
static gint compare_places(gconstpointer a, gconstpointer b) {
  const struct safetensor *left = *(struct safetensor *const *)a, *right = *(struct safetensor *const *)b;
  if (left->data != right->data) return (const char *)left->data < (const char *)right->data ? -1 : 1;
  if (left->size != right->size) return left->size < right->size ? -1 : 1;
  return strcmp(left->name, right->name);
}

/* Sorted, the tensors cover the buffer without a hole or an overlap. */
static gboolean check_places(const struct safetensors *file, gsize buffer_start, GError **error) {
  const char *buffer = g_mapped_file_get_contents(file->map) + buffer_start;
  const gsize buffer_size = g_mapped_file_get_length(file->map) - buffer_start;
  gsize expected = 0;
  for (guint k = 0; k < file->tensors->len; k++) {
    const struct safetensor *tensor = g_ptr_array_index(file->tensors, k);
    const gsize begin = (gsize)((const char *)tensor->data - buffer);
    if (begin != expected)
      return error_failed(error,
                          "%s: tensor '%s': its data begin at byte %" G_GSIZE_FORMAT " of the buffer, %s where "
                          "the tensor before it ends, %" G_GSIZE_FORMAT,
                          file->path, tensor->name, begin,
                          begin > expected ? "after a hole: not" : "in an overlap: not", expected);
    expected = begin + tensor->size;
  }
  if (expected != buffer_size)
    return error_failed(error, "%s: has %" G_GSIZE_FORMAT " bytes after the last tensor", file->path,
                        buffer_size - expected);
  return TRUE;
}

struct safetensors *safetensors_read(const char *path, GError **error) {
  AUTO(safetensors) file = safetensors_new(path);
  gsize header_size = 0;
  file->map = file_map(path, error);
  if (!file->map || !read_header_size(file, &header_size, error)) return NULL;
  json_auto_t *header = parse_header(file, header_size, error);
  const gsize buffer_start = sizeof(guint64) + header_size;
  if (!header || !read_entries(file, header, buffer_start, error)) return NULL;
  g_ptr_array_sort(file->tensors, compare_places);
  if (!check_places(file, buffer_start, error)) return NULL;
  return g_steal_pointer(&file);
}
