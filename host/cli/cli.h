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

/** From now on prints what plugins log, information and warnings, on stderr: each message once. */
void cli_show_logs(void);

/** Prints "dovetail: MESSAGE" on stderr and returns the exit status that the error stands for. */
int cli_fail(const GError *error);

/** The exit status after a command that ended with `status`: a failure when what it printed could not be written. */
int cli_end(int status);

/** Choices by time, as they are known of this machine. The caller frees them. */
struct choices *cli_choices(void);

/**
 * Parses options into `entries`. `usage` is what follows the subcommand's name, `examples` the lines that --help begins
 * with. Returns FALSE, with the message printed and *status set, when there is nothing more to do: a wrong option, or
 * --help. The arguments left are argv[1 .. *argc).
 */
gboolean cli_options(const char *command, const char *usage, const char *examples, const GOptionEntry *entries,
                     int *argc, char ***argv, int *status);

#endif
