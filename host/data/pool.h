/* SPDX-License-Identifier: MIT */
/**
 * Opened datasets that compositions share, at the same time or one after another: the same plugin with the same values
 * is opened once, and its images are in memory once. What was opened is not looked at again, so a change of its files
 * is not seen before the pool has freed it. In one thread at a time, as the registry.
 */
#ifndef DATA_POOL_H
#define DATA_POOL_H

#include "config/values.h"
#include "data/dataset.h"
#include "plugin/choices.h"

enum { DATASET_POOL_IDLE = 4 /**< datasets that nobody uses, kept for the next who asks: those used last */ };

struct dataset_pool;

struct dataset_pool *dataset_pool_new(void);

/** Frees its datasets; all of them have been closed. */
void dataset_pool_free(struct dataset_pool *pool);
AUTO_DEFINE(dataset_pool, dataset_pool_free)

/**
 * The dataset of these values, which has the services of an experiment's dataset, seed 0 among them. Errors as of
 * dataset_open. Belongs to the pool; the caller closes it as often as it was given out.
 */
const struct dataset *dataset_pool_open(struct dataset_pool *pool, const struct dvt_plugin *plugin,
                                        const struct values *values, const struct plugin_use *use, GError **error);
void dataset_pool_close(struct dataset_pool *pool, const struct dataset *dataset);

/** Lets the datasets that are open choose by time; `choices` must outlive the pool. */
void dataset_pool_choose(struct dataset_pool *pool, struct choices *choices);

#endif
