/* SPDX-License-Identifier: MIT */
#include "classes.h"

#include <stdlib.h>
#include <string.h>

#include "../names.h"

int32_t class_label(const struct dvt_network *network, const char *name) {
  for (uint32_t label = 0; label < network->class_count; label++)
    if (!strcmp(network->class_names[label], name)) return (int32_t)label;
  return -1;
}

/* A network whose task lacks the class, or NULL. */
static const struct dvt_network *lacking(const struct dvt_network *const *networks, uint32_t count, const char *name) {
  for (uint32_t t = 0; t < count; t++)
    if (class_label(networks[t], name) < 0) return networks[t];
  return NULL;
}

static uint32_t shared(const struct dvt_network *const *networks, uint32_t network_count, const char **names) {
  uint32_t count = 0;
  for (uint32_t label = 0; label < networks[0]->class_count; label++) {
    const char *name = networks[0]->class_names[label];
    if (!lacking(networks, network_count, name)) names[count++] = name;
  }
  return count;
}

/* The name of a class by its name or its label in the task of a network; text itself when it is neither. */
static const char *class_name(const struct dvt_network *network, const char *text) {
  const int is_number = *text && !text[strspn(text, "0123456789")];
  if (!is_number || class_label(network, text) >= 0) return text;
  const unsigned long label = strtoul(text, NULL, 10);
  return label < network->class_count ? network->class_names[label] : text;
}

static int unknown(const struct dvt_network *const *networks, uint32_t network_count, const char *name,
                   const char **room, struct dvt_error *error) {
  struct names known = {0};
  const uint32_t count = shared(networks, network_count, room);
  for (uint32_t k = 0; k < count; k++) names_add(&known, room[k]);
  return dvt_fail(error, DVT_ERROR_ARGUMENT, "the task of network %s has no class '%.64s'; in every task: %s",
                  lacking(networks, network_count, name)->name, name, count ? names_end(&known) : "none");
}

/* names holds the names of those before. */
static int choose(const struct dvt_network *const *networks, uint32_t network_count, const char *const *wanted,
                  uint32_t k, const char **names, struct dvt_error *error) {
  const char *name = class_name(networks[0], wanted[k]);
  for (uint32_t before = 0; before < k; before++)
    if (!strcmp(names[before], name))
      return dvt_fail(error, DVT_ERROR_ARGUMENT, "class '%s' is given twice ('%s' and '%s')", name, wanted[before],
                      wanted[k]);
  if (lacking(networks, network_count, name)) return unknown(networks, network_count, name, names, error);
  names[k] = name;
  return DVT_OK;
}

static int too_few(const char **names, uint32_t count, struct dvt_error *error) {
  if (!count)
    return dvt_fail(error, DVT_ERROR_ARGUMENT,
                    "no class is in the task of every network; classes are the same by name");
  return dvt_fail(error, DVT_ERROR_ARGUMENT, "'%s' is the only common class; a head needs two or more to tell apart",
                  names[0]);
}

int classes_choose(const struct dvt_network *const *networks, uint32_t network_count, const char *const *wanted,
                   uint32_t wanted_count, const char **names, uint32_t *count, struct dvt_error *error) {
  uint32_t k = 0;
  int status = DVT_OK;
  while (k < wanted_count && status == DVT_OK) status = choose(networks, network_count, wanted, k++, names, error);
  if (status == DVT_OK) {
    *count = wanted_count ? wanted_count : shared(networks, network_count, names);
    if (*count < 2) status = too_few(names, *count, error);
  }
  return status == DVT_OK ? DVT_OK : dvt_blame(error, status, "classes", k ? k - 1 : 0);
}
