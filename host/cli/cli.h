/* SPDX-License-Identifier: MIT */
/** What the subcommands share. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <glib.h>

#include "base/error.h"
#include "plugin/choices.h"
#include "plugin/registry.h"

/** Each takes the arguments from its own name on, prints, and returns the exit status. */
int cli_run(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_plugins(int argc, char **argv);
int cli_inspect(int argc, char **argv);
int cli_conform(int argc, char **argv);
int cli_report(int argc, char **argv);
int cli_new(int argc, char **argv);
int cli_bench(int argc, char **argv);

/** From now on prints what plugins log, information and warnings, on stderr: each message once. */
void cli_show_logs(void);

/** Prints "dovetail: MESSAGE" on stderr, as one line. */
void cli_say(const char *message);

/** Says the error's message and returns the exit status that the error stands for. */
int cli_fail(const GError *error);

/**
 * From now on, until cli_end, a call of exit in this process, which plugins must not make, is told and ends it with
 * DOVETAIL_FAILED. Handlers run in the order that is the reverse of theirs, so call it again when plugins are loaded.
 */
void cli_guard_exit(void);

/** The exit status after a command that ended with `status`: a failure when what it printed could not be written. */
int cli_end(int status);

/**
 * Reads the word given for an option, NULL where there is none: *second tells whether it is the second of the two that
 * the option knows; the first is what holds without the option.
 */
gboolean cli_word(const char *option, const char *text, const char *const words[2], gboolean *second, GError **error);

/** --tune, which puts its word into a `char *`. */
#define CLI_TUNE_OPTION(text)                                                                                          \
  {                                                                                                                    \
    "tune", 0, 0, G_OPTION_ARG_STRING, &(text),                                                                        \
        "Measure which convolution algorithm is fastest (on, the default), or take the direct one (off)", "WHETHER"    \
  }

/** The choices by time that --tune asks for, as they are known of this machine, or NULL. The caller frees them. */
gboolean cli_tune(const char *text, struct choices **choices, GError **error);

/**
 * Parses options into `entries`. `usage` is what follows the subcommand's name, `examples` the lines that --help begins
 * with. Returns FALSE, with the message printed and *status set, when there is nothing more to do: a wrong option, or
 * --help. The arguments left are argv[1 .. *argc).
 */
gboolean cli_options(const char *command, const char *usage, const char *examples, const GOptionEntry *entries,
                     int *argc, char ***argv, int *status);

#endif
