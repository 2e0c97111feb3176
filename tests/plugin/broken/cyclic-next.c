/* SPDX-License-Identifier: MIT */
#define NEXT &dovetail_plugin
#include "descriptor.h"
