/* SPDX-License-Identifier: MIT */
#define SIZE 16
#include "descriptor.h"
