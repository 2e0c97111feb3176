/* SPDX-License-Identifier: MIT */
/** The whole plugin ABI. docs/writing-plugins.md leads through it. */
#ifndef DOVETAIL_DOVETAIL_H
#define DOVETAIL_DOVETAIL_H

#include <dovetail/abi.h>
#include <dovetail/aligner.h>
#include <dovetail/dataset.h>
#include <dovetail/error.h>
#include <dovetail/host.h>
#include <dovetail/module.h>
#include <dovetail/param.h>
#include <dovetail/plugin.h>
#include <dovetail/tensor.h>

#endif
