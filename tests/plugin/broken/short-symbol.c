/* SPDX-License-Identifier: MIT */
/* The magic number is right, but nothing follows it. */
#include <dovetail/abi.h>

DVT_EXPORT const uint32_t dovetail_plugin = DVT_MAGIC;
