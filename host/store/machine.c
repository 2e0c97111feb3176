/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "store/run.h"

/* What makes a difference to a matrix product, as Linux writes it: x86's, then Arm's. */
static const char *const instruction_sets[] = {
    "sse4_1",   "avx",      "avx2",        "fma",         "f16c",        "avx_vnni", "avx512f",
    "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8",
    "amx_bf16", "asimd",    "asimdhp",     "bf16",        "sve",         "sve2",
};

/* The value of the first line `key : value`, or NULL. */
static char *find_value(char *const *lines, const char *key) {
  for (; *lines; lines++) {
    const char *colon = strchr(*lines, ':');
    if (!colon) continue;
    g_autofree char *name = g_strchomp(g_strndup(*lines, (gsize)(colon - *lines)));
    if (!strcmp(name, key)) return g_strstrip(g_strdup(colon + 1));
  }
  return NULL;
}

static json_t *list_instruction_sets(char *const *lines) {
  g_autofree char *x86 = find_value(lines, "flags"), *arm = find_value(lines, "Features");
  g_auto(GStrv) flags = g_strsplit(x86 ? x86 : arm ? arm : "", " ", -1);
  json_t *list = json_array();
  for (gsize k = 0; k < G_N_ELEMENTS(instruction_sets); k++)
    if (g_strv_contains((const char *const *)flags, instruction_sets[k]))
      json_array_append_new(list, json_string(instruction_sets[k]));
  return list;
}

json_t *run_machine(void) {
  struct utsname system;
  g_autofree char *text = NULL;
  uname(&system);
  g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL); /* without it there is less to tell */
  g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
  g_autofree char *model = find_value(lines, "model name"), *kernel = NULL;
  kernel = g_strdup_printf("%s %s", system.sysname, system.release);
  return json_pack("{s:s, s:I, s:I, s:s, s:o}", "cpu", model ? model : system.machine, "cores",
                   (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "memory_bytes",
                   (json_int_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE), "kernel", kernel, "isa",
                   list_instruction_sets(lines));
}
