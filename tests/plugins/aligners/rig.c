/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pair.h"

static void keep_line(void *data, enum dvt_level level, const char *message) {
  (void)level;
  g_string_append_printf(data, "%s\n", message);
}

int rig_setup(void **state) {
  static const char *const names[RIG_NETWORKS] = {"a", "b", "c"};
  struct rig *rig = *state = g_new0(struct rig, 1);
  services_init(&rig->services, 1);
  rig->log = g_string_new(NULL);
  rig->services.log = keep_line;
  rig->services.log_data = rig->log;
  rig->host = (struct dvt_aligner_host){sizeof rig->host, .base = &rig->services.table, .context = rig};
  for (guint t = 0; t < RIG_NETWORKS; t++) {
    rig->networks[t] = (struct dvt_network){.struct_size = sizeof rig->networks[t],
                                            .index = t,
                                            .name = names[t],
                                            .batch = RIG_BATCH,
                                            .image = {3, 32, 32},
                                            .features = {2, 3, 3},
                                            .split = "layer2"};
    rig->views[t] = &rig->networks[t];
  }
  return 0;
}

static void forget(struct rig *rig) {
  if (rig->ops) rig->ops->destroy(rig->aligner);
  rig->aligner = NULL;
}

int rig_teardown(void **state) {
  struct rig *rig = *state;
  forget(rig);
  g_string_free(rig->log, TRUE);
  g_free(rig);
  return 0;
}

int rig_init(struct rig *rig, const char *plugin, const struct dvt_value *values, uint32_t count) {
  forget(rig);
  rig->ops = pair_plugin(DVT_KIND_ALIGNER, plugin)->ops;
  rig->fault = (struct dvt_error)DVT_ERROR_INIT;
  assert_int_equal(rig->ops->create(values, &rig->aligner, &rig->fault), DVT_OK);
  return rig->ops->init(rig->aligner, &rig->host, rig->views, count, &rig->fault);
}

void rig_refuses(struct rig *rig, const char *plugin, const struct dvt_value *values, uint32_t count,
                 const char *message) {
  assert_int_equal(rig_init(rig, plugin, values, count), DVT_ERROR_ARGUMENT);
  assert_string_equal(rig->fault.message, message);
}
