/* SPDX-License-Identifier: MIT */
#include <dovetail/abi.h>

DVT_EXPORT void dovetail_plugin(void);
void dovetail_plugin(void) {}
