/* SPDX-License-Identifier: MIT */
#include "train/results.h"

#include <math.h>

struct mean {
  double sum;
  guint count;
};

static void mean_add(struct mean *mean, double value) {
  if (!isnan(value)) mean->sum += value, mean->count++;
}

static double mean_value(const struct mean *mean) { return mean->count ? mean->sum / mean->count : (double)NAN; }

/* Pairs without an accuracy count nowhere: each swap is held against the own accuracy of the same head. */
static double share_kept(const struct session_result *result, const struct composition *composition) {
  double own = 0, swap = 0;
  for (guint i = 0; i < result->count; i++)
    for (guint j = 0; j < result->count; j++) {
      const double accuracy = result->accuracy[(gsize)i * result->count + j];
      const double chance = 1.0 / composition->networks[j].task->class_count;
      if (i == j || isnan(accuracy)) continue;
      own += result->accuracy[(gsize)j * result->count + j] - chance;
      swap += accuracy - chance;
    }
  return own > 0 ? MAX(0, swap / own) : (double)NAN;
}

void results_take_means(struct session_result *result, const struct composition *composition) {
  struct mean own = {0}, swap = {0}, chance = {0}, correlation = {0}, matched = {0}, cka = {0};
  for (guint i = 0; i < result->count; i++) {
    mean_add(&chance, 1.0 / composition->networks[i].task->class_count);
    for (guint j = 0; j < result->count; j++) {
      const gsize pair = (gsize)i * result->count + j;
      mean_add(i == j ? &own : &swap, result->accuracy[pair]);
      mean_add(&correlation, result->similarity[pair].correlation);
      mean_add(&matched, result->similarity[pair].matched_correlation);
      mean_add(&cka, result->similarity[pair].cka);
    }
  }
  result->own = mean_value(&own);
  result->swap = mean_value(&swap);
  result->chance = mean_value(&chance);
  result->kept = share_kept(result, composition);
  result->correlation = mean_value(&correlation);
  result->matched_correlation = mean_value(&matched);
  result->cka = mean_value(&cka);
}

static json_t *number(double value) { return isnan(value) ? json_null() : json_real(value); }

static json_t *channel_list(const GArray *channels) {
  json_t *list = json_array();
  for (guint k = 0; k < channels->len; k++)
    json_array_append_new(list, json_integer(g_array_index(channels, guint, k)));
  return list;
}

static json_t *dead_channels(const struct similarity *similarity) {
  if (!similarity->dead[0]) return json_null();
  return json_pack("{s:o, s:o}", "extractor", channel_list(similarity->dead[0]), "other",
                   channel_list(similarity->dead[1]));
}

static json_t *accuracy_entry(const char *extractor, const char *head, double accuracy) {
  return json_pack("{s:s, s:s, s:o}", "extractor", extractor, "head", head, "accuracy", number(accuracy));
}

static json_t *similarity_entry(const char *extractor, const char *other, const struct similarity *similarity) {
  return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "extractor", extractor, "other", other, "task", other,
                   "correlation", number(similarity->correlation), "matched_correlation",
                   number(similarity->matched_correlation), "cka", number(similarity->cka), "dead_channels",
                   dead_channels(similarity));
}

/* Every extractor with every head, and every extractor with every other. */
static void list_pairs(const struct session_result *result, const struct composition *composition, json_t *accuracies,
                       json_t *similarities) {
  for (guint i = 0; i < result->count; i++)
    for (guint j = 0; j < result->count; j++) {
      const gsize pair = (gsize)i * result->count + j;
      const char *extractor = composition->networks[i].spec->name, *other = composition->networks[j].spec->name;
      json_array_append_new(accuracies, accuracy_entry(extractor, other, result->accuracy[pair]));
      if (i != j) json_array_append_new(similarities, similarity_entry(extractor, other, &result->similarity[pair]));
    }
}

gboolean results_write(const struct session_result *result, const struct composition *composition, struct run *run,
                       GError **error) {
  json_t *accuracies = json_array(), *similarities = json_array();
  list_pairs(result, composition, accuracies, similarities);
  json_t *results =
      json_pack("{s:s, s:I, s:o, s:o, s:f, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:{s:f, s:f}, s:f, s:o, s:O}", "name",
                composition->experiment->name, "seed", (json_int_t)composition->experiment->seed, "own_accuracy",
                number(result->own), "swap_accuracy", number(result->swap), "chance", result->chance, "correlation",
                number(result->correlation), "matched_correlation", number(result->matched_correlation), "cka",
                number(result->cka), "pairs", accuracies, "similarity", similarities, "steps",
                (json_int_t)result->steps, "threads", (json_int_t)result->threads, "seconds", "train",
                result->train_seconds, "measure", result->measure_seconds, "images_per_second",
                result->images_per_second, "machine", run_machine(), "plugins", json_object_get(run->info, "plugins"));
  const gboolean good = run_results(run, results, error);
  json_decref(results);
  return good;
}
