/* SPDX-License-Identifier: MIT */
#define MAJOR 2
#include "descriptor.h"
