/* SPDX-License-Identifier: MIT */
#include "descriptor.h"
