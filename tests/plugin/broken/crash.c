/* SPDX-License-Identifier: MIT */
/* Not by a wrong pointer: UBSan would notice that first. */
#include <signal.h>

__attribute__((constructor)) static void begin(void) { raise(SIGSEGV); }

#define NAME "crash"
#include "descriptor.h"
