/* SPDX-License-Identifier: MIT */
/* Instances of any kind: made, used and destroyed in every legal order. */
#include "conform/checks.h"
#include "conform/kinds.h"
#include "plugin/fault.h"

void check_life_destroy_null(struct probe *probe) { lifecycle_of(probe->plugin).destroy(NULL); }

static void *create(struct probe *probe, const struct values *values) {
  struct dvt_error fault = DVT_ERROR_INIT;
  void *instance = NULL;
  const int status = lifecycle_of(probe->plugin).create(values->value, &instance, &fault);
  if (status == DVT_OK) return instance;
  g_autofree char *text = fault_text(&fault, status);
  probe_skip(probe, "create refuses its defaults: %s", text);
  return NULL;
}

/* Without init; two that live at once, and go in both orders. */
void check_life_created(struct probe *probe) {
  const struct lifecycle life = lifecycle_of(probe->plugin);
  AUTO(values) values = probe_values(probe);
  for (guint order = 0; values && order < 2; order++) {
    void *first = create(probe, values), *second = first ? create(probe, values) : NULL;
    if (!second) return;
    life.destroy(order ? first : second);
    life.destroy(order ? second : first);
  }
}

void check_life_again(struct probe *probe) {
  AUTO(record) first = record_new();
  if (!kind_live(probe, first)) return;
  for (guint k = 0; k < 2; k++) {
    AUTO(record) next = record_new();
    if (!kind_live(probe, next)) return;
    probe_agree(probe, "a first life and a later one in the same process", first, next, 0);
  }
}

/* The second is made before the first is used, and used after the first is gone. */
void check_life_two(struct probe *probe) {
  const struct kind *kind = kind_of(probe->plugin);
  AUTO(record) alone = record_new();
  AUTO(record) first_record = record_new();
  AUTO(record) second_record = record_new();
  if (!kind_live(probe, alone)) return;
  gpointer first = kind_open(probe), second = first ? kind_open(probe) : NULL;
  const gboolean good = second && kind->use(first, first_record);
  if (first) kind->close(first);
  if (good && kind->use(second, second_record)) {
    probe_agree(probe, "an instance alone and one beside another", alone, first_record, 0);
    probe_agree(probe, "an instance alone and one that outlived another", alone, second_record, 0);
  }
  if (second) kind->close(second);
}

void check_life_failed_init(struct probe *probe) {
  AUTO(record) before = record_new();
  AUTO(record) after = record_new();
  if (!kind_live(probe, before)) return;
  guint refused = 0;
  for (guint variant = 0;; variant++) {
    struct dvt_error fault = DVT_ERROR_INIT;
    const char *what;
    const int status = kind_of(probe->plugin)->fail(probe, variant, &what, &fault);
    if (status == KIND_NO_MORE) break;
    refused += status != DVT_OK;
  }
  if (!refused)
    probe_skip(probe, "init refused nothing that was tried");
  else if (kind_live(probe, after))
    probe_agree(probe, "before and after an init that failed", before, after, 0);
}

void check_life_refusal(struct probe *probe) {
  guint refused = 0;
  for (guint variant = 0;; variant++) {
    struct dvt_error fault = DVT_ERROR_INIT;
    const char *what = NULL;
    const int status = kind_of(probe->plugin)->fail(probe, variant, &what, &fault);
    if (status == KIND_NO_MORE) break;
    if (status == DVT_OK) continue;
    g_autofree char *call = g_strdup_printf("init with %s", what);
    g_free(probe_refusal(probe, call, &fault, status));
    refused++;
  }
  if (!refused) probe_skip(probe, "init refused nothing that was tried");
}

struct life {
  struct probe *probe;
  struct record *record;
};

static gpointer live(gpointer data) {
  struct life *life = data;
  kind_live(life->probe, life->record);
  return NULL;
}

/* create and init of different instances may overlap. */
void check_life_threads(struct probe *probe) {
  enum { LIVES = 4 };
  struct life lives[LIVES];
  GThread *threads[LIVES];
  AUTO(record) alone = record_new();
  if (!kind_live(probe, alone)) return;
  for (guint k = 0; k < LIVES; k++) {
    lives[k] = (struct life){probe, record_new()};
    threads[k] = g_thread_new("life", live, &lives[k]);
  }
  for (guint k = 0; k < LIVES; k++) g_thread_join(threads[k]);
  for (guint k = 0; k < LIVES; k++) {
    probe_agree(probe, "a life alone and one beside three others", alone, lives[k].record, 0);
    record_free(lives[k].record);
  }
}
