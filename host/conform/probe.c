/* SPDX-License-Identifier: MIT */
#include "conform/probe.h"

#include "base/text.h"
#include "plugin/fault.h"

/* One line of UTF-8, whatever a plugin's message in it is. The caller frees it. */
static char *line_of(const char *format, va_list arguments) {
  g_autofree char *text = g_strdup_vprintf(format, arguments);
  return text_line(text);
}

gboolean probe_conclude(struct probe *probe, enum conform_status status, const char *format, ...) {
  g_mutex_lock(&probe->mutex);
  if (probe->status == CONFORM_PASSED || (status == CONFORM_FAILED && probe->status != CONFORM_FAILED)) {
    va_list arguments;
    va_start(arguments, format);
    g_free(probe->sentence);
    probe->status = status;
    probe->sentence = line_of(format, arguments);
    va_end(arguments);
  }
  g_mutex_unlock(&probe->mutex);
  return FALSE;
}

gboolean probe_agree(struct probe *probe, const char *what, const struct record *first, const struct record *second,
                     double tolerance) {
  g_autofree char *difference = record_difference(first, second, tolerance);
  return !difference || probe_fail(probe, "%s: %s", what, difference);
}

struct random_stream probe_stream(const struct probe *probe, const char *name) {
  return random_stream(probe->options->seed, name);
}

void probe_numbers(const struct probe *probe, const char *name, double scale, float *out, gsize count) {
  g_autofree guint32 *words = g_new(guint32, count + 1);
  random_words(probe_stream(probe, name), 0, 0, words, count);
  for (gsize k = 0; k < count; k++) out[k] = (float)(scale * (2.0 * random_unit(words[k]) - 1.0));
}

char *probe_refusal(struct probe *probe, const char *call, const struct dvt_error *fault, int status) {
  if (status > DVT_OK || status < DVT_ERROR_INTERNAL)
    probe_fail(probe, "%s returned %d, which is no enum dvt_status", call, status);
  else if (!fault->message[0] && status != DVT_ERROR_MEMORY)
    probe_fail(probe, "%s returned %d and set no message", call, status);
  else if (!g_utf8_validate(fault->message, -1, NULL))
    probe_fail(probe, "the message of %s is not UTF-8", call);
  return fault_text(fault, status);
}

gboolean probe_called(struct probe *probe, const char *call, const struct dvt_error *fault, int status) {
  if (status == DVT_OK) return TRUE;
  if (status == DVT_ERROR_MEMORY && probe->watch.budget == 0) return FALSE;
  g_autofree char *text = fault_text(fault, status);
  return probe_fail(probe, "%s failed: %s", call, text);
}
