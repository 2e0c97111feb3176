/* SPDX-License-Identifier: MIT */
#define HOST_MINOR (DVT_ABI_MINOR + 1)
#include "descriptor.h"
