/* SPDX-License-Identifier: MIT */
#define MAGIC 0xdeadbeef
#include "descriptor.h"
