/* SPDX-License-Identifier: MIT */
/** Whether others may change what would be loaded. */
#ifndef PLUGIN_TRUST_H
#define PLUGIN_TRUST_H

/**
 * NULL when a file or folder belongs to root or the user, and nobody else may write to it. Else one sentence that says
 * why not and what to do, which the caller frees. Says nothing about the folders above.
 */
char *trust_fault(const char *path);

#endif
