/* SPDX-License-Identifier: MIT */
/** Datasets of a plugin file, opened as the host opens them: parameters in YAML, checked against the plugin's table. */
#ifndef TESTS_OPENED_H
#define TESTS_OPENED_H

#include "data/dataset.h"
#include "plugin/services.h"

/** The plugin of that name in a file; ends the program when there is none. */
const struct dvt_plugin *plugin_load(const char *file, const char *name);

/** The services of every test. */
const struct dvt_host *test_host(void);

/** params is a YAML map. The caller frees the dataset. */
struct dataset *dataset_opened(const struct dvt_plugin *plugin, const struct dvt_host *host, const char *params,
                               GError **error);

/** Fails the case unless that ends in an error whose message holds each of a NULL-terminated list of words. */
void assert_refused(const struct dvt_plugin *plugin, const char *params, const char *const *words);
#define ASSERT_REFUSED(plugin, params, ...) assert_refused(plugin, params, (const char *const[]){__VA_ARGS__, NULL})

/** Fails the case unless several threads, each in an order of its own, read what one thread reads. */
void assert_threads_agree(const struct dataset *dataset, enum dvt_subset subset);

/** Mean and standard deviation of one channel of the training subset, by reading all of it. */
void measure_channel(const struct dataset *dataset, guint channel, double *mean, double *deviation);

#endif
