/* SPDX-License-Identifier: MIT */
#define NAME NULL
#include "descriptor.h"
