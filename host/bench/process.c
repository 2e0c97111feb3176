/* SPDX-License-Identifier: MIT */
#include "bench/process.h"

#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* In seconds since the machine began; the 22nd field. The second one may hold spaces and ends with the last ')'. */
static double birth(void) {
  g_autofree char *text = NULL;
  if (!g_file_get_contents("/proc/self/stat", &text, NULL, NULL)) return NAN;
  const char *field = strrchr(text, ')');
  for (int number = 2; field && number < 22; number++) field = strchr(field + 1, ' ');
  return field ? strtod(field, NULL) / (double)sysconf(_SC_CLK_TCK) : NAN;
}

double process_age(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec - birth();
}

double process_peak_memory(void) {
  static const char key[] = "\nVmHWM:";
  g_autofree char *text = NULL;
  if (!g_file_get_contents("/proc/self/status", &text, NULL, NULL)) return NAN;
  const char *line = strstr(text, key);
  return line ? 1024 * strtod(line + strlen(key), NULL) : NAN;
}
