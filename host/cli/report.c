/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/cli.h"
#include "report/figures.h"

static const char examples[] = "  dovetail report runs/fig2\n"
                               "  dovetail report runs/fig2 runs/fig4 --out docs/figures\n"
                               "  dovetail report runs/rotation --json\n";

static gboolean read_summaries(char **directories, GPtrArray *summaries, GError **error) {
  for (; *directories; directories++) {
    struct summary *summary = summary_read(*directories, error);
    if (!summary) return FALSE;
    g_ptr_array_add(summaries, summary);
  }
  return TRUE;
}

/* Files are named after their sweep: in one folder a second sweep of the same name would replace the first's. */
static gboolean check_names(const GPtrArray *summaries, GError **error) {
  const struct mark nowhere = {0};
  for (guint k = 0; k < summaries->len; k++)
    for (guint other = 0; other < k; other++) {
      const struct summary *first = summaries->pdata[other], *second = summaries->pdata[k];
      if (first->sweep && second->sweep && g_str_equal(first->name, second->name))
        return error_at(error, nowhere, "two of the sweeps are named '%s': one folder cannot take the figures of both",
                        first->name);
    }
  return TRUE;
}

static void print_summary(const struct summary *summary, gboolean json) {
  g_autoptr(GString) table = g_string_new(NULL);
  g_autofree char *text = NULL;
  if (json)
    text = summary_json(summary);
  else
    summary_table(table, summary);
  fputs(json ? text : table->str, stdout);
  fflush(stdout);
}

/* out: the folder; NULL: in the sweep's directory. */
static gboolean draw(const struct summary *summary, const char *directory, const char *out, GError **error) {
  g_autofree char *folder = out ? g_strdup(out) : g_build_filename(directory, "figures", NULL);
  if (!summary->states[SUMMARY_DONE])
    return error_failed(error, "%s: no run of this sweep is done: there is nothing to draw", directory);
  g_autoptr(GPtrArray) paths = figures_write(summary, folder, error);
  for (guint k = 0; paths && k < paths->len; k++) fprintf(stderr, "wrote %s\n", (char *)paths->pdata[k]);
  return paths != NULL;
}

static int report(char **directories, const GPtrArray *summaries, const char *out, gboolean json) {
  int status = 0;
  for (guint k = 0; k < summaries->len; k++) {
    const struct summary *summary = summaries->pdata[k];
    g_autoptr(GError) error = NULL;
    if (k && !json) putchar('\n');
    print_summary(summary, json);
    if (summary->sweep && !draw(summary, directories[k], out, &error)) status = cli_fail(error);
  }
  return status;
}

int cli_report(int argc, char **argv) {
  g_autofree char *out = NULL;
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "Folder for the figures (figures, in the sweep's)", "DIR"},
      {"json", 'j', 0, G_OPTION_ARG_NONE, &json, "Print the numbers as JSON instead of tables", NULL},
      {0},
  };
  int status;
  if (!cli_options("report", "DIR…", examples, entries, &argc, &argv, &status)) return status;
  if (argc < 2) {
    fputs("dovetail: report wants at least one directory, of a sweep or a run\n", stderr);
    return DOVETAIL_WRONG;
  }
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) summaries = g_ptr_array_new_with_free_func((GDestroyNotify)summary_free);
  if (!read_summaries(argv + 1, summaries, &error) || (out && !check_names(summaries, &error))) return cli_fail(error);
  return report(argv + 1, summaries, out, json);
}
