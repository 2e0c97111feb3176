/* SPDX-License-Identifier: MIT */
/*
 * The parent never loads the plugin. A child answers on a pipe: one byte, the status, then the sentence; what it writes
 * to stdout and stderr goes to a file in memory that both have open.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/nearest.h"
#include "conform/probe.h"
#include "conform/settings.h"
#include "plugin/check.h"
#include "plugin/load.h"
#include "plugin/registry.h"

/* A check, or the listing of what is in the file, for one plugin of it. */
struct task {
  const struct conform_options *options;
  void (*run)(struct probe *probe);
  guint place; /* of the plugin in the file's list, from 1; 0: the file */
};

struct verdict {
  enum conform_status status;
  char *sentence;
};

static struct verdict run_here(const struct task *task, int output) {
  struct probe probe = {.options = task->options, .output = output};
  g_autofree char *load_fault = NULL;
  g_mutex_init(&probe.mutex);
  watch_init(&probe.watch, task->options->seed);
  probe.file = plugin_open(task->options->path, &load_fault);
  probe.load_fault = load_fault;
  if (task->place) probe.plugin = probe.file;
  for (guint place = 1; probe.plugin && place < task->place; place++) probe.plugin = probe.plugin->next;
  g_autofree char *owner = probe.plugin ? g_strdup_printf("conform/%s", probe.plugin->name) : NULL;
  probe.watch.services.owner = owner;
  task->run(&probe);
  watch_clear(&probe.watch);
  g_mutex_clear(&probe.mutex);
  return (struct verdict){probe.status, probe.sentence ? probe.sentence : g_strdup("")};
}

static void write_all(int fd, const char *bytes, gsize count) {
  while (count) {
    const gssize done = write(fd, bytes, count);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return;
    bytes += done;
    count -= (gsize)done;
  }
}

/* Dies with its parent, leads a process group, writes no core and no endless output. */
static void run_child(const struct task *task, int answer, int output) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  setrlimit(RLIMIT_FSIZE, &(struct rlimit){1 << 30, 1 << 30});
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  setenv("OMP_WAIT_POLICY", "passive", FALSE); /* checks have more threads than cores: none may spin */
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null >= 0) dup2(null, STDIN_FILENO);
  struct verdict verdict = run_here(task, output);
  const char status = (char)verdict.status;
  write_all(answer, &status, 1);
  write_all(answer, verdict.sentence, strlen(verdict.sentence));
  _exit(0);
}

/* Reads until the end or the deadline; FALSE: the deadline. */
static gboolean read_answer(int fd, gint64 deadline, GString *answer) {
  for (;;) {
    const gint64 left = (deadline - g_get_monotonic_time() + 999) / 1000;
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    const int ready = left > 0 ? poll(&poller, 1, (int)MIN(left, G_MAXINT)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return FALSE;
    char bytes[4096];
    const gssize count = read(fd, bytes, sizeof bytes);
    if (count <= 0) return TRUE;
    g_string_append_len(answer, bytes, count);
  }
}

/* Waits for a child that has answered; FALSE: it lives on at the deadline. Ends it, and what it has started. */
static gboolean reap(pid_t child, gint64 deadline, int *status) {
  const guint nap = 1000;
  siginfo_t info = {0};
  for (;; g_usleep(nap)) {
    waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT);
    if (info.si_pid || g_get_monotonic_time() >= deadline) break;
  }
  kill(-child, SIGKILL); /* before the wait, after which its number may be another's */
  waitpid(child, status, 0);
  return info.si_pid != 0;
}

/* A sanitizer's report, or else the first line that a child printed; NULL: none. The caller frees it. */
static char *last_words(int output, gboolean *report) {
  char text[4096];
  const gssize length = pread(output, text, sizeof text - 1, 0);
  if (length <= 0) return NULL;
  text[length] = '\0';
  g_autofree char *valid = g_utf8_make_valid(text, -1), *first = NULL;
  g_auto(GStrv) lines = g_strsplit(valid, "\n", -1);
  for (char **line = lines; *line; line++) {
    const char *error = strstr(*line, "ERROR: "), *runtime = strstr(*line, "runtime error: ");
    *report = runtime || (error && strstr(error, "Sanitizer: "));
    if (*report) return g_strdup_printf("%.200s", runtime ? *line : error);
    if (!first && g_strstrip(*line)[0]) first = g_strdup_printf("%.200s", *line);
  }
  return g_steal_pointer(&first);
}

static struct verdict judge_death(int status, int output) {
  gboolean report = FALSE;
  g_autofree char *words = last_words(output, &report);
  const char *printed = words ? "; it printed: " : "", *shown = words ? words : "";
  if (WIFSIGNALED(status))
    return (struct verdict){CONFORM_CRASHED, g_strdup_printf("died of signal %d (%s)%s%s", WTERMSIG(status),
                                                             g_strsignal(WTERMSIG(status)), printed, shown)};
  if (report) return (struct verdict){CONFORM_CRASHED, g_strdup_printf("stopped by a sanitizer: %s", shown)};
  return (struct verdict){CONFORM_FAILED,
                          g_strdup_printf("the process ended before the check did, with exit status %d%s%s",
                                          WEXITSTATUS(status), printed, shown)};
}

static struct verdict judge(const struct task *task, pid_t child, int answer, int output) {
  const gint64 deadline = g_get_monotonic_time() + (gint64)(task->options->time_limit * 1e6);
  g_autoptr(GString) text = g_string_new(NULL);
  const gboolean answered = read_answer(answer, deadline, text);
  int status;
  if (!reap(child, answered ? deadline : 0, &status))
    return (struct verdict){CONFORM_FAILED, g_strdup_printf("it took longer than %g s; --time-limit allows more",
                                                            task->options->time_limit)};
  if (!text->len || (guint8)text->str[0] >= CONFORM_STATUSES || !WIFEXITED(status)) return judge_death(status, output);
  return (struct verdict){(enum conform_status)text->str[0], g_strdup(text->str + 1)};
}

static gboolean run_apart(const struct task *task, struct verdict *verdict, GError **error) {
  int answer[2];
  const int output = memfd_create("output", MFD_CLOEXEC);
  if (output < 0) return error_failed(error, "no memory for the output of a check: %s", g_strerror(errno));
  if (pipe2(answer, O_CLOEXEC)) {
    close(output);
    return error_failed(error, "no pipe for a check: %s", g_strerror(errno));
  }
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    close(answer[0]);
    run_child(task, answer[1], output);
  }
  close(answer[1]);
  if (child > 0) setpgid(child, child); /* whichever of the two is first */
  if (child > 0) *verdict = judge(task, child, answer[0], output);
  close(answer[0]);
  close(output);
  return child > 0 || error_failed(error, "no process for a check: %s", g_strerror(errno));
}

static gboolean run_task(const struct task *task, struct verdict *verdict, GError **error) {
  if (!task->options->in_process) return run_apart(task, verdict, error);
  *verdict = run_here(task, -1);
  return TRUE;
}

/* Passes with "KIND NAME" of each plugin, a line each; fails with why there is none; skips when --set is wrong. */
static void list_plugins(struct probe *probe) {
  g_autofree char *reason = NULL;
  if (!probe->file || !plugin_check(probe->file, &reason)) {
    probe_fail(probe, "%s", probe->file ? reason : probe->load_fault);
    return;
  }
  g_autoptr(GError) error = NULL;
  if (!settings_check(probe->options, probe->file, &error)) {
    probe_skip(probe, "%s", error->message);
    return;
  }
  GString *names = g_string_new(NULL);
  for (const struct dvt_plugin *plugin = probe->file; plugin; plugin = plugin->next)
    g_string_append_printf(names, "%u %s\n", plugin->kind, plugin->name);
  probe->sentence = g_string_free(names, FALSE);
}

static gboolean chosen(const struct conform_options *options, const char *id) {
  gboolean included = !options->includes || !*options->includes;
  for (const char *const *glob = options->includes; glob && *glob; glob++)
    included = included || g_pattern_match_simple(*glob, id);
  for (const char *const *glob = options->excludes; glob && *glob; glob++)
    included = included && !g_pattern_match_simple(*glob, id);
  return included;
}

static gboolean check_globs(const char *const *globs, GError **error) {
  guint count;
  const struct conform_check *checks = conform_checks(&count);
  g_autofree const char **ids = g_new(const char *, count);
  for (guint k = 0; k < count; k++) ids[k] = checks[k].id;
  for (; globs && *globs; globs++) {
    guint matches = 0;
    for (guint k = 0; k < count; k++) matches += g_pattern_match_simple(*globs, ids[k]);
    if (matches) continue;
    const char *near = nearest_name(*globs, ids, count);
    return error_at(error, (struct mark){0}, "no check is named '%s'%s%s%s", *globs, near ? "; did you mean '" : "",
                    near ? near : "; --list lists them", near ? "'?" : "");
  }
  return TRUE;
}

struct run {
  const struct conform_options *options;
  void (*report)(gpointer data, const struct conform_result *result);
  gpointer data;
};

static gboolean run_checks(const struct run *run, guint place, guint subject, const char *name, GError **error) {
  guint count;
  const struct conform_check *checks = conform_checks(&count);
  for (guint k = 0; k < count; k++) {
    const struct task task = {run->options, checks[k].run, place};
    struct verdict verdict;
    if (!(checks[k].subjects & subject) || !chosen(run->options, checks[k].id)) continue;
    if (!run_task(&task, &verdict, error)) return FALSE;
    run->report(run->data, &(struct conform_result){&checks[k], subject, name, verdict.status, verdict.sentence});
    g_free(verdict.sentence);
  }
  return TRUE;
}

static gboolean run_plugins(const struct run *run, const char *list, GError **error) {
  g_auto(GStrv) lines = g_strsplit(list, "\n", -1);
  for (guint place = 1; lines[place - 1] && *lines[place - 1]; place++) {
    g_auto(GStrv) words = g_strsplit(lines[place - 1], " ", 2);
    const enum dvt_kind kind = (enum dvt_kind)g_ascii_strtoull(words[0], NULL, 10);
    g_autofree char *name = g_strdup_printf("%s %s", registry_kind_name(kind), words[1]);
    if (!run_checks(run, place, 1u << kind, name, error)) return FALSE;
  }
  return TRUE;
}

gboolean conform_run(const struct conform_options *options,
                     void (*report)(gpointer data, const struct conform_result *result), gpointer data,
                     GError **error) {
  const struct run run = {options, report, data};
  const struct task listing = {options, list_plugins, 0};
  struct verdict verdict;
  if (!check_globs(options->includes, error) || !check_globs(options->excludes, error)) return FALSE;
  if (!g_file_test(options->path, G_FILE_TEST_EXISTS))
    return error_at(error, (struct mark){0}, "%s does not exist", options->path);
  if (!run_task(&listing, &verdict, error)) return FALSE;
  g_autofree char *list = verdict.sentence;
  if (verdict.status == CONFORM_SKIPPED) return error_at(error, (struct mark){0}, "%s", list);
  if (!run_checks(&run, 0, CONFORM_FILE, "file", error)) return FALSE;
  if (verdict.status == CONFORM_PASSED) return run_plugins(&run, list, error);
  return error_failed(error, "%s cannot be used, so nothing else was checked: %s", options->path, list);
}
