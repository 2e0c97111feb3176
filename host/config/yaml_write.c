/* SPDX-License-Identifier: MIT */
#include "config/yaml_write.h"

#include <string.h>
#include <yaml.h>

struct yaml_writer {
  yaml_emitter_t emitter;
  yaml_event_t event;
  GString *text;
};

static int append(void *data, unsigned char *buffer, size_t size) {
  g_string_append_len(data, (const char *)buffer, (gssize)size);
  return 1;
}

/* libyaml fails only for lack of memory, and then GLib would have ended the program. The emitter takes the event. */
static void emit(struct yaml_writer *writer) { yaml_emitter_emit(&writer->emitter, &writer->event); }

struct yaml_writer *yaml_writer_new(void) {
  struct yaml_writer *writer = g_new0(struct yaml_writer, 1);
  writer->text = g_string_new(NULL);
  yaml_emitter_initialize(&writer->emitter);
  yaml_emitter_set_output(&writer->emitter, append, writer->text);
  yaml_emitter_set_unicode(&writer->emitter, 1);
  yaml_emitter_set_width(&writer->emitter, -1);
  yaml_stream_start_event_initialize(&writer->event, YAML_UTF8_ENCODING);
  emit(writer);
  yaml_document_start_event_initialize(&writer->event, NULL, NULL, NULL, 1);
  emit(writer);
  return writer;
}

char *yaml_writer_finish(struct yaml_writer *writer) {
  yaml_document_end_event_initialize(&writer->event, 1);
  emit(writer);
  yaml_stream_end_event_initialize(&writer->event);
  emit(writer);
  yaml_emitter_delete(&writer->emitter);
  char *text = g_string_free(writer->text, FALSE);
  g_free(writer);
  return text;
}

void yaml_write_begin(struct yaml_writer *writer, enum yaml_kind kind) {
  if (kind == YAML_LIST)
    yaml_sequence_start_event_initialize(&writer->event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE);
  else
    yaml_mapping_start_event_initialize(&writer->event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE);
  emit(writer);
}

void yaml_write_end(struct yaml_writer *writer, enum yaml_kind kind) {
  if (kind == YAML_LIST)
    yaml_sequence_end_event_initialize(&writer->event);
  else
    yaml_mapping_end_event_initialize(&writer->event);
  emit(writer);
}

/* The emitter falls back to single quotes where a text cannot stand plain, and to double ones where it must. */
static void write_scalar(struct yaml_writer *writer, const char *text, gboolean quoted) {
  const yaml_scalar_style_t style = quoted ? YAML_SINGLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE;
  yaml_scalar_event_initialize(&writer->event, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), 1, 1, style);
  emit(writer);
}

/* Whether some reader might take the plain text for null, a boolean, a number or a date. */
static gboolean looks_typed(const char *text) {
  static const char *const words[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  for (guint k = 0; k < G_N_ELEMENTS(words); k++)
    if (g_ascii_strcasecmp(text, words[k]) == 0) return TRUE;
  return !*text || strchr("~.+-0123456789", *text);
}

void yaml_write_string(struct yaml_writer *writer, const char *text) { write_scalar(writer, text, looks_typed(text)); }

void yaml_write_integer(struct yaml_writer *writer, gint64 value) {
  g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, value);
  write_scalar(writer, text, FALSE);
}

void yaml_write_boolean(struct yaml_writer *writer, gboolean value) {
  write_scalar(writer, value ? "true" : "false", FALSE);
}

void yaml_write_number(struct yaml_writer *writer, double value) {
  char text[G_ASCII_DTOSTR_BUF_SIZE], format[] = "%.15g";
  for (char digit = '5'; digit <= '7'; digit++) {
    format[3] = digit;
    g_ascii_formatd(text, sizeof text, format, value);
    if (g_ascii_strtod(text, NULL) == value) break;
  }
  write_scalar(writer, text, FALSE);
}

void yaml_write_node(struct yaml_writer *writer, const struct yaml_node *node) {
  if (node->kind == YAML_SCALAR) {
    write_scalar(writer, node->text, node->quoted);
    return;
  }
  yaml_write_begin(writer, node->kind);
  for (guint k = 0; k < node->items->len; k++) {
    if (node->kind == YAML_MAP) yaml_write_node(writer, node->keys->pdata[k]);
    yaml_write_node(writer, node->items->pdata[k]);
  }
  yaml_write_end(writer, node->kind);
}

char *yaml_write(const struct yaml_node *node) {
  struct yaml_writer *writer = yaml_writer_new();
  yaml_write_node(writer, node);
  return yaml_writer_finish(writer);
}
