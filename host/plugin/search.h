/* SPDX-License-Identifier: MIT */
/** Walking through folders for files that may be plugins. Loads none. */
#ifndef PLUGIN_SEARCH_H
#define PLUGIN_SEARCH_H

#include <glib.h>

/** Who is told what is met. `seen` is a set of real paths: none is met twice, and no circle of links is followed. */
struct search {
  GHashTable *seen;
  void (*file)(gpointer file_data, const char *path); /**< a regular file that only root and the user may change */
  void (*refuse)(gpointer refuse_data, const char *path, const char *reason);
  gpointer file_data, refuse_data;
};

/**
 * Every *.so in a folder and below, in sorted order; folders that end in ".p" are left out, which are meson's own. What
 * others may write to is refused: the folder and each below it, with all that is in it; a file; and the folder where a
 * link leads to. The folders above are not looked at.
 */
void search_folder(const struct search *search, const char *folder);

#endif
