/* SPDX-License-Identifier: MIT */
#include "conform/conform.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/columns.h"

static const char examples[] = "  dovetail conform build/my-head.so\n"
                               "  dovetail conform my-head.so --include 'module.gradient.*' --seed 7\n"
                               "  dovetail conform my-head.so --split layer2 --input 32,16,16 --set width=16\n"
                               "  dovetail conform my-head.so --include module.guards --in-process\n";

enum { MOST_SECONDS = 86400 };

/* What was asked for, and what came of it. */
struct session {
  struct conform_options options;
  const char *subject; /* that the last line was about */
  guint counts[CONFORM_STATUSES];
  json_t *results; /* NULL: lines are printed */
  guint width;     /* of the longest id */
};

static void print_result(struct session *session, const struct conform_result *result) {
  if (g_strcmp0(session->subject, result->subject)) printf("%s\n", result->subject);
  session->subject = g_intern_string(result->subject);
  printf("  %-7s  %-*s  %s\n", conform_status_name(result->status), (int)session->width, result->check->id,
         result->status == CONFORM_PASSED ? result->check->title : result->sentence);
  if (result->status != CONFORM_PASSED && result->status != CONFORM_SKIPPED) {
    g_autofree char *place = NULL, *clause = NULL;
    conform_contract(result->check, result->kind, &place, &clause);
    printf("           %-*s  %s: \"%s\"\n", (int)session->width, "", place, clause);
  }
  fflush(stdout);
}

static void add_result(json_t *results, const struct conform_result *result) {
  g_autofree char *place = NULL, *clause = NULL;
  conform_contract(result->check, result->kind, &place, &clause);
  json_array_append_new(results,
                        json_pack("{ss ss ss ss ss ss ss}", "subject", result->subject, "check", result->check->id,
                                  "status", conform_status_name(result->status), "sentence", result->sentence, "title",
                                  result->check->title, "contract", place, "clause", clause));
}

static void report(gpointer data, const struct conform_result *result) {
  struct session *session = data;
  session->counts[result->status]++;
  if (session->results)
    add_result(session->results, result);
  else
    print_result(session, result);
}

static void print_summary(const struct session *session) {
  printf("%u passed, %u failed, %u crashed, %u warnings, %u skipped; seed %" G_GUINT64_FORMAT "\n",
         session->counts[CONFORM_PASSED], session->counts[CONFORM_FAILED], session->counts[CONFORM_CRASHED],
         session->counts[CONFORM_WARNING], session->counts[CONFORM_SKIPPED], session->options.seed);
}

static void print_json(const struct session *session) {
  g_autofree char *path = g_utf8_make_valid(session->options.path, -1);
  json_t *object =
      json_pack("{ss sI sO}", "file", path, "seed", (json_int_t)session->options.seed, "results", session->results);
  for (enum conform_status status = 0; status < CONFORM_STATUSES; status++)
    json_object_set_new(object, conform_status_name(status), json_integer(session->counts[status]));
  json_dumpf(object, stdout, JSON_INDENT(2));
  putchar('\n');
  json_decref(object);
}

static int run(struct session *session, gboolean json) {
  g_autoptr(GError) error = NULL;
  if (json) session->results = json_array();
  const gboolean complete = conform_run(&session->options, report, session, &error);
  const gboolean wrong = !complete && error->code == DOVETAIL_WRONG;
  if (json && !wrong) print_json(session);
  if (!json && !wrong) print_summary(session);
  json_decref(session->results);
  if (!complete) return cli_fail(error);
  return session->counts[CONFORM_FAILED] || session->counts[CONFORM_CRASHED] ? DOVETAIL_FAILED : 0;
}

static const char *subjects_text(guint subjects) {
  static const struct {
    guint subjects;
    const char *text;
  } texts[] = {{CONFORM_FILE, "file"},          {CONFORM_PLUGIN, "every kind"}, {CONFORM_MODULE, "backbones, heads"},
               {CONFORM_BACKBONE, "backbones"}, {CONFORM_HEAD, "heads"},        {CONFORM_ALIGNER, "aligners"}};
  for (guint k = 0; k < G_N_ELEMENTS(texts); k++)
    if (texts[k].subjects == subjects) return texts[k].text;
  return "datasets";
}

static int list(void) {
  guint count;
  const struct conform_check *checks = conform_checks(&count);
  g_autoptr(GPtrArray) cells = g_ptr_array_new();
  for (guint k = 0; k < count; k++) {
    g_ptr_array_add(cells, (void *)checks[k].id);
    g_ptr_array_add(cells, (void *)subjects_text(checks[k].subjects));
    g_ptr_array_add(cells, (void *)checks[k].title);
  }
  columns_print(stdout, cells, 3, 0);
  return 0;
}

static gboolean parse_input(const char *text, gint64 input[3]) {
  g_auto(GStrv) parts = g_strsplit(text, ",", -1);
  if (g_strv_length(parts) != 3) return FALSE;
  for (guint k = 0; k < 3; k++)
    if (!g_ascii_string_to_signed(parts[k], 10, 1, 1 << 16, &input[k], NULL)) return FALSE;
  return TRUE;
}

static int wrong(const char *text) {
  fprintf(stderr, "dovetail: %s\n", text);
  return DOVETAIL_WRONG;
}

static guint longest_id(void) {
  guint count, longest = 0;
  const struct conform_check *checks = conform_checks(&count);
  for (guint k = 0; k < count; k++) longest = MAX(longest, (guint)strlen(checks[k].id));
  return longest;
}

int cli_conform(int argc, char **argv) {
  g_auto(GStrv) includes = NULL;
  g_auto(GStrv) excludes = NULL;
  g_auto(GStrv) sets = NULL;
  g_autofree char *path = NULL, *input = NULL, *split = NULL;
  gint64 seed = 1;
  double limit = 10;
  gboolean json = FALSE, in_process = FALSE, listed = FALSE;
  const GOptionEntry entries[] = {
      {"include", 'i', 0, G_OPTION_ARG_STRING_ARRAY, &includes,
       "Only checks with such a name; * and ? stand for anything", "GLOB"},
      {"exclude", 'e', 0, G_OPTION_ARG_STRING_ARRAY, &excludes, "No checks with such a name", "GLOB"},
      {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &sets, "Set a parameter of the plugin, as path=data", "PARAM=VALUE"},
      {"split", 0, 0, G_OPTION_ARG_STRING, &split, "Cut a backbone here; tell a head that its features come from here",
       "NAME"},
      {"input", 0, 0, G_OPTION_ARG_STRING, &input, "Shape of what a backbone or head gets", "C,H,W"},
      {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Source of all random numbers (1)", "N"},
      {"time-limit", 0, 0, G_OPTION_ARG_DOUBLE, &limit, "Seconds that a check may take (10)", "S"},
      {"in-process", 0, 0, G_OPTION_ARG_NONE, &in_process, "Check in this process, for a debugger", NULL},
      {"json", 'j', 0, G_OPTION_ARG_NONE, &json, "Print the results as JSON", NULL},
      {"list", 'l', 0, G_OPTION_ARG_NONE, &listed, "List the checks", NULL},
      {0},
  };
  int status;
  if (!cli_options("conform", "FILE.so", examples, entries, &argc, &argv, &status)) return status;
  if (listed) return list();
  if (argc != 2) return wrong("conform wants one plugin file; 'dovetail plugins' lists those that are installed");
  if (seed < 0) return wrong("--seed wants a number of at least 0");
  if (!(limit > 0 && limit <= MOST_SECONDS)) return wrong("--time-limit wants seconds, above 0 and at most 86400");
  path = g_canonicalize_filename(argv[1], NULL);
  struct session session = {
      .options = {.path = path,
                  .seed = (guint64)seed,
                  .time_limit = limit,
                  .in_process = in_process,
                  .sets = (const char *const *)sets,
                  .split = split,
                  .includes = (const char *const *)includes,
                  .excludes = (const char *const *)excludes},
      .width = longest_id(),
  };
  if (input && !parse_input(input, session.options.input))
    return wrong("--input wants three numbers of at least 1, as 3,32,32");
  return run(&session, json);
}
