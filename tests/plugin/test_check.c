/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <dovetail/dovetail.h>
#include <math.h>

#include "plugin/check.h"

/* An operations table of any kind in which every entry is set, to something that is never called. */
union table {
  struct dvt_module_ops module;
  struct dvt_aligner_ops aligner;
  struct dvt_dataset_ops dataset;
};

static void never_called(void) {}

static void fill_table(union table *table, gsize first, gsize size) {
  void (*const entry)(void) = never_called;
  memset(table, 0, sizeof *table);
  for (gsize at = first; at < size; at += sizeof entry) memcpy((char *)table + at, &entry, sizeof entry);
}

static struct dvt_plugin make_plugin(enum dvt_kind kind, union table *table) {
  switch (kind) {
  case DVT_KIND_BACKBONE:
  case DVT_KIND_HEAD:
    fill_table(table, offsetof(struct dvt_module_ops, create), sizeof table->module);
    table->module.struct_size = sizeof table->module;
    break;
  case DVT_KIND_ALIGNER:
    fill_table(table, offsetof(struct dvt_aligner_ops, create), sizeof table->aligner);
    table->aligner.struct_size = sizeof table->aligner;
    break;
  case DVT_KIND_DATASET:
    fill_table(table, offsetof(struct dvt_dataset_ops, create), sizeof table->dataset);
    table->dataset.struct_size = sizeof table->dataset;
    break;
  }
  return (struct dvt_plugin){DVT_PLUGIN_HEAD,    .kind = kind,          .name = "good-1",
                             .version = "1.0.0", .description = "Good", .author = "The Dovetail authors",
                             .licence = "MIT",   .ops = table};
}

static void expect_good(const struct dvt_plugin *plugin) {
  g_autofree char *reason = NULL;
  if (!plugin_check(plugin, &reason)) fail_msg("refused: %s", reason);
}

static void expect_reason(const struct dvt_plugin *plugin, const char *expected) {
  g_autofree char *reason = NULL;
  assert_false(plugin_check(plugin, &reason));
  assert_string_equal(reason, expected);
}

static void all_kinds_can_be_good(void **state) {
  (void)state;
  for (enum dvt_kind kind = DVT_KIND_BACKBONE; kind <= DVT_KIND_DATASET; kind++) {
    union table table;
    const struct dvt_plugin plugin = make_plugin(kind, &table);
    expect_good(&plugin);
  }
}

/* Each row breaks one field of a good head. */
static void fields_are_checked(void **state) {
  (void)state;
#define FAULT(field, value, expected)                                                                                  \
  {                                                                                                                    \
    union table table;                                                                                                 \
    struct dvt_plugin plugin = make_plugin(DVT_KIND_HEAD, &table);                                                     \
    plugin.field = value;                                                                                              \
    expect_reason(&plugin, expected);                                                                                  \
  }
  FAULT(magic, 1, "no Dovetail plugin: its magic number is 0x00000001, not 0x4c545644")
  FAULT(abi_major, 2, "built for plugin ABI 2, this host speaks 1")
  FAULT(struct_size, 8, "struct_size is 8; in plugin ABI 1.0 it is 96")
  FAULT(struct_size, 1 << 20, "struct_size is 1048576; in plugin ABI 1.0 it is 96")
  FAULT(param_size, 0, "param_size is 0; in plugin ABI 1.0 it is 64")
  FAULT(param_size, 65, "param_size is 65; in plugin ABI 1.0 it is 64")
  FAULT(host_minor, 7, "needs plugin ABI 1.7, this host speaks 1.1")
  FAULT(kind, 0, "kind 0 is unknown; known are 1 to 4")
  FAULT(kind, 5, "kind 5 is unknown; known are 1 to 4")
  FAULT(name, NULL, "it has no name")
  FAULT(name, "", "its name '' is not made of lower-case letters, digits and single '-' between them")
  FAULT(name, "Good", "its name 'Good' is not made of lower-case letters, digits and single '-' between them")
  FAULT(name, "a--b", "its name 'a--b' is not made of lower-case letters, digits and single '-' between them")
  FAULT(name, "a-", "its name 'a-' is not made of lower-case letters, digits and single '-' between them")
  FAULT(version, NULL, "it has no version")
  FAULT(description, NULL, "it has no description")
  FAULT(description, "two\nlines", "its description is not one line of UTF-8")
  FAULT(description, "\033[31mred", "its description is not one line of UTF-8")
  FAULT(author, NULL, "it has no author")
  FAULT(author, "\xff", "its author is not one line of UTF-8")
  FAULT(licence, NULL, "it has no licence")
  FAULT(licence, "", "it has no licence")
  FAULT(param_count, 1, "it declares 1 parameters, but their table is NULL")
  FAULT(ops, NULL, "its operations table is NULL")
#undef FAULT
}

/* A later minor of the ABI only makes things larger. */
static void later_minors_are_good(void **state) {
  (void)state;
  struct {
    union table table;
    char more[64];
  } ops;
  struct dvt_plugin plugin = make_plugin(DVT_KIND_HEAD, &ops.table);
  ops.table.module.struct_size += 16;
  plugin.abi_minor += 3;
  plugin.struct_size += 24;
  plugin.param_size += 8;
  expect_good(&plugin);
}

/* Every entry but these must be there. */
static const char *const optional[] = {
    "commit", "initialise", "feature_loss", "joint_loss", NULL,
};

static void entries_are_checked(void **state) {
  (void)state;
#define ENTRY(kind, type, entry)                                                                                       \
  { kind, #entry, offsetof(struct dvt_##type##_ops, entry) }
  static const struct {
    enum dvt_kind kind;
    const char *name;
    gsize offset;
  } entries[] = {
      ENTRY(DVT_KIND_BACKBONE, module, create),      ENTRY(DVT_KIND_BACKBONE, module, destroy),
      ENTRY(DVT_KIND_BACKBONE, module, init),        ENTRY(DVT_KIND_BACKBONE, module, split),
      ENTRY(DVT_KIND_BACKBONE, module, weight),      ENTRY(DVT_KIND_BACKBONE, module, output_shape),
      ENTRY(DVT_KIND_BACKBONE, module, bind),        ENTRY(DVT_KIND_BACKBONE, module, changed),
      ENTRY(DVT_KIND_BACKBONE, module, pass_create), ENTRY(DVT_KIND_BACKBONE, module, pass_destroy),
      ENTRY(DVT_KIND_BACKBONE, module, forward),     ENTRY(DVT_KIND_BACKBONE, module, backward),
      ENTRY(DVT_KIND_BACKBONE, module, commit),      ENTRY(DVT_KIND_HEAD, module, forward),
      ENTRY(DVT_KIND_HEAD, module, commit),          ENTRY(DVT_KIND_ALIGNER, aligner, create),
      ENTRY(DVT_KIND_ALIGNER, aligner, destroy),     ENTRY(DVT_KIND_ALIGNER, aligner, init),
      ENTRY(DVT_KIND_ALIGNER, aligner, initialise),  ENTRY(DVT_KIND_ALIGNER, aligner, feature_loss),
      ENTRY(DVT_KIND_ALIGNER, aligner, joint_loss),  ENTRY(DVT_KIND_DATASET, dataset, create),
      ENTRY(DVT_KIND_DATASET, dataset, destroy),     ENTRY(DVT_KIND_DATASET, dataset, init),
      ENTRY(DVT_KIND_DATASET, dataset, info),        ENTRY(DVT_KIND_DATASET, dataset, read),
  };
#undef ENTRY
  for (gsize k = 0; k < G_N_ELEMENTS(entries); k++) {
    union table table;
    const struct dvt_plugin plugin = make_plugin(entries[k].kind, &table);
    memset((char *)&table + entries[k].offset, 0, sizeof(void (*)(void)));
    g_autofree char *expected = g_strdup_printf("the entry '%s' of its operations table is NULL", entries[k].name);
    if (g_strv_contains(optional, entries[k].name))
      expect_good(&plugin);
    else
      expect_reason(&plugin, expected);
  }
}

static void a_head_needs_no_splits(void **state) {
  (void)state;
  union table table;
  const struct dvt_plugin plugin = make_plugin(DVT_KIND_HEAD, &table);
  table.module.split = NULL;
  expect_good(&plugin);
}

static void the_hooks_of_a_view_come_together(void **state) {
  (void)state;
  union table table;
  const struct dvt_plugin plugin = make_plugin(DVT_KIND_ALIGNER, &table);
  table.aligner.view_loss = NULL;
  expect_reason(&plugin, "its operations table has 'make_view' without 'view_loss'");
  table.aligner.make_view = NULL;
  expect_good(&plugin);
  const struct dvt_plugin other = make_plugin(DVT_KIND_ALIGNER, &table);
  table.aligner.make_view = NULL;
  expect_reason(&other, "its operations table has 'view_loss' without 'make_view'");
}

static void a_short_operations_table_is_refused(void **state) {
  (void)state;
  union table table;
  const struct dvt_plugin plugin = make_plugin(DVT_KIND_DATASET, &table);
  table.dataset.struct_size = 24;
  expect_reason(&plugin, "struct_size of its operations table is 24; in plugin ABI 1.0 it is 48");
}

static const struct dvt_param good_params[] = {
    {.name = "turns", .type = DVT_TYPE_INT, .initial = "3", .least = 1, .greatest = 4, .doc = "How many."},
    {.name = "shortcut",
     .type = DVT_TYPE_STRING,
     .initial = "identity",
     .choices = (const char *const[]){"projection", "identity", NULL},
     .doc = "What goes round a block."},
    {.name = "path", .type = DVT_TYPE_PATH, .doc = "Where the files are."},
};

static void good_parameters_pass(void **state) {
  (void)state;
  union table table;
  struct dvt_plugin plugin = make_plugin(DVT_KIND_DATASET, &table);
  plugin.params = good_params;
  plugin.param_count = G_N_ELEMENTS(good_params);
  expect_good(&plugin);
  assert_ptr_equal(plugin_param(&plugin, 2), &good_params[2]);
}

/* Each row breaks one field of the last of two parameters. */
static void parameters_are_checked(void **state) {
  (void)state;
#define FAULT(field, value, expected)                                                                                  \
  {                                                                                                                    \
    union table table;                                                                                                 \
    struct dvt_param params[] = {good_params[2], good_params[0]};                                                      \
    struct dvt_plugin plugin = make_plugin(DVT_KIND_DATASET, &table);                                                  \
    plugin.params = params;                                                                                            \
    plugin.param_count = G_N_ELEMENTS(params);                                                                         \
    params[1].field = value;                                                                                           \
    expect_reason(&plugin, expected);                                                                                  \
  }
  FAULT(name, NULL, "parameter 2 has no name")
  FAULT(name, "a-b", "the name of parameter 2 is not made of lower-case letters, digits and single '_'")
  FAULT(name, "path", "parameter 'path' is declared twice")
  FAULT(type, 0, "parameter 'turns' has the unknown type 0")
  FAULT(type, 7, "parameter 'turns' has the unknown type 7")
  FAULT(least, 5, "parameter 'turns' has the empty range 5 to 4")
  FAULT(least, (double)NAN, "parameter 'turns' has the empty range nan to 4")
  FAULT(doc, NULL, "parameter 'turns' lacks its line of documentation")
  FAULT(unit, "\n", "the unit of parameter 'turns' is not one line of UTF-8")
#undef FAULT
}

static void defaults_are_checked(void **state) {
  (void)state;
  static const char *const wrong[] = {"many", "9", "2.5", "[1", "\xff"};
  for (gsize k = 0; k < G_N_ELEMENTS(wrong); k++) {
    union table table;
    struct dvt_param param = good_params[0];
    struct dvt_plugin plugin = make_plugin(DVT_KIND_DATASET, &table);
    plugin.params = &param;
    plugin.param_count = 1;
    param.initial = wrong[k];
    g_autofree char *reason = NULL;
    assert_false(plugin_check(&plugin, &reason));
    assert_non_null(strstr(reason, "turns"));
    assert_non_null(strstr(reason, "default"));
  }
}

static void rows_of_a_later_minor_are_found(void **state) {
  (void)state;
  struct {
    struct dvt_param param;
    void *added[2];
  } rows[2] = {{good_params[0], {NULL, NULL}}, {good_params[1], {NULL, NULL}}};
  union table table;
  struct dvt_plugin plugin = make_plugin(DVT_KIND_DATASET, &table);
  plugin.params = &rows[0].param;
  plugin.param_count = 2;
  plugin.param_size = sizeof rows[0];
  expect_good(&plugin);
  assert_ptr_equal(plugin_param(&plugin, 1), &rows[1].param);
}

static void every_plugin_of_a_list_is_checked(void **state) {
  (void)state;
  union table tables[2];
  struct dvt_plugin second = make_plugin(DVT_KIND_HEAD, &tables[0]), first = make_plugin(DVT_KIND_HEAD, &tables[1]);
  first.next = &second;
  expect_good(&first);
  second.name = NULL;
  expect_reason(&first, "plugin 2 of its list: it has no name");
}

static void a_list_in_a_circle_is_refused(void **state) {
  (void)state;
  union table tables[2];
  struct dvt_plugin second = make_plugin(DVT_KIND_HEAD, &tables[0]), first = make_plugin(DVT_KIND_HEAD, &tables[1]);
  first.next = &second;
  second.next = &first;
  expect_reason(&first, "plugin 257 of its list: the list does not end");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_kinds_can_be_good),
      cmocka_unit_test(fields_are_checked),
      cmocka_unit_test(later_minors_are_good),
      cmocka_unit_test(entries_are_checked),
      cmocka_unit_test(a_head_needs_no_splits),
      cmocka_unit_test(the_hooks_of_a_view_come_together),
      cmocka_unit_test(a_short_operations_table_is_refused),
      cmocka_unit_test(good_parameters_pass),
      cmocka_unit_test(parameters_are_checked),
      cmocka_unit_test(defaults_are_checked),
      cmocka_unit_test(rows_of_a_later_minor_are_found),
      cmocka_unit_test(every_plugin_of_a_list_is_checked),
      cmocka_unit_test(a_list_in_a_circle_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
