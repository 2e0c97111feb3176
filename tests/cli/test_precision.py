#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs in bfloat16: that it is used where it can be, that they repeat, and how far they are from float32."""
import glob
import os

from tap import Skip, case, main
from wide import agree, components, instructions, run

HALF = "--set", "train.precision=bfloat16"
ROUNDING = 2 ** -9  # of one number in bfloat16, at most; a loss is a mean behind many, of either sign


def files(directory):
    """The components, byte by byte."""
    content = {}
    for path in glob.glob(os.path.join(directory, "components", "*.safetensors")):
        with open(path, "rb") as file:
            content[os.path.basename(path)] = file.read()
    assert content
    return content


@case
def bfloat16_repeats_to_the_bit(folder):
    for more in (), ("--tune", "off"), ("--set", "train.threads=4"):
        first, again = (run(folder, name + "".join(more), *HALF, *more) for name in ("first", "again"))
        assert files(first) == files(again), more


@case
def bfloat16_is_near_float32(folder):
    single = run(folder, "single")
    for isa in "DEFAULT", "AVX2", "SSE41":
        agree(run(folder, isa, *HALF, ONEDNN_MAX_CPU_ISA=isa), single, ROUNDING)


@case
def bfloat16_is_used(folder):
    """Where oneDNN has the blocked layouts that it wants; elsewhere both are dense float32."""
    for isa in "DEFAULT", "AVX2":
        single, half = (run(folder, isa + "".join(more), *more, ONEDNN_MAX_CPU_ISA=isa) for more in ((), HALF))
        if "avx2" not in instructions(single):
            raise Skip("no AVX2")
        assert components(half) != components(single), isa


main()
