/* SPDX-License-Identifier: MIT */
/*
 * dovetail-scan SECONDS FILE…: says what is in each file (found.h), as one JSON array on stdout.
 *
 * Every file is loaded in a process of its own, many at a time. That process writes what it found into a file in
 * memory; its end says the rest. It leads a process group, which is killed when it ends or its time is up.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/found.h"
#include "plugin/load.h"

enum { MOST_AT_ONCE = 16 };

/* One file. */
struct visit {
  const char *path;
  pid_t process; /* 0: not begun, or over */
  int report;    /* what the process writes */
  gint64 deadline;
  json_t *found;
};

/* Memory that is read and written like a file. */
static int memory_file(void) {
  const int file = memfd_create("dovetail-scan", MFD_CLOEXEC);
  if (file >= 0) return file;
  perror("dovetail-scan: memory for a plugin's report");
  exit(1);
}

/* A crash is to show as its signal, also where the host ignores that or a sanitizer handles it; and to leave no core.
 */
static void be_alone(void) {
  static const int deadly[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGPIPE, SIGSEGV, SIGSYS, SIGTRAP};
  const struct rlimit none = {0, 0};
  sigset_t all;
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setrlimit(RLIMIT_CORE, &none);
  for (gsize k = 0; k < G_N_ELEMENTS(deadly); k++) signal(deadly[k], SIG_DFL);
  sigemptyset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
}

/* Puts something harmless in place of the standard streams. What is written to stdout can be counted. */
static void be_quiet(void) {
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  dup2(memory_file(), STDOUT_FILENO);
  dup2(nothing, STDERR_FILENO);
}

static gboolean has_printed(void) {
  fflush(stdout);
  return lseek(STDOUT_FILENO, 0, SEEK_END) > 0;
}

static json_t *look(const char *path) {
  g_autofree char *reason = NULL;
  const struct dvt_plugin *plugin = plugin_load(path, &reason);
  if (has_printed()) return found_refused("it prints while it is loaded; a plugin prints nothing");
  return plugin ? found_plugins(plugin) : found_refused("%s", reason);
}

static G_NORETURN void visit_inside(const struct visit *visit) {
  be_alone();
  be_quiet();
  json_dumpfd(look(visit->path), visit->report, JSON_COMPACT);
  _exit(0); /* not exit: that would run the plugin's destructors */
}

static void begin(struct visit *visit, guint seconds) {
  visit->report = memory_file();
  visit->deadline = g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND;
  visit->process = fork();
  if (visit->process == 0) visit_inside(visit);
  if (visit->process > 0) {
    setpgid(visit->process, visit->process); /* whichever of the two is first */
    return;
  }
  perror("dovetail-scan: a process for a plugin");
  exit(1);
}

static json_t *read_report(int report) {
  lseek(report, 0, SEEK_SET);
  json_t *found = json_loadfd(report, 0, NULL);
  if (found_is_good(found)) return found;
  json_decref(found);
  return NULL;
}

static void end(struct visit *visit, gboolean late, guint seconds) {
  int status;
  kill(-visit->process, SIGKILL); /* before the wait, after which its number may be another's */
  waitpid(visit->process, &status, 0);
  visit->process = 0;
  if (late)
    visit->found = found_refused("took longer than %u s to load", seconds);
  else if (WIFSIGNALED(status))
    visit->found =
        found_refused("crashed while it was loaded: signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
  else
    visit->found = read_report(visit->report);
  if (!visit->found) visit->found = found_refused("exited with status %d while it was loaded", WEXITSTATUS(status));
  close(visit->report);
}

static gboolean is_over(const struct visit *visit) {
  siginfo_t info = {0};
  waitid(P_PID, (id_t)visit->process, &info, WEXITED | WNOHANG | WNOWAIT);
  return info.si_pid != 0;
}

/* Returns how many of the visits, of which some are on their way, have ended. */
static guint end_some(struct visit *visits, guint count, guint seconds) {
  guint ended = 0;
  for (guint k = 0; k < count; k++) {
    if (!visits[k].process) continue;
    const gboolean over = is_over(&visits[k]);
    if (!over && g_get_monotonic_time() < visits[k].deadline) continue;
    end(&visits[k], !over, seconds);
    ended++;
  }
  return ended;
}

/* Until a child ends, but not so long that a deadline would be missed by much. */
static void wait_a_little(void) {
  const struct timespec time = {0, 20000000};
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigtimedwait(&children, NULL, &time);
}

static void visit_all(struct visit *visits, guint count, guint seconds) {
  guint begun = 0, running = 0;
  while (begun < count || running > 0) {
    for (; begun < count && running < MOST_AT_ONCE; running++) begin(&visits[begun++], seconds);
    wait_a_little();
    running -= end_some(visits, begun, seconds);
  }
}

int main(int argc, char **argv) {
  guint64 seconds;
  sigset_t children;
  signal(SIGCHLD, SIG_DFL); /* who ignores it gets no status */
  if (argc < 2 || !g_ascii_string_to_unsigned(argv[1], 10, 1, G_MAXINT, &seconds, NULL))
    return fputs("Usage: dovetail-scan SECONDS FILE…\n", stderr), 2;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigprocmask(SIG_BLOCK, &children, NULL);
  const guint count = (guint)argc - 2;
  g_autofree struct visit *visits = g_new0(struct visit, count);
  for (guint k = 0; k < count; k++) visits[k].path = argv[k + 2];
  visit_all(visits, count, (guint)seconds);
  json_t *all = json_array();
  for (guint k = 0; k < count; k++) json_array_append_new(all, visits[k].found);
  const gboolean failed = json_dumpf(all, stdout, JSON_COMPACT) || fflush(stdout);
  json_decref(all);
  return failed;
}
