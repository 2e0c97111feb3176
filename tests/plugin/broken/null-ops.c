/* SPDX-License-Identifier: MIT */
#define OPS NULL
#include "descriptor.h"
