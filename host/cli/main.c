/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "cli/cli.h"

static const struct command {
  const char *name, *summary;
  int (*run)(int argc, char **argv);
} commands[] = {
    {"run", "train the networks of experiments and swap their heads", cli_run},
    {"check", "check experiments and begin nothing", cli_check},
    {"plugins", "list the plugins that are found", cli_plugins},
    {"inspect", "describe a plugin: parameters, splits, classes", cli_inspect},
    {"conform", "check that a plugin keeps the contract", cli_conform},
    {"bench", "measure how fast an experiment trains on this machine", cli_bench},
    {"report", "tables and figures of sweeps and runs", cli_report},
    {"new", "begin a plugin of your own", cli_new},
};

static void print_usage(FILE *stream) {
  fputs("Examples:\n"
        "  dovetail run configs/quickstart-independent.yaml configs/quickstart-aligned.yaml\n"
        "  dovetail check configs/cifar10-short.yaml --set train.epochs=1\n"
        "  dovetail inspect resnet\n\n"
        "Usage:\n  dovetail COMMAND [OPTION…] [ARGUMENT…]\n\nCommands:\n",
        stream);
  for (guint k = 0; k < G_N_ELEMENTS(commands); k++)
    fprintf(stream, "  %-10s %s\n", commands[k].name, commands[k].summary);
  fputs("\n'dovetail COMMAND --help' tells more; 'dovetail --version' the version.\n", stream);
}

static int unknown_command(const char *name) {
  const char *names[G_N_ELEMENTS(commands)];
  for (guint k = 0; k < G_N_ELEMENTS(commands); k++) names[k] = commands[k].name;
  g_autofree char *hint = nearest_hint(name, names, G_N_ELEMENTS(names));
  fprintf(stderr, "dovetail: unknown command '%s'%s\n", name, hint);
  return DOVETAIL_WRONG;
}

/*
 * The threads of one network soon sleep while they wait for each other; libgomp's own default is to spin for long,
 * which takes the core from the other network and from the rest of the machine (docs/performance.md). libgomp reads
 * this when the first plugin brings it in. What the user has set stays.
 */
static void let_threads_sleep(void) {
  if (!getenv("OMP_WAIT_POLICY")) setenv("GOMP_SPINCOUNT", "1000", 0);
}

static int run_command(int argc, char **argv) {
  for (guint k = 0; k < G_N_ELEMENTS(commands); k++)
    if (!strcmp(argv[0], commands[k].name)) return commands[k].run(argc, argv);
  return unknown_command(argv[0]);
}

static int dispatch(int argc, char **argv) {
  if (argc < 2) {
    print_usage(stderr);
    return DOVETAIL_WRONG;
  }
  if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
    print_usage(stdout);
  else if (!strcmp(argv[1], "--version"))
    printf("dovetail %s, plugin ABI %d.%d\n", DOVETAIL_VERSION, DVT_ABI_MAJOR, DVT_ABI_MINOR);
  else
    return run_command(argc - 1, argv + 1);
  return 0;
}

int main(int argc, char **argv) {
  setlocale(LC_CTYPE, "");  /* not LC_NUMERIC: numbers have a point everywhere */
  signal(SIGCHLD, SIG_DFL); /* who was started with it ignored would never learn how its children ended */
  let_threads_sleep();
  cli_show_logs();
  cli_guard_exit();
  return cli_end(dispatch(argc, argv));
}
