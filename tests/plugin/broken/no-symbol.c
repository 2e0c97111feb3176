/* SPDX-License-Identifier: MIT */
#include <dovetail/abi.h>

DVT_EXPORT const int dovetail_plug = 1;
