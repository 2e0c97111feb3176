/* SPDX-License-Identifier: MIT */
#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean check_regular(const char *path, int file, GError **error) {
  struct stat info;
  if (fstat(file, &info)) return error_failed(error, "%s: cannot be read: %s", path, g_strerror(errno));
  if (S_ISDIR(info.st_mode)) return error_failed(error, "%s: is a directory; a file is wanted", path);
  if (!S_ISREG(info.st_mode)) return error_failed(error, "%s: is not a regular file", path);
  return TRUE;
}

GMappedFile *file_map(const char *path, GError **error) {
  /* Without O_NONBLOCK a pipe would wait for a writer. */
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    error_failed(error, "%s: cannot be opened: %s", path, g_strerror(errno));
    return NULL;
  }
  GMappedFile *map = NULL;
  if (check_regular(path, file, error)) {
    g_autoptr(GError) cause = NULL;
    map = g_mapped_file_new_from_fd(file, FALSE, &cause);
    if (!map) error_failed(error, "%s: cannot be read: %s", path, cause->message);
  }
  close(file);
  return map;
}

json_t *file_json(GMappedFile *map, json_error_t *fault) {
  const char *text = g_mapped_file_get_contents(map); /* NULL for an empty file */
  json_t *json = json_loadb(text ? text : "", g_mapped_file_get_length(map), JSON_REJECT_DUPLICATES, fault);
  g_mapped_file_unref(map);
  return json;
}

/* From here to file_replace: FALSE means that errno says why. */
static gboolean write_part(int file, const struct file_part *part) {
  const char *data = part->data;
  for (gsize left = part->size; left;) {
    const ssize_t written = TEMP_FAILURE_RETRY(write(file, data, left));
    if (written < 0) return FALSE;
    data += written;
    left -= (gsize)written;
  }
  return TRUE;
}

static gboolean sync_to_disk(int file) { return TEMP_FAILURE_RETRY(fsync(file)) == 0; }

static gboolean write_parts(int file, const struct file_part *parts, guint count) {
  for (guint k = 0; k < count; k++)
    if (!write_part(file, &parts[k])) return FALSE;
  return sync_to_disk(file);
}

static gboolean write_temporary(char *name, const struct file_part *parts, guint count) {
  const int file = g_mkstemp_full(name, O_WRONLY | O_CLOEXEC, 0666);
  if (file < 0) return FALSE;
  gboolean good = write_parts(file, parts, count);
  int cause = errno;
  if (close(file) && good) good = FALSE, cause = errno;
  if (!good) g_unlink(name);
  errno = cause;
  return good;
}

static gboolean rename_or_remove(const char *temporary, const char *path) {
  if (!g_rename(temporary, path)) return TRUE;
  const int cause = errno;
  g_unlink(temporary);
  errno = cause;
  return FALSE;
}

gboolean file_replace(const char *path, const struct file_part *parts, guint count, GError **error) {
  g_autofree char *folder_path = g_path_get_dirname(path);
  g_autofree char *temporary = g_build_filename(folder_path, ".dovetail-XXXXXX", NULL);
  const int folder = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0)
    return error_failed(error, "%s: cannot be written: folder %s: %s", path, folder_path, g_strerror(errno));
  gboolean good = TRUE;
  if (!write_temporary(temporary, parts, count) || !rename_or_remove(temporary, path))
    good = error_failed(error, "%s: cannot be written: %s", path, g_strerror(errno));
  else if (!sync_to_disk(folder) && errno != EINVAL) /* EINVAL: this file system has no such thing */
    good = error_failed(error, "%s: is written, but perhaps not for good: folder %s: %s", path, folder_path,
                        g_strerror(errno));
  close(folder);
  return good;
}
