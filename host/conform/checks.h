/* SPDX-License-Identifier: MIT */
/** The functions of checks.def. Each looks at its probe's plugin, and says what is wrong or nothing. */
#ifndef CONFORM_CHECKS_H
#define CONFORM_CHECKS_H

#include "conform/probe.h"

#define CHECK(id, subjects, function, header, clause, title) void check_##function(struct probe *probe);
#include "conform/checks.def"
#undef CHECK

#endif
