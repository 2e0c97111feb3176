/* SPDX-License-Identifier: MIT */
#include "train/meeting.h"

void meeting_init(struct meeting *meeting, guint members) {
  *meeting = (struct meeting){.members = members};
  g_mutex_init(&meeting->mutex);
  g_cond_init(&meeting->all_there);
}

void meeting_finish(struct meeting *meeting) {
  g_mutex_clear(&meeting->mutex);
  g_cond_clear(&meeting->all_there);
}

gboolean meeting_wait(struct meeting *meeting, gboolean (*task)(gpointer data), gpointer data) {
  g_mutex_lock(&meeting->mutex);
  const guint64 round = meeting->round;
  if (!meeting->cancelled && ++meeting->waiting == meeting->members) {
    if (task && !task(data)) meeting->cancelled = TRUE;
    meeting->waiting = 0;
    meeting->round++;
    g_cond_broadcast(&meeting->all_there);
  } else {
    while (!meeting->cancelled && meeting->round == round) g_cond_wait(&meeting->all_there, &meeting->mutex);
  }
  const gboolean go_on = !meeting->cancelled;
  g_mutex_unlock(&meeting->mutex);
  return go_on;
}

void meeting_cancel(struct meeting *meeting) {
  g_mutex_lock(&meeting->mutex);
  meeting->cancelled = TRUE;
  g_cond_broadcast(&meeting->all_there);
  g_mutex_unlock(&meeting->mutex);
}
