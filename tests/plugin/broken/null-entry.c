/* SPDX-License-Identifier: MIT */
#define READ NULL
#include "descriptor.h"
