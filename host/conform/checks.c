/* SPDX-License-Identifier: MIT */
#include "conform/checks.h"

#include <string.h>

enum { CONTRACT_NOUNS = 3 };
static const char *const nouns[CONTRACT_NOUNS] = {"module", "aligner", "dataset"};

#include "contract_lines.h" /* made by contracts.py: where the clauses of checks.def begin, for each noun */

static const struct conform_check checks[] = {
#define CHECK(id, subjects, function, header, clause, title)                                                           \
  {id, CONFORM_##subjects, check_##function, header, clause, title},
#include "conform/checks.def"
#undef CHECK
};
G_STATIC_ASSERT(G_N_ELEMENTS(checks) == G_N_ELEMENTS(contract_lines));

const struct conform_check *conform_checks(guint *count) {
  *count = G_N_ELEMENTS(checks);
  return checks;
}

void conform_contract(const struct conform_check *check, enum conform_subject subject, char **place, char **clause) {
  const guint noun = subject == CONFORM_ALIGNER ? 1 : subject == CONFORM_DATASET ? 2 : 0;
  const gboolean varies = check->header[0] == '*';
  g_auto(GStrv) parts = g_strsplit(check->clause, varies ? "*" : "\n", -1);
  *place = g_strdup_printf("dovetail/%s%s:%u", varies ? nouns[noun] : "", check->header + varies,
                           contract_lines[check - checks][noun]);
  *clause = g_strjoinv(nouns[noun], parts);
}

const char *conform_status_name(enum conform_status status) {
  static const char *const names[CONFORM_STATUSES] = {
      [CONFORM_PASSED] = "passed",   [CONFORM_FAILED] = "failed",   [CONFORM_CRASHED] = "crashed",
      [CONFORM_WARNING] = "warning", [CONFORM_SKIPPED] = "skipped",
  };
  return names[status];
}
