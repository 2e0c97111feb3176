/* SPDX-License-Identifier: MIT */
/** Errors of the host: a GError in one domain, whose code is the program's exit status. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <glib.h>

#define DOVETAIL_ERROR (dovetail_error_quark())
GQuark dovetail_error_quark(void);

enum dovetail_error {
  DOVETAIL_FAILED = 1,       /**< the work failed: a file, the machine, a plugin in use, a loss that is not finite */
  DOVETAIL_WRONG = 2,        /**< wrong usage or a wrong experiment: nothing was begun */
  DOVETAIL_INTERRUPTED = 130 /**< the user asked to stop */
};

/** A place in a text. `file` belongs to whoever made the text's tree. Line and column count from 1; 0: no place. */
struct mark {
  const char *file;
  unsigned line, column;
};

/** Sets *error to DOVETAIL_WRONG with "file:line:column: message" ("message" alone without a place). Returns FALSE. */
gboolean error_at(GError **error, struct mark mark, const char *format, ...) G_GNUC_PRINTF(3, 4);

/** Puts "file:line:column: " before the message of *error, where it has a place. Returns FALSE. */
gboolean error_place(GError **error, struct mark mark);

/** Sets *error to DOVETAIL_FAILED. Returns FALSE. */
gboolean error_failed(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
