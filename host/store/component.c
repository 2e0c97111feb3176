/* SPDX-License-Identifier: MIT */
#include "store/component.h"

#include <float.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/text.h"

/* Keys whose values are plain text, the seed's too; those of all others are JSON. */
static const struct {
  const char *key;
  gsize field;
} texts[] = {
    {"dovetail.version", offsetof(struct component_info, dovetail)},
    {"dovetail.kind", offsetof(struct component_info, kind)},
    {"dovetail.plugin", offsetof(struct component_info, plugin)},
    {"dovetail.plugin_version", offsetof(struct component_info, version)},
    {"dovetail.params", offsetof(struct component_info, params)},
    {"dovetail.network", offsetof(struct component_info, network)},
    {"dovetail.seed", offsetof(struct component_info, seed)},
    {"dovetail.split", offsetof(struct component_info, split)},
    {"dovetail.experiment_hash", offsetof(struct component_info, experiment_hash)},
};

static const char checksum_key[] = "dovetail.tensors_sha256";

static const char **text_field(const struct component_info *info, gsize k) {
  return (const char **)((char *)info + texts[k].field);
}

static gboolean is_json_object(const char *text) {
  json_auto_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
  return json_is_object(object);
}

struct writing {
  const char *path;
  GHashTable *metadata;
  GError **error;
};

/* Takes over the value; NULL is what JSON cannot hold. */
static gboolean put(const struct writing *writing, const char *key, json_t *value) {
  char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
  json_decref(value);
  if (!text)
    return error_failed(writing->error, "%s: metadata '%s': a number is not finite or a text is not UTF-8",
                        writing->path, key);
  g_hash_table_insert(writing->metadata, g_strdup(key), g_strdup(text));
  free(text);
  return TRUE;
}

/* Takes over the list, where an element that JSON cannot hold is missing; an empty one is not put. */
static gboolean put_list(const struct writing *writing, const char *key, json_t *list, guint count) {
  const gboolean complete = json_array_size(list) == count;
  if (complete && count) return put(writing, key, list);
  json_decref(list);
  return complete || put(writing, key, NULL);
}

static gboolean put_texts(const struct writing *writing, const struct component_info *info) {
  for (gsize k = 0; k < G_N_ELEMENTS(texts); k++)
    if (*text_field(info, k))
      g_hash_table_insert(writing->metadata, g_strdup(texts[k].key), g_strdup(*text_field(info, k)));
  return !info->params || is_json_object(info->params) ||
         error_failed(writing->error, "%s: metadata 'dovetail.params' is not a JSON object", writing->path);
}

static gboolean put_shape(const struct writing *writing, const char *key, const gint64 shape[3]) {
  return !shape[0] ||
         put(writing, key, json_pack("[I, I, I]", (json_int_t)shape[0], (json_int_t)shape[1], (json_int_t)shape[2]));
}

static gboolean put_strings(const struct writing *writing, const char *key, const char *const *strings, guint count) {
  json_t *list = json_array();
  for (guint k = 0; k < count; k++) json_array_append_new(list, json_string(strings[k]));
  return put_list(writing, key, list, count);
}

static gboolean put_numbers(const struct writing *writing, const char *key, const float *numbers, guint count) {
  json_t *list = json_array();
  for (guint k = 0; k < count; k++) json_array_append_new(list, json_real((double)numbers[k]));
  return put_list(writing, key, list, count);
}

static gboolean put_aligners(const struct writing *writing, const char *key, const struct component_aligner *aligners,
                             guint count) {
  json_t *list = json_array();
  for (guint k = 0; k < count; k++)
    json_array_append_new(list, json_pack("{s:s, s:f}", "plugin", aligners[k].plugin, "weight", aligners[k].weight));
  return put_list(writing, key, list, count);
}

static gboolean put_info(const struct writing *writing, const struct component_info *info) {
  return put_texts(writing, info) && put_shape(writing, "dovetail.input_shape", info->input) &&
         put_shape(writing, "dovetail.output_shape", info->output) &&
         put_strings(writing, "dovetail.classes", info->class_names, info->class_count) &&
         put_numbers(writing, "dovetail.mean", info->mean, info->channel_count) &&
         put_numbers(writing, "dovetail.deviation", info->deviation, info->channel_count) &&
         put_strings(writing, "dovetail.aligned_with", info->aligned_with, info->aligned_count) &&
         put_aligners(writing, "dovetail.aligned_by", info->aligned_by, info->aligner_count) &&
         (isnan(info->own_accuracy) || put(writing, "dovetail.own_accuracy", json_real(info->own_accuracy)));
}

static gint compare_names(gconstpointer a, gconstpointer b) {
  const struct safetensor *left = *(struct safetensor *const *)a, *right = *(struct safetensor *const *)b;
  return strcmp(left->name, right->name);
}

/* SHA-256 of the tensors' bytes, in the order of their names; sorts the list. */
static char *checksum(GPtrArray *tensors) {
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
  g_ptr_array_sort(tensors, compare_names);
  for (guint k = 0; k < tensors->len; k++) {
    const struct safetensor *tensor = tensors->pdata[k];
    g_checksum_update(sum, tensor->data, (gssize)tensor->size);
  }
  return g_strdup(g_checksum_get_string(sum));
}

static void put_checksum(GHashTable *metadata, const struct safetensor *tensors, guint count) {
  g_autoptr(GPtrArray) list = g_ptr_array_new();
  for (guint k = 0; k < count; k++) g_ptr_array_add(list, (gpointer)&tensors[k]);
  g_hash_table_insert(metadata, g_strdup(checksum_key), checksum(list));
}

gboolean component_check_tensors(const struct safetensors *file, GError **error) {
  const char *written = g_hash_table_lookup(file->metadata, checksum_key);
  if (!written) return TRUE;
  g_autoptr(GPtrArray) list = g_ptr_array_new();
  for (guint k = 0; k < file->tensors->len; k++) g_ptr_array_add(list, file->tensors->pdata[k]);
  g_autofree char *found = checksum(list);
  return g_str_equal(written, found) ||
         error_failed(error,
                      "%s: its tensors are not those that were written: their SHA-256 is not that of metadata '%s'; "
                      "remove that key if they were changed on purpose",
                      file->path, checksum_key);
}

gboolean component_write(const char *path, const struct component_info *info, const struct safetensor *tensors,
                         guint count, GError **error) {
  g_autoptr(GHashTable) metadata = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  put_checksum(metadata, tensors, count);
  return put_info(&(struct writing){path, metadata, error}, info) &&
         safetensors_write(path, tensors, count, metadata, error);
}

struct reading {
  const struct safetensors *file;
  struct component_info *info;
  GError **error;
};

static gboolean malformed(const struct reading *reading, const char *key, const char *wanted) {
  return error_failed(reading->error, "%s: metadata '%s' is not %s", reading->file->path, key, wanted);
}

static gpointer own(const struct reading *reading, gpointer memory) {
  g_ptr_array_add(reading->info->owned, memory);
  return memory;
}

static const char *own_string(const struct reading *reading, const json_t *string) {
  return own(reading, g_strdup(json_string_value(string)));
}

/* The parsed value of a key; NULL when the key is absent, JSON's null when it is not JSON. */
static json_t *get(const struct reading *reading, const char *key) {
  const char *text = g_hash_table_lookup(reading->file->metadata, key);
  if (!text) return NULL;
  json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
  return value ? value : json_null();
}

static gboolean get_texts(const struct reading *reading) {
  for (gsize k = 0; k < G_N_ELEMENTS(texts); k++) {
    const char *text = g_hash_table_lookup(reading->file->metadata, texts[k].key);
    if (text && !text_is_line(text)) return malformed(reading, texts[k].key, "one line of text");
    *text_field(reading->info, k) = own(reading, g_strdup(text));
  }
  const char *params = reading->info->params, *seed = reading->info->seed;
  if (seed && !g_ascii_string_to_unsigned(seed, 10, 0, G_MAXINT64, NULL, NULL))
    return malformed(reading, "dovetail.seed", "an integer of at least 0");
  return !params || is_json_object(params) || malformed(reading, "dovetail.params", "a JSON object");
}

static gboolean get_shape(const struct reading *reading, const char *key, gint64 shape[3]) {
  json_auto_t *list = get(reading, key);
  for (guint axis = 0; list && axis < 3; axis++) shape[axis] = json_integer_value(json_array_get(list, axis));
  return !list || (json_array_size(list) == 3 && shape[0] > 0 && shape[1] > 0 && shape[2] > 0) ||
         malformed(reading, key, "a list of three integers from 1 on");
}

static gboolean is_list_of(const json_t *list, gboolean (*fits)(const json_t *element)) {
  for (size_t k = 0; k < json_array_size(list); k++)
    if (!fits(json_array_get(list, k))) return FALSE;
  return json_is_array(list);
}

/* Texts end up in messages on terminals, and files may be anyone's. */
static gboolean is_line(const json_t *element) {
  return json_is_string(element) && text_is_line(json_string_value(element));
}

static gboolean is_float(const json_t *element) {
  return json_is_number(element) && fabs(json_number_value(element)) <= (double)FLT_MAX;
}

static gboolean is_aligner(const json_t *element) {
  return is_line(json_object_get(element, "plugin")) && json_is_number(json_object_get(element, "weight"));
}

static gboolean get_strings(const struct reading *reading, const char *key, const char *const **strings, guint *count) {
  json_auto_t *list = get(reading, key);
  if (!list) return TRUE;
  if (!is_list_of(list, is_line)) return malformed(reading, key, "a list of texts of one line each");
  *count = (guint)json_array_size(list);
  const char **copies = own(reading, g_new(const char *, *count));
  for (guint k = 0; k < *count; k++) copies[k] = own_string(reading, json_array_get(list, k));
  *strings = copies;
  return TRUE;
}

static gboolean get_numbers(const struct reading *reading, const char *key, const float **numbers, guint *count) {
  json_auto_t *list = get(reading, key);
  if (!list) return TRUE;
  if (!is_list_of(list, is_float)) return malformed(reading, key, "a list of numbers");
  *count = (guint)json_array_size(list);
  float *copies = own(reading, g_new(float, *count));
  for (guint k = 0; k < *count; k++) copies[k] = (float)json_number_value(json_array_get(list, k));
  *numbers = copies;
  return TRUE;
}

static gboolean get_channels(const struct reading *reading) {
  struct component_info *info = reading->info;
  guint deviations = 0;
  return get_numbers(reading, "dovetail.mean", &info->mean, &info->channel_count) &&
         get_numbers(reading, "dovetail.deviation", &info->deviation, &deviations) &&
         (deviations == info->channel_count ||
          malformed(reading, "dovetail.deviation", "as long as metadata 'dovetail.mean'"));
}

static gboolean get_aligners(const struct reading *reading, const char *key) {
  json_auto_t *list = get(reading, key);
  if (!list) return TRUE;
  if (!is_list_of(list, is_aligner))
    return malformed(reading, key, "a list of aligners with weights and names of one line");
  const guint count = (guint)json_array_size(list);
  struct component_aligner *aligners = own(reading, g_new(struct component_aligner, count));
  for (guint k = 0; k < count; k++) {
    const json_t *aligner = json_array_get(list, k);
    aligners[k].plugin = own_string(reading, json_object_get(aligner, "plugin"));
    aligners[k].weight = json_number_value(json_object_get(aligner, "weight"));
  }
  reading->info->aligned_by = aligners;
  reading->info->aligner_count = count;
  return TRUE;
}

static gboolean get_accuracy(const struct reading *reading, const char *key) {
  json_auto_t *number = get(reading, key);
  reading->info->own_accuracy = number ? json_number_value(number) : (double)NAN;
  return !number || (json_is_number(number) && json_number_value(number) >= 0 && json_number_value(number) <= 1) ||
         malformed(reading, key, "a number from 0 to 1");
}

gboolean component_read_info(const struct safetensors *file, struct component_info *info, GError **error) {
  const struct reading reading = {file, info, error};
  *info = (struct component_info){.owned = g_ptr_array_new_with_free_func(g_free)};
  const gboolean good =
      get_texts(&reading) && get_shape(&reading, "dovetail.input_shape", info->input) &&
      get_shape(&reading, "dovetail.output_shape", info->output) &&
      get_strings(&reading, "dovetail.classes", &info->class_names, &info->class_count) && get_channels(&reading) &&
      get_strings(&reading, "dovetail.aligned_with", &info->aligned_with, &info->aligned_count) &&
      get_aligners(&reading, "dovetail.aligned_by") && get_accuracy(&reading, "dovetail.own_accuracy");
  if (!good) component_info_clear(info);
  return good;
}

void component_info_clear(struct component_info *info) {
  if (info->owned) g_ptr_array_unref(info->owned);
  *info = (struct component_info){.own_accuracy = (double)NAN};
}

void component_info_free(struct component_info *info) {
  component_info_clear(info);
  g_free(info);
}
