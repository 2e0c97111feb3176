/* SPDX-License-Identifier: MIT */
#include "allocations.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

enum { DEPTH = 32 };

/* What glibc keeps for those who exchange its malloc. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *memory, size_t size);
void *memalign(size_t alignment, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
int posix_memalign(void **memory, size_t alignment, size_t size);

static atomic_bool counting;
static _Thread_local gboolean within __attribute__((tls_model("initial-exec"))); /* its own look-ups do not count */
static uintptr_t onednn_begin, onednn_end;
static GMutex mutex;
static struct allocations found; /* under mutex */

/* Where oneDNN's code is: found once, for dladdr walks through all of its symbols. */
static int find_onednn(struct dl_phdr_info *object, size_t size, void *data) {
  (void)size, (void)data;
  for (int k = 0; strstr(object->dlpi_name, "libdnnl") && k < object->dlpi_phnum; k++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[k];
    if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X)) continue;
    onednn_begin = object->dlpi_addr + segment->p_vaddr;
    onednn_end = onednn_begin + segment->p_memsz;
  }
  return 0;
}

static gboolean is_onednn(void *const *frames, int count) {
  for (int k = 0; k < count; k++)
    if ((uintptr_t)frames[k] >= onednn_begin && (uintptr_t)frames[k] < onednn_end) return TRUE;
  return FALSE;
}

static void describe(void *const *frames, int count) {
  Dl_info info;
  for (int k = 0, at = 0; k < count && at < (int)sizeof found.first - 1; k++)
    if (dladdr(frames[k], &info))
      at += snprintf(found.first + at, sizeof found.first - (size_t)at, "\n#   %s: %s+%#tx", info.dli_fname,
                     info.dli_sname ? info.dli_sname : "?",
                     (char *)frames[k] - (char *)(info.dli_sname ? info.dli_saddr : info.dli_fbase));
}

static void note(size_t size) {
  void *frames[DEPTH];
  if (!atomic_load(&counting) || within) return;
  within = TRUE;
  const int depth = backtrace(frames, DEPTH);
  const gboolean onednn = is_onednn(frames, depth);
  g_mutex_lock(&mutex);
  if (onednn) {
    found.onednn++;
    found.onednn_bytes = MAX(found.onednn_bytes, size);
  } else if (!found.count++) {
    describe(frames, depth);
  }
  g_mutex_unlock(&mutex);
  within = FALSE;
}

void *malloc(size_t size) {
  note(size);
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  note(count * size);
  return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
  note(size);
  return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
  note(size);
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  note(size);
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  note(size);
  void *made = __libc_memalign(alignment, size);
  if (!made) return ENOMEM;
  *memory = made;
  return 0;
}

void allocations_begin(void) {
  void *frame;
  backtrace(&frame, 1); /* the first one loads a library */
  dl_iterate_phdr(find_onednn, NULL);
  found = (struct allocations){0};
  atomic_store(&counting, TRUE);
}

const struct allocations *allocations_end(void) {
  atomic_store(&counting, FALSE);
  return &found;
}
