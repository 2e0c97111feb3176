/* SPDX-License-Identifier: MIT */
/** YAML text, piece by piece. A map takes keys (strings) and values in turn. Strings are UTF-8. */
#ifndef CONFIG_YAML_WRITE_H
#define CONFIG_YAML_WRITE_H

#include "config/yaml.h"

struct yaml_writer;

struct yaml_writer *yaml_writer_new(void);

/** Ends the text, frees the writer and returns the text, which the caller frees. All that was begun has ended. */
char *yaml_writer_finish(struct yaml_writer *writer);

/** Begins and ends a list or a map. */
void yaml_write_begin(struct yaml_writer *writer, enum yaml_kind kind);
void yaml_write_end(struct yaml_writer *writer, enum yaml_kind kind);

/** A string; quoted where it would read back as something else. */
void yaml_write_string(struct yaml_writer *writer, const char *text);

void yaml_write_integer(struct yaml_writer *writer, gint64 value);
void yaml_write_boolean(struct yaml_writer *writer, gboolean value);

/** A finite number, in the fewest digits that read back as the same. */
void yaml_write_number(struct yaml_writer *writer, double value);

/** A node, with all below it. */
void yaml_write_node(struct yaml_writer *writer, const struct yaml_node *node);

#endif
