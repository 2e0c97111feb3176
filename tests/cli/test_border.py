# SPDX-License-Identifier: MIT
"""What plugins leave at the border is checked in use: test_border.py DOVETAIL PLUGINS_FOLDER TRESPASS_PLUGIN"""
import os
import sys

from experiment import small
from tap import case, dovetail, main, write

TRESPASS = os.path.dirname(os.path.abspath(sys.argv[3]))
ALIGNER = ("  - {plugin: rotation, weight: 0.5}", "  - {plugin: trespass, params: {fault: %s, at: %d}}")
HEAD = ("head: {plugin: resnet-tail, params: {depth: 8, width: 4}}", "head: {plugin: trespass, params: {fault: %s}}")


def run(folder, change, values, *options):
    write(folder, "e.yaml", small((change[0], change[1] % values), ("epochs: 2", "epochs: 5")))
    return dovetail("run", "e.yaml", "-q", "--plugin-path", TRESPASS, *options, folder=folder)


def refused(folder, change, values, *expected):
    done = run(folder, change, values)
    assert done.returncode == 1, (done.returncode, done.stderr)
    for text in expected:
        assert text in done.stderr, (text, done.stderr)


@case
def well_behaved_ones_run(folder):
    for change, values in ((ALIGNER, ("none", 0)), (HEAD, "none")):
        done = run(folder, change, values)
        assert done.returncode == 0, done.stderr


@case
def hook_that_leaves_a_nan(folder):
    refused(folder, ALIGNER, ("nan", 0), "step 0, network", "aligner trespass: feature_loss: the gradients of the features",
            "there is a NaN")


@case
def hook_that_writes_past_the_end(folder):
    for fault in "behind", "before":
        refused(folder, ALIGNER, (fault, 2), "step 2", "aligner trespass: feature_loss: memory beside the gradients of the "
                "features was overwritten")


@case
def hook_that_changes_a_shape(folder):
    refused(folder, ALIGNER, ("shape", 15), "step 15", "the plugin changed memory, type or shape of the gradients")


@case
def memory_that_is_exchanged_is_the_hosts_still(folder):
    for fault in "memory", "shape":
        refused(folder, ALIGNER, (fault, 0), "feature_loss: the plugin changed memory, type or shape of the gradients")
        refused(folder, HEAD, fault, "forward: the plugin changed memory, type or shape of the logits")


@case
def head_that_leaves_a_nan(folder):
    refused(folder, HEAD, "nan", "head trespass: forward: the logits are not finite")


@case
def head_with_a_logit_too_many(folder):
    refused(folder, HEAD, "logits", "network a: head trespass gives 11 logits; it was made for 10 classes")


@case
def head_that_writes_past_the_end(folder):
    for fault in "behind", "before":
        refused(folder, HEAD, fault, "head trespass: forward: memory beside the logits was overwritten")


@case
def head_that_writes_beside_a_gradient(folder):
    refused(folder, HEAD, "weight", "head trespass: backward: memory beside the gradients of fc.weight was overwritten")


@case
def later_steps_are_checked_now_and_then(folder):
    late = run(folder, ALIGNER, ("behind", 13))
    assert late.returncode == 0, late.stderr
    every = run(folder, ALIGNER, ("behind", 13), "--set", "train.check=13")
    assert every.returncode == 1 and "step 13" in every.stderr, every.stderr
    never = run(folder, ALIGNER, ("behind", 0), "--set", "train.check=0")
    assert never.returncode == 0, never.stderr


main()
