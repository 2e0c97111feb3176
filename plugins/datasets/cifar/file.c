/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_file(const char *path, int file, uint64_t *size, struct dvt_error *error) {
  struct stat status;
  if (fstat(file, &status) != 0) return dvt_fail(error, DVT_ERROR_IO, "%s: %s", path, strerror(errno));
  if (!S_ISREG(status.st_mode)) return dvt_fail(error, DVT_ERROR_IO, "%s is not a regular file", path);
  *size = (uint64_t)status.st_size;
  return DVT_OK;
}

int file_open(const char *path, int *file, uint64_t *size, struct dvt_error *error) {
  *file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* without it, opening a named pipe waits for ever */
  if (*file < 0)
    return dvt_fail(error, DVT_ERROR_IO, "cannot open %s: %s; docs/data.md tells where to get it", path,
                    strerror(errno));
  const int status = check_file(path, *file, size, error);
  if (status != DVT_OK) {
    close(*file);
    *file = -1;
  }
  return status;
}
