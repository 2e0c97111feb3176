/* SPDX-License-Identifier: MIT */
#include "store/dtype.h"

#include <string.h>

static const struct dtype dtypes[] = {
    {"BOOL", 8}, {"U8", 8},      {"I8", 8},      {"U16", 16},        {"I16", 16},    {"U32", 32},
    {"I32", 32}, {"U64", 64},    {"I64", 64},    {"F16", 16},        {"BF16", 16},   {"F32", 32},
    {"F64", 64}, {"C64", 64},    {"F8_E5M2", 8}, {"F8_E4M3", 8},     {"F8_E8M0", 8}, {"F8_E5M2FNUZ", 8},
    {"F4", 4},   {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F8_E4M3FNUZ", 8},
};

const struct dtype *dtype_find(const char *name) {
  for (gsize k = 0; k < G_N_ELEMENTS(dtypes); k++)
    if (!strcmp(dtypes[k].name, name)) return &dtypes[k];
  return NULL;
}

gboolean dtype_size(const struct dtype *dtype, const gint64 *shape, guint rank, gsize *size) {
  guint64 bits = 1;
  for (guint axis = 0; axis < rank; axis++)
    if (!g_uint64_checked_mul(&bits, bits, (guint64)shape[axis])) return FALSE;
  if (!g_uint64_checked_mul(&bits, bits, dtype->bits) || bits % 8) return FALSE;
  *size = bits / 8;
  return TRUE;
}
