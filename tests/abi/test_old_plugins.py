#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plugins of ABI 1.0 in training, from each of the files that hold them. Arguments after those of tap.py: FILE..."""
import json
import os
import shutil
import sys

from tap import case, dovetail, main, write

TOGETHER = """\
name: old
data: {plugin: old-stripes}
networks:
  a: &network
    backbone: {plugin: old-patches}
    split: patches
    head: {plugin: old-linear}
  b: *network
aligners: [{plugin: old-alike, weight: 0.1}]
train: {epochs: 8, batch: 16, threads: 2, augment: {pad: 0, flip: false}, schedule: {kind: cosine, rate: 0.1}}
"""
MIXED = """\
name: old
data: {plugin: old-stripes}
networks:
  a: {backbone: {plugin: resnet, params: {depth: 8, width: 4}}, split: layer2, head: {plugin: old-linear}}
  b: {backbone: {plugin: old-patches}, split: patches, head: {plugin: linear}}
aligners: [{plugin: old-alike, weight: 0.1}, {plugin: rotation}]
train: {epochs: 4, batch: 16, threads: 2, augment: {pad: 0, flip: false}, schedule: {kind: cosine, rate: 0.1}}
"""


def accuracies(folder, file, text):
    """Own and swap accuracy of an experiment with the plugins of a file."""
    os.mkdir(os.path.join(folder, "plugins"))
    shutil.copy(file, os.path.join(folder, "plugins"))
    write(folder, "old.yaml", text)
    done = dovetail("run", "old.yaml", "-q", "--json", "--plugin-path", "plugins", folder=folder)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    return results["own_accuracy"], results["swap_accuracy"]


def add_cases(file):
    name = os.path.basename(file).removesuffix(".so")

    def together(folder):
        own, swap = accuracies(folder, file, TOGETHER)
        assert own > 0.7 and swap > 0.7, (own, swap)

    def mixed(folder):
        own, _ = accuracies(folder, file, MIXED)
        assert own > 0.6, own

    for test in (together, mixed):
        test.__name__ = f"{name} {test.__name__}"
        case(test)


for path in sys.argv[3:]:
    add_cases(path)
main()
