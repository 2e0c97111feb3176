/* SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

enum { PLAIN_INTERVAL = 30 * G_TIME_SPAN_SECOND };

void progress_init(struct progress *progress, const struct composition *composition, gboolean quiet) {
  *progress = (struct progress){
      .quiet = quiet,
      .terminal = isatty(STDERR_FILENO) && g_strcmp0(g_getenv("TERM"), "dumb") != 0,
      .name = composition->experiment->name,
      .images_per_step = composition->experiment->train.batch * composition_trained(composition),
      .last_line = g_get_monotonic_time(),
  };
  g_mutex_init(&progress->mutex);
}

static void remove_line(struct progress *progress) {
  if (progress->line_shown) fputs("\r\033[K", stderr);
  progress->line_shown = FALSE;
}

void progress_finish(struct progress *progress) {
  remove_line(progress);
  g_mutex_clear(&progress->mutex);
}

void progress_epoch(gpointer data, const struct composition *composition, const struct epoch_report *report) {
  struct progress *progress = data;
  if (progress->quiet) return;
  g_autoptr(GString) line = g_string_new(NULL);
  g_string_append_printf(line, "%s: ", progress->name);
  if (composition->experiment->scheme == SCHEME_INCREMENTAL)
    g_string_append_printf(line, "stage %u/%u, ", composition->stage + 1, composition->whole->stage + 1);
  g_string_append_printf(line, "epoch %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, report->epoch + 1, report->epochs);
  for (guint t = 0; t < composition->network_count; t++) {
    const struct epoch_losses *losses = &report->networks[t];
    if (composition->networks[t].view.frozen) continue;
    g_string_append_printf(line, "  %s: loss %.3f, train accuracy %.1f%%", composition->networks[t].spec->name,
                           losses->task, 100 * losses->accuracy);
  }
  g_mutex_lock(&progress->mutex);
  remove_line(progress);
  fprintf(stderr, "%s\n", line->str);
  progress->last_line = g_get_monotonic_time();
  g_mutex_unlock(&progress->mutex);
}

static void show(struct progress *progress, guint64 step, guint64 steps, gint64 now) {
  const double seconds = (double)(now - progress->start) / G_TIME_SPAN_SECOND, rate = (double)step / seconds;
  const guint left = (guint)((double)(steps - step) / rate);
  fprintf(stderr, "%s%s: step %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT ", %.0f images/s, %u:%02u left%s",
          progress->terminal ? "\r" : "", progress->name, step, steps, rate * progress->images_per_step, left / 60,
          left % 60, progress->terminal ? "\033[K" : "\n");
  fflush(stderr);
  progress->line_shown = progress->terminal;
  progress->last_line = now;
}

void progress_step(gpointer data, guint64 step, guint64 steps) {
  struct progress *progress = data;
  const gint64 now = g_get_monotonic_time();
  if (progress->quiet) return;
  g_mutex_lock(&progress->mutex);
  if (!progress->start) progress->start = now;
  if (step && now > progress->start && (progress->terminal || now - progress->last_line >= PLAIN_INTERVAL))
    show(progress, step, steps, now);
  g_mutex_unlock(&progress->mutex);
}
