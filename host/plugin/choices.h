/* SPDX-License-Identifier: MIT */
/**
 * Which way plugins take where several lead to the same: dvt_host.choose. What was measured once is kept in
 * $XDG_CACHE_HOME/dovetail/choices.json, by machine:
 *
 *     {MACHINE: {KEY: {"way": NAME, "milliseconds": {NAME: …, …}}}}
 *
 * A damaged file is an empty one, and one that cannot be written does no harm. Processes add to it what they measured;
 * what is lost when two write in the same moment is measured again.
 */
#ifndef PLUGIN_CHOICES_H
#define PLUGIN_CHOICES_H

#include <jansson.h>
#include <stdint.h>

#include "base/auto.h"

struct choices;

/** machine: all that tells this machine's speed from another's; it is copied. Never NULL. */
struct choices *choices_new(const char *machine);
void choices_free(struct choices *choices);
AUTO_DEFINE(choices, choices_free)

/**
 * See dvt_host.choose. Any thread; one measures at a time. A question that breaks the contract gets way 0, unmeasured:
 * no ways or more than 64, a key or name that is NULL or not UTF-8.
 */
uint32_t choices_choose(struct choices *choices, const char *key, uint32_t count, const char *const *names,
                        double (*seconds)(void *data, uint32_t way), void *data);

/**
 * Begins a run: forgets which choices were used, not what they were. recorded: {KEY: NAME} of the runs that this one
 * goes on with, as choices_used told them, which go before what is known of the machine; a name that is none of the
 * ways is ignored. It takes a reference of its own; NULL: there are none. Any thread.
 */
void choices_begin(struct choices *choices, json_t *recorded);

/** {KEY: NAME} of those used since the run began. The caller owns it. Any thread. */
json_t *choices_used(struct choices *choices);

#endif
