/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <yaml.h>

#include "base/nearest.h"
#include "config/yaml_tree.h"

struct composer {
  struct yaml_tree *tree;
  struct yaml_source source;
  GHashTable *anchors; /* name -> node, or NULL as long as the node is being composed */
  yaml_parser_t parser;
  yaml_event_t event; /* the one being looked at */
};

static struct mark mark_at(const struct composer *composer, gsize line, gsize column) {
  const guint before = line == 0 ? composer->source.column : 0;
  return (struct mark){composer->source.file, (guint)line + 1, (guint)column + before + 1};
}

static struct mark event_mark(const struct composer *composer) {
  return mark_at(composer, composer->event.start_mark.line, composer->event.start_mark.column);
}

/* All before the offset is UTF-8. */
static struct mark offset_mark(const struct composer *composer, gsize offset) {
  const char *text = composer->source.text;
  gsize line = 0, begin = 0;
  for (gsize k = 0; k < offset; k++)
    if (text[k] == '\n') line++, begin = k + 1;
  return mark_at(composer, line, (gsize)g_utf8_strlen(text + begin, (gssize)(offset - begin)));
}

static gboolean check_encoding(const struct composer *composer, GError **error) {
  const char *text = composer->source.text, *end;
  if (g_utf8_validate_len(text, composer->source.length, &end)) return TRUE;
  return error_at(error, offset_mark(composer, (gsize)(end - text)),
                  "the byte 0x%02x is not UTF-8 text here; save the file as UTF-8", (guchar)*end);
}

/* libyaml ends the last line for itself, and so may point below the text. */
static struct mark clamped_mark(const struct composer *composer, yaml_mark_t place) {
  const struct mark end = offset_mark(composer, composer->source.length);
  const struct mark mark = mark_at(composer, place.line, place.column);
  return mark.line > end.line ? end : mark;
}

static gboolean fail_syntax(const struct composer *composer, GError **error) {
  const yaml_parser_t *parser = &composer->parser;
  if (parser->error == YAML_READER_ERROR)
    return error_at(error, offset_mark(composer, parser->problem_offset), "%s; remove this character", parser->problem);
  const struct mark mark = clamped_mark(composer, parser->problem_mark);
  if (!parser->context) return error_at(error, mark, "%s", parser->problem ? parser->problem : "out of memory");
  return error_at(error, mark, "%s, %s from line %u on", parser->problem, parser->context,
                  clamped_mark(composer, parser->context_mark).line);
}

static gboolean next(struct composer *composer, GError **error) {
  yaml_event_delete(&composer->event);
  return yaml_parser_parse(&composer->parser, &composer->event) || fail_syntax(composer, error);
}

/* Counts a node, and all that it holds, once more. */
static gboolean admit(struct yaml_tree *tree, const struct yaml_node *node, guint depth, struct mark mark,
                      GError **error) {
  if (depth > YAML_MAX_DEPTH)
    return error_at(error, mark, "nested deeper than %d levels; write fewer levels", YAML_MAX_DEPTH);
  tree->count += 1 + (node->keys ? node->keys->len : 0);
  if (tree->count > YAML_MAX_NODES)
    return error_at(error, mark, "more than %d nodes, with those that aliases repeat; write fewer", YAML_MAX_NODES);
  for (guint k = 0; node->items && k < node->items->len; k++)
    if (!admit(tree, node->items->pdata[k], depth + 1, mark, error)) return FALSE;
  return TRUE;
}

static struct yaml_node *compose(struct composer *composer, guint depth, GError **error);

static struct yaml_node *compose_alias(struct composer *composer, guint depth, GError **error) {
  const char *name = (const char *)composer->event.data.alias.anchor;
  const struct mark mark = event_mark(composer);
  gpointer node = NULL;
  if (g_hash_table_lookup_extended(composer->anchors, name, NULL, &node)) {
    if (node) return admit(composer->tree, node, depth, mark, error) ? node : NULL;
    error_at(error, mark, "'*%s' stands inside '&%s' itself; an alias repeats what is complete", name, name);
    return NULL;
  }
  guint count;
  g_autofree const char **known = (const char **)g_hash_table_get_keys_as_array(composer->anchors, &count);
  g_autofree char *hint = nearest_hint(name, known, count);
  error_at(error, mark, "no anchor '&%s' comes before this alias%s", name, hint);
  return NULL;
}

static gboolean check_tag(const struct composer *composer, const yaml_char_t *tag, enum yaml_kind kind,
                          GError **error) {
  static const struct {
    const char *tag;
    enum yaml_kind kind;
  } standard[] = {{"!", YAML_SCALAR},           {YAML_STR_TAG, YAML_SCALAR},
                  {YAML_INT_TAG, YAML_SCALAR},  {YAML_FLOAT_TAG, YAML_SCALAR},
                  {YAML_BOOL_TAG, YAML_SCALAR}, {YAML_NULL_TAG, YAML_SCALAR},
                  {YAML_SEQ_TAG, YAML_LIST},    {YAML_MAP_TAG, YAML_MAP}};
  if (!tag) return TRUE;
  for (guint k = 0; k < G_N_ELEMENTS(standard); k++)
    if (standard[k].kind == kind && strcmp(standard[k].tag, (const char *)tag) == 0) return TRUE;
  g_autofree char *shown = yaml_shown((const char *)tag);
  return error_at(error, event_mark(composer), "the tag %s does not belong here; leave it out", shown);
}

/* A tag has the last word on whether a scalar is a text whatever it looks like. */
static gboolean is_text(const yaml_event_t *event) {
  const char *tag = (const char *)event->data.scalar.tag;
  if (!tag) return event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  return strcmp(tag, "!") == 0 || strcmp(tag, YAML_STR_TAG) == 0;
}

static struct yaml_node *begin_node(struct composer *composer, enum yaml_kind kind, guint depth, GError **error) {
  struct yaml_node *node = yaml_node_new(composer->tree, kind, event_mark(composer));
  return admit(composer->tree, node, depth, node->mark, error) ? node : NULL;
}

static struct yaml_node *compose_scalar(struct composer *composer, guint depth, GError **error) {
  struct yaml_node *node = begin_node(composer, YAML_SCALAR, depth, error);
  if (!node) return NULL;
  const char *text = (const char *)composer->event.data.scalar.value;
  const gsize length = composer->event.data.scalar.length;
  node->text = g_strndup(text, length);
  node->quoted = is_text(&composer->event);
  if (strlen(node->text) != length) {
    error_at(error, node->mark, "the text holds a NUL character; remove '\\0'");
    return NULL;
  }
  return check_tag(composer, composer->event.data.scalar.tag, YAML_SCALAR, error) ? node : NULL;
}

static struct yaml_node *compose_list(struct composer *composer, guint depth, GError **error) {
  struct yaml_node *list = begin_node(composer, YAML_LIST, depth, error);
  if (!list || !check_tag(composer, composer->event.data.sequence_start.tag, YAML_LIST, error)) return NULL;
  for (;;) {
    if (!next(composer, error)) return NULL;
    if (composer->event.type == YAML_SEQUENCE_END_EVENT) return list;
    struct yaml_node *item = compose(composer, depth + 1, error);
    if (!item) return NULL;
    g_ptr_array_add(list->items, item);
  }
}

/* A map under construction. */
struct pairs {
  struct yaml_node *map;
  GHashTable *seen;              /* key text -> key node */
  const struct yaml_node *merge; /* the value of '<<' */
  struct mark merge_mark;
};

static struct yaml_node *compose_key(struct composer *composer, struct pairs *pairs, guint depth, GError **error) {
  const struct mark mark = event_mark(composer);
  struct yaml_node *key = compose(composer, depth, error);
  if (!key) return NULL;
  if (key->kind != YAML_SCALAR || !*key->text) {
    error_at(error, mark, "a key is %s; write a name before ':'", key->kind == YAML_SCALAR ? "missing" : "no scalar");
    return NULL;
  }
  const struct yaml_node *first = g_hash_table_lookup(pairs->seen, key->text);
  if (first) {
    g_autofree char *shown = yaml_shown(key->text);
    error_at(error, mark, "duplicate key %s; it is already at %u:%u", shown, first->mark.line, first->mark.column);
    return NULL;
  }
  g_hash_table_insert(pairs->seen, key->text, key);
  return key;
}

static gboolean compose_pair(struct composer *composer, struct pairs *pairs, guint depth, GError **error) {
  const struct mark mark = event_mark(composer);
  struct yaml_node *key = compose_key(composer, pairs, depth, error);
  if (!key || !next(composer, error)) return FALSE;
  struct yaml_node *value = compose(composer, depth, error);
  if (!value) return FALSE;
  if (!key->quoted && strcmp(key->text, "<<") == 0) {
    pairs->merge = value;
    pairs->merge_mark = mark;
    return TRUE;
  }
  g_ptr_array_add(pairs->map->keys, key);
  g_ptr_array_add(pairs->map->items, value);
  return TRUE;
}

static gboolean merge_map(struct pairs *pairs, const struct yaml_node *from, GError **error) {
  if (from->kind != YAML_MAP)
    return error_at(error, pairs->merge_mark, "'<<' merges something that is no map; give it a map or a list of maps");
  for (guint k = 0; k < from->keys->len; k++) {
    struct yaml_node *key = from->keys->pdata[k];
    if (!g_hash_table_insert(pairs->seen, key->text, key)) continue;
    g_ptr_array_add(pairs->map->keys, key);
    g_ptr_array_add(pairs->map->items, from->items->pdata[k]);
  }
  return TRUE;
}

static gboolean merge_all(struct pairs *pairs, GError **error) {
  const struct yaml_node *from = pairs->merge;
  if (!from) return TRUE;
  if (from->kind != YAML_LIST) return merge_map(pairs, from, error);
  for (guint k = 0; k < from->items->len; k++)
    if (!merge_map(pairs, from->items->pdata[k], error)) return FALSE;
  return TRUE;
}

static struct yaml_node *compose_map(struct composer *composer, guint depth, GError **error) {
  struct yaml_node *map = begin_node(composer, YAML_MAP, depth, error);
  if (!map || !check_tag(composer, composer->event.data.mapping_start.tag, YAML_MAP, error)) return NULL;
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  struct pairs pairs = {.map = map, .seen = seen};
  for (;;) {
    if (!next(composer, error)) return NULL;
    if (composer->event.type == YAML_MAPPING_END_EVENT) return merge_all(&pairs, error) ? map : NULL;
    if (!compose_pair(composer, &pairs, depth + 1, error)) return NULL;
  }
}

static const char *event_anchor(const yaml_event_t *event) {
  if (event->type == YAML_SCALAR_EVENT) return (const char *)event->data.scalar.anchor;
  if (event->type == YAML_SEQUENCE_START_EVENT) return (const char *)event->data.sequence_start.anchor;
  return (const char *)event->data.mapping_start.anchor;
}

static struct yaml_node *compose_content(struct composer *composer, guint depth, GError **error) {
  if (composer->event.type == YAML_SCALAR_EVENT) return compose_scalar(composer, depth, error);
  if (composer->event.type == YAML_SEQUENCE_START_EVENT) return compose_list(composer, depth, error);
  return compose_map(composer, depth, error);
}

/* From a node's first event to its last. */
static struct yaml_node *compose(struct composer *composer, guint depth, GError **error) {
  if (composer->event.type == YAML_ALIAS_EVENT) return compose_alias(composer, depth, error);
  g_autofree char *anchor = g_strdup(event_anchor(&composer->event));
  if (anchor) g_hash_table_replace(composer->anchors, g_strdup(anchor), NULL);
  struct yaml_node *node = compose_content(composer, depth, error);
  if (anchor && node) g_hash_table_replace(composer->anchors, g_steal_pointer(&anchor), node);
  return node;
}

static struct yaml_node *compose_document(struct composer *composer, GError **error) {
  if (!check_encoding(composer, error) || !next(composer, error) || !next(composer, error)) return NULL;
  if (composer->event.type == YAML_STREAM_END_EVENT) {
    error_at(error, mark_at(composer, 0, 0), "there is nothing here; write a YAML value");
    return NULL;
  }
  if (!next(composer, error)) return NULL;
  struct yaml_node *root = compose(composer, composer->source.depth + 1, error);
  if (!root || !next(composer, error) || !next(composer, error)) return NULL;
  if (composer->event.type == YAML_STREAM_END_EVENT) return root;
  error_at(error, event_mark(composer), "a second document begins here; keep to one");
  return NULL;
}

struct yaml_node *yaml_compose(struct yaml_tree *tree, const struct yaml_source *source, GError **error) {
  struct composer composer = {.tree = tree, .source = *source};
  composer.source.file = g_strdup(source->file);
  g_ptr_array_add(tree->files, (gpointer)composer.source.file);
  if (!yaml_parser_initialize(&composer.parser)) {
    error_failed(error, "out of memory");
    return NULL;
  }
  yaml_parser_set_encoding(&composer.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&composer.parser, (const unsigned char *)source->text, source->length);
  composer.anchors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  struct yaml_node *root = compose_document(&composer, error);
  g_hash_table_unref(composer.anchors);
  yaml_event_delete(&composer.event);
  yaml_parser_delete(&composer.parser);
  return root;
}
