# SPDX-License-Identifier: MIT
"""A small experiment whose networks are wide enough for every kernel, and what its runs leave."""
import glob
import json
import os

from components import tensors
from experiment import small
from tap import dovetail, write

# Wide enough that there is more than one way; an epoch is one step, and two of them show what weights became. float32:
# what bfloat16 rounds is far larger than what the ways differ in.
TEXT = small(("threads: 2,", "threads: 2, precision: float32,"),
             ("shapes, params: {train: 64, test: 30}", "shapes, params: {train: 16, test: 20}"),
             ("depth: 8, width: 4}}\n    split", "depth: 8, width: 16}}\n    split"),
             ("resnet-tail, params: {depth: 8, width: 4}", "resnet-tail, params: {depth: 8, width: 16}"))


def own_cache(folder):
    return {"XDG_CACHE_HOME": os.path.join(folder, "cache")}


def run(folder, name, *arguments, text=TEXT, **variables):
    """A run of this name; the cache is the folder's own."""
    write(folder, "small.yaml", text)
    done = dovetail("run", "small.yaml", "-q", "--runs", name, *arguments, folder=folder,
                    env={**own_cache(folder), **variables})
    assert done.returncode == 0, done.stderr
    return os.path.join(folder, name, "small")


def about(directory):
    with open(os.path.join(directory, "run.json")) as file:
        return json.load(file)


def choices(directory):
    return about(directory).get("choices")


def instructions(directory):
    """Of the machine; ONEDNN_MAX_CPU_ISA takes none away from them."""
    return about(directory)["machine"]["isa"]


def components(directory):
    files = glob.glob(os.path.join(directory, "components", "*.safetensors"))
    assert files
    return {os.path.basename(path): tensors(path) for path in files}


def losses(directory):
    """Of each step and network."""
    with open(os.path.join(directory, "metrics.jsonl")) as file:
        return [json.loads(line)["loss"] for line in file]


def agree(one, other, within=1e-5):
    """
    Whether two runs did the same sums, in another order or with other rounding. A loss is a mean of values near 2, each
    behind some thousand roundings, in float32 of 6e-8 of either sign; the second step's has the gradients of the first
    in it, which took 1% off it. 1e-5 is far above the roundings, and below what an error of a thousandth in a gradient
    makes.
    """
    first, second = losses(one), losses(other)
    assert len(first) == len(second) == 4
    assert all(abs(x - y) < within * y for x, y in zip(first, second)), (first, second)
