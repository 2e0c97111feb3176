#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the host promises aligners, seen by one with every hook (tests/train/hooks.c), and what it does to bad ones."""
import json
import os
import re
import struct
import sys

from experiment import small
from tap import case, dovetail, main, write

hooks = os.path.dirname(os.path.abspath(sys.argv[3]))


def run(folder, fault="none", *changes):
    aligners = ("  - {plugin: rotation, weight: 0.5}\n",
                f"  - {{plugin: rotation, weight: 0.5}}\n  - {{plugin: hooks, params: {{fault: {fault}}}}}\n")
    write(folder, "hooks.yaml", small(aligners, *changes))
    return dovetail("run", "hooks.yaml", "-q", "--plugin-path", hooks, folder=folder)


def end(folder, fault, expected, status=1):
    done = run(folder, fault)
    assert done.returncode == status and re.search(expected, done.stderr), (done.returncode, done.stderr)


@case
def every_hook_comes_in_its_turn_with_the_same_images(folder):
    done = run(folder)
    assert done.returncode == 0, done.stderr
    with open(os.path.join(folder, "runs/small/metrics.jsonl")) as file:
        lines = [json.loads(line)["aligner_losses"] for line in file]
    assert all(line["rotation"] > 0 and line["hooks"] > 0 for line in lines), lines


@case
def two_of_a_kind_have_names_and_components_of_their_own(folder):
    twice = ("  - {plugin: shared-init}\n", "  - {plugin: hooks}\n")
    done = run(folder, "none", twice)
    assert done.returncode == 0, done.stderr
    files = os.listdir(os.path.join(folder, "runs/small/components"))
    assert {"hooks-first.safetensors", "hooks-2-first.safetensors"} <= set(files), files


@case
def a_head_is_trained_by_the_networks_that_use_it(folder):
    """Network b never runs it: no statistics and no gradient of b may reach the component."""
    assert run(folder).returncode == 0
    with open(os.path.join(folder, "runs/small/components/hooks-first.safetensors"), "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    values = struct.unpack(f"<{(len(data) - 8 - size) // 4}f", data[8 + size:])
    assert header["linear.weight"]["shape"][0] == 2 and all(abs(value) < 100 for value in values), values


@case
def networks_whose_images_cannot_be_paired(folder):
    done = run(folder, "none", ("  b: *network", "  b: {<<: *network, classes: [0, 1, 2]}"), ("batch: 16", "batch: 8"))
    assert done.returncode == 2 and re.search(r"hooks\.yaml:\d+:\d+: aligner hooks needs the same images.*a and b",
                                              done.stderr), done.stderr


@case
def a_network_with_the_name_of_an_aligner(folder):
    done = run(folder, "none", ("  b: *network", "  rotation: *network"))
    assert done.returncode == 2 and re.search(r"hooks\.yaml:9:3: network 'rotation'", done.stderr), done.stderr


@case
def a_joint_loss_that_is_not_a_number(folder):
    end(folder, "joint-nan", r"step 0, between the networks: the hooks loss is not a number")


@case
def a_joint_loss_that_fails(folder):
    end(folder, "joint-fails", r"step 0, between the networks: aligner hooks: joint_loss: it fails here")


@case
def a_hook_that_fails_without_a_word(folder):
    end(folder, "fails-silently", r"step 0, network a: aligner hooks: feature_loss: it failed with status -5")


@case
def heads_out_of_turn(folder):
    end(folder, "late-head", r"make_head may be called during init alone")
    end(folder, "joint-head", r"auxiliary heads run in feature_loss and view_loss alone")
    end(folder, "nameless-head", r"hooks\.yaml:13:14: aligner hooks: an auxiliary head needs a name", 2)


@case
def a_label_out_of_range(folder):
    end(folder, "bad-label", r"aligner hooks: feature_loss: cross_entropy: label 2 of 2 classes")


main()
