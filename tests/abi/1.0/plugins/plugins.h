/* SPDX-License-Identifier: MIT */
/* The plugins of this folder are one list in one .so; it begins in backbone.c. */
#include <dovetail/dovetail.h>

extern const struct dvt_plugin old_head, old_aligner, old_dataset;
