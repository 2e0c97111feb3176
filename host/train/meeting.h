/* SPDX-License-Identifier: MIT */
/** A place where threads wait for each other. */
#ifndef TRAIN_MEETING_H
#define TRAIN_MEETING_H

#include <glib.h>

struct meeting {
  GMutex mutex;
  GCond all_there;
  guint members, waiting;
  guint64 round;
  gboolean cancelled;
};

void meeting_init(struct meeting *meeting, guint members);
void meeting_finish(struct meeting *meeting);

/**
 * Waits until every member is here; then the last to come runs task(data) (NULL: nothing), while the others wait.
 * Returns FALSE, at once and from then on, when the meeting is cancelled or a task returned FALSE.
 */
gboolean meeting_wait(struct meeting *meeting, gboolean (*task)(gpointer data), gpointer data);

/** A member will not come again. */
void meeting_cancel(struct meeting *meeting);

#endif
