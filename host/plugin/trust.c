/* SPDX-License-Identifier: MIT */
#include "plugin/trust.h"

#include <errno.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

char *trust_fault(const char *path) {
  struct stat info;
  if (stat(path, &info)) return g_strdup_printf("cannot be looked at: %s", g_strerror(errno));
  if (info.st_uid != 0 && info.st_uid != geteuid())
    return g_strdup_printf("it belongs to user %u, neither to root nor to you (%u)", info.st_uid, geteuid());
  const gboolean group = info.st_mode & S_IWGRP, others = info.st_mode & S_IWOTH;
  if (!group && !others) return NULL;
  if (info.st_mode & S_ISVTX) return g_strdup("everybody may add files to it, as to /tmp; take a folder below it");
  g_autofree char *quoted = g_shell_quote(path);
  return g_strdup_printf("%s may write to it; chmod %s%s-w %s", others ? "everybody" : "its group", group ? "g" : "",
                         others ? "o" : "", quoted);
}
