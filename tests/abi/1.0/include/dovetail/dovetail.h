/* SPDX-License-Identifier: MIT */
/** The whole plugin ABI. plugins/aligners/rotation/plugin.c is an example of its use. */
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
