/* SPDX-License-Identifier: MIT */
/* What a plugin does to the process that it lives in. */
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "conform/checks.h"
#include "conform/kinds.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_LSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_LSAN 1
#endif
#endif

#ifdef HAS_LSAN
#include <sanitizer/lsan_interface.h>
#endif

/* A whole life, and the refusals; what comes out is others' business. */
static gboolean live_and_fail(struct probe *probe) {
  AUTO(record) record = record_new();
  struct dvt_error fault = DVT_ERROR_INIT;
  const char *what;
  if (!kind_live(probe, record)) return FALSE;
  for (guint variant = 0; kind_of(probe->plugin)->fail(probe, variant, &what, &fault) != KIND_NO_MORE;) variant++;
  return TRUE;
}

/* The runner says so when the process ends before its check does. */
void check_process_exit(struct probe *probe) { live_and_fail(probe); }

void check_process_output(struct probe *probe) {
  if (probe->output < 0) {
    probe_skip(probe, "with --in-process nobody catches what is printed");
    return;
  }
  if (!live_and_fail(probe)) return;
  char text[80];
  fflush(NULL);
  const gssize length = pread(probe->output, text, sizeof text - 1, 0);
  if (length <= 0) return;
  text[length] = '\0';
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  probe_fail(probe, "it printed: %s", g_strdelimit(g_strchomp(valid), "\n\r\t", ' '));
}

void check_process_log(struct probe *probe) {
  live_and_fail(probe);
  if (!probe->watch.bad_log) return;
  g_autofree char *shown = g_strescape(probe->watch.bad_log, NULL);
  probe_fail(probe, "it logged what is not one line of a known level: \"%.80s\"", shown);
}

void check_process_memory(struct probe *probe) {
  if (!live_and_fail(probe)) return;
  const guint live = watch_live(&probe->watch);
  if (live) probe_fail(probe, "%u blocks of allocate were not given back by the end of destroy", live);
  if (probe->watch.strangers)
    probe_fail(probe, "release got %u pointers that allocate did not return, or that were given back before",
               probe->watch.strangers);
}

#ifndef HAS_LSAN
static gsize bytes_in_use(void) {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}
#endif

/* LeakSanitizer is asked where there is one; else memory must stop to grow, once caches have filled. */
void check_process_leaks(struct probe *probe) {
  if (!live_and_fail(probe)) return;
#ifdef HAS_LSAN
  if (!live_and_fail(probe)) return;
  if (__lsan_do_recoverable_leak_check()) probe_fail(probe, "LeakSanitizer finds memory that nobody holds any more");
#else
  enum { LIVES = 30 };
  const gsize first = bytes_in_use();
  gsize before = first;
  for (guint k = 0; k < LIVES; k++) {
    if (!live_and_fail(probe)) return;
    const gsize after = bytes_in_use();
    if (after <= before) return;
    before = after;
  }
  probe_fail(probe, "each of %d lives of an instance left memory behind, %" G_GSIZE_FORMAT " bytes on average", LIVES,
             (before - first) / LIVES);
#endif
}

/* Each of the first allocations fails in turn; a refusal is right, and so is to do without. */
void check_process_no_memory(struct probe *probe) {
  enum { MOST = 40 };
  AUTO(values) values = probe_values(probe);
  for (gint64 budget = 0; values && budget < MOST; budget++) {
    g_autofree char *refusal = NULL;
    AUTO(record) record = record_new();
    probe->watch.budget = budget;
    gpointer instance = kind_of(probe->plugin)->open(probe, values, &refusal);
    if (!instance) continue;
    const gboolean good = kind_of(probe->plugin)->use(instance, record);
    const gboolean enough = probe->watch.budget > 0;
    kind_of(probe->plugin)->close(instance);
    if (good && enough) break;
  }
  probe->watch.budget = -1;
}
