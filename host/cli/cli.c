/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/nearest.h"
#include "base/text.h"
#include "store/run.h"

/* Messages quote files, which may be anyone's: no character of theirs is to move the terminal's cursor. */
void cli_say(const char *message) {
  g_autofree char *line = text_line(message);
  fprintf(stderr, "dovetail: %s\n", line);
}

/* The same is said when an experiment is checked and when it begins, and by all runs of a sweep. */
static void print_log(const char *domain, GLogLevelFlags level, const char *message, gpointer data) {
  static GMutex mutex;
  static GHashTable *said;
  (void)domain;
  (void)level;
  (void)data;
  g_mutex_lock(&mutex);
  if (!said) said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  if (g_hash_table_add(said, g_strdup(message))) cli_say(message);
  g_mutex_unlock(&mutex);
}

void cli_show_logs(void) { g_log_set_handler("dovetail", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO, print_log, NULL); }

int cli_fail(const GError *error) {
  cli_say(error->message);
  return error->domain == DOVETAIL_ERROR ? error->code : DOVETAIL_FAILED;
}

static pid_t guarded; /* 0 when the program may end */

static void tell_exit(void) {
  if (getpid() != guarded) return;
  fputs("dovetail: ended from within: a plugin, or a library below it, called exit, which is not its to do\n", stderr);
  _exit(DOVETAIL_FAILED);
}

void cli_guard_exit(void) {
  guarded = getpid();
  atexit(tell_exit);
}

int cli_end(int status) {
  guarded = 0;
  if (!fflush(stdout) && !ferror(stdout)) return status;
  fputs("dovetail: the output could not be written\n", stderr);
  return status ? status : DOVETAIL_FAILED;
}

gboolean cli_word(const char *option, const char *text, const char *const words[2], gboolean *second, GError **error) {
  *second = text && !strcmp(text, words[1]);
  if (!text || *second || !strcmp(text, words[0])) return TRUE;
  g_autofree char *hint = nearest_hint(text, words, 2);
  return error_at(error, (struct mark){0}, "%s has no choice '%s'%s", option, text, hint);
}

static struct choices *make_choices(void) {
  json_auto_t *machine = run_machine();
  json_object_del(machine, "memory_bytes");
  json_object_del(machine, "kernel");
  char *text = json_dumps(machine, JSON_COMPACT | JSON_SORT_KEYS);
  struct choices *choices = choices_new(text ? text : "");
  free(text);
  return choices;
}

gboolean cli_tune(const char *text, struct choices **choices, GError **error) {
  gboolean off;
  if (!cli_word("--tune", text, (const char *const[]){"on", "off"}, &off, error)) return FALSE;
  *choices = off ? NULL : make_choices();
  return TRUE;
}

/* GLib's own --help ends the program and puts the options first; this one returns and puts examples first. */
static void print_help(GOptionContext *context, const char *examples) {
  g_autofree char *help = g_option_context_get_help(context, TRUE, NULL);
  printf("Examples:\n%s\n%s", examples, help);
}

gboolean cli_options(const char *command, const char *usage, const char *examples, const GOptionEntry *entries,
                     int *argc, char ***argv, int *status) {
  gboolean help = FALSE;
  const GOptionEntry help_entry[] = {{"help", 'h', 0, G_OPTION_ARG_NONE, &help, "Show this help", NULL}, {0}};
  g_autofree char *summary = g_strdup_printf("%s", usage);
  g_autoptr(GOptionContext) context = g_option_context_new(summary);
  g_autofree char *name = g_strdup_printf("dovetail %s", command);
  g_autoptr(GError) error = NULL;
  g_set_prgname(name);
  g_option_context_set_help_enabled(context, FALSE);
  g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_add_main_entries(context, help_entry, NULL);
  *status = 0;
  if (!g_option_context_parse(context, argc, argv, &error)) {
    fprintf(stderr, "dovetail: %s; 'dovetail %s --help' lists the options\n", error->message, command);
    *status = DOVETAIL_WRONG;
    return FALSE;
  }
  if (help) print_help(context, examples);
  return !help;
}
