#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the host promises aligners, seen by one with every hook (tests/train/hooks.c), what it does to bad ones, and the
built-in ones in experiments."""
import glob
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


def losses(folder, runs="runs"):
    """Of the aligners, by epoch and network."""
    with open(os.path.join(folder, runs, "small/metrics.jsonl")) as file:
        return [json.loads(line)["aligner_losses"] for line in file]


def end(folder, fault, expected, status=1):
    done = run(folder, fault)
    assert done.returncode == status and re.search(expected, done.stderr), (done.returncode, done.stderr)


@case
def every_hook_comes_in_its_turn_with_the_same_images(folder):
    done = run(folder)
    assert done.returncode == 0, done.stderr
    lines = losses(folder)
    assert all(line["rotation"] > 0 and line["hooks"] > 0 for line in lines), lines


@case
def a_run_lists_the_plugins_that_aligners_ask_for(folder):
    assert run(folder).returncode == 0
    with open(os.path.join(folder, "runs/small/results.json")) as file:
        listed = {(plugin["kind"], plugin["name"]) for plugin in json.load(file)["plugins"]}
    assert {("head", "resnet-tail"), ("head", "linear"), ("aligner", "hooks")} <= listed, listed


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
def a_plugin_that_ends_the_program_is_told(folder):
    end(folder, "exits", r"ended from within: a plugin")


@case
def heads_out_of_turn(folder):
    end(folder, "late-head", r"make_head may be called during init alone")
    end(folder, "joint-head", r"auxiliary heads run in feature_loss and view_loss alone")
    end(folder, "nameless-head", r"hooks\.yaml:13:14: aligner hooks: an auxiliary head needs a name", 2)


@case
def a_label_out_of_range(folder):
    end(folder, "bad-label", r"aligner hooks: feature_loss: cross_entropy: label 2 of 2 classes")


@case
def tensors_of_other_shapes_for_a_head(folder):
    end(folder, "wide-features", r"aligner hooks: feature_loss: head_forward takes features of the network's shape")
    for fault in "wide-gradient", "wide-logits":
        end(folder, fault, r"aligner hooks: feature_loss: head_backward takes gradients in the shapes of logits and")


def aligned(aligners, *changes):
    """An experiment with these aligners alone."""
    lines = "".join(f"  - {{{aligner}}}\n" for aligner in aligners)
    return small(("  - {plugin: shared-init}\n  - {plugin: rotation, weight: 0.5}\n", lines), *changes)


def check(folder, aligner, *changes, command="check"):
    write(folder, "aligned.yaml", aligned([aligner], *changes))
    return dovetail(command, "aligned.yaml", folder=folder)


def refuse(folder, aligner, expected, *changes, at=None):
    """The experiment is refused at the aligner's name, or where a value stands last in it, and no run is begun."""
    done, ran = (check(folder, aligner, *changes, command=command) for command in ("check", "run"))
    lines = aligned([aligner], *changes).splitlines()
    line = lines.index(f"  - {{{aligner}}}")
    name = aligner.split(",")[0].removeprefix("plugin: ")
    start = f"dovetail: aligned.yaml:{line + 1}:{lines[line].rindex(at or name) + 1}: aligner {name}"
    assert done.returncode == 2 and done.stderr.startswith(start), (done.returncode, done.stderr)
    assert re.search(expected, done.stderr), done.stderr
    assert (ran.returncode, ran.stderr) == (done.returncode, done.stderr), ran.stderr
    assert not os.path.exists(os.path.join(folder, "runs")), "a run was begun"


def network_b(change):
    return "  b: *network", f"  b: {{<<: *network, {change}}}"


NETWORK_A = "    head: {plugin: resnet-tail, params: {depth: 8, width: 4}}\n"
LATER_SPLIT = network_b("split: layer3, head: {plugin: linear}")
WIDER = network_b("backbone: {plugin: resnet, params: {depth: 8, width: 8}}, "
                  "head: {plugin: resnet-tail, params: {depth: 8, width: 8}}, classes: [0, 1]")
APART = [(NETWORK_A, NETWORK_A + "    classes: [house, tree]\n"), network_b("classes: [car, boat]")]


@case
def distillation_between_networks_that_cannot_be_paired(folder):
    wanted = "distillation needs the same images in every network; a and b have different data or classes"
    refuse(folder, "plugin: distillation", wanted, network_b("classes: [0, 1, 2]"), ("batch: 16", "batch: 8"))
    refuse(folder, "plugin: distillation", wanted, network_b("data: {plugin: shapes, params: {train: 65, test: 30}}"))


@case
def distillation_between_features_of_different_shape(folder):
    refuse(folder, "plugin: distillation",
           "network a .* 8 x 16 x 16 after layer2, network b of 16 x 8 x 8 after layer3", LATER_SPLIT)


@case
def common_classes_that_are_wrong(folder):
    few = ("batch: 16", "batch: 8")
    refuse(folder, "plugin: common-classes", "no class is in the task of every network", *APART, few)
    refuse(folder, "plugin: common-classes, params: {classes: [house, tre]}",
           "network a has no class 'tre'; .*house, tree", at="tre")
    refuse(folder, "plugin: common-classes, params: {classes: [house, 10]}", "network a has no class '10'",
           at="10")
    refuse(folder, "plugin: common-classes, params: {classes: [house, car]}", "network b has no class 'car'",
           network_b("classes: [tree, house]"), few, at="car")
    refuse(folder, "plugin: common-classes, params: {classes: [0, house]}", "class 'house' is given twice", at="house")
    refuse(folder, "plugin: common-classes, params: {classes: house}", "'house' is the only common class", at="house")
    refuse(folder, "plugin: common-classes", "network a has features of 8 x 16 x 16 after layer2, network b of 16 x 8 x 8 "
           "after layer3; an auxiliary head needs features of one shape", LATER_SPLIT)


@case
def common_classes_of_tasks_that_differ(folder):
    """Networks with other classes in another order train through one head, which is kept with the names they share."""
    write(folder, "aligned.yaml", aligned(["plugin: common-classes"], network_b("classes: [car, boat, tree, house]"),
                                          ("batch: 16", "batch: 8")))
    done = dovetail("run", "aligned.yaml", "-q", folder=folder)
    assert done.returncode == 0, done.stderr
    with open(os.path.join(folder, "runs/small/components/common-classes-common-classes.safetensors"), "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
    assert json.loads(header["__metadata__"]["dovetail.classes"]) == ["house", "tree", "car", "boat"], header
    assert header["linear.weight"]["shape"][0] == 4, header


@case
def networks_of_different_depth_data_and_classes(folder):
    """Every head is measured on its own task's images, behind either extractor."""
    b = network_b("backbone: {plugin: resnet, params: {depth: 14, width: 4}}, classes: [2, 0, 4, 5], "
                  "head: {plugin: resnet-tail, params: {depth: 14, width: 4}}, "
                  "data: {plugin: shapes, params: {train: 48, test: 40}}")
    changes = (NETWORK_A, NETWORK_A + "    classes: [0, 1, 2]\n"), b, ("batch: 16", "batch: 8")
    write(folder, "aligned.yaml", aligned(["plugin: rotation", "plugin: common-classes"], *changes))
    done = dovetail("run", "aligned.yaml", "-q", "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    accuracy = {(pair["extractor"], pair["head"]): pair["accuracy"] for pair in results["pairs"]}
    assert set(accuracy) == {(extractor, head) for extractor in "ab" for head in "ab"}, accuracy
    for (extractor, head), value in accuracy.items():
        images = {"a": 9, "b": 16}[head]
        assert 0 <= value <= 1 and round(value * images, 6).is_integer(), (extractor, head, value)
    assert abs(results["swap_accuracy"] - (accuracy["a", "b"] + accuracy["b", "a"]) / 2) < 1e-12, results
    lines = losses(folder)
    assert len(lines) == 4 and all(line["rotation"] > 0 and line["common-classes"] > 0 for line in lines), lines


@case
def shared_init_of_networks_without_a_weight_in_common(folder):
    refuse(folder, "plugin: shared-init", "network b has no weight of the same name and shape as network a", WIDER,
           ("batch: 16", "batch: 8"))


@case
def shared_init_says_what_it_shares(folder):
    done = check(folder, "plugin: shared-init", network_b("classes: [0, 1, 2]"), ("batch: 16", "batch: 8"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ("dovetail: shared-init: network b starts with 45 of its 47 weights from network a, all but "
                           "linear.weight, linear.bias\n"), done.stderr
    assert check(folder, "plugin: shared-init").stderr == ""


@case
def distillation_draws_features_together(folder):
    """A weight of 0 changes nothing and measures: with a weight the same difference ends far below that."""
    for weight, runs in (("0", "apart"), ("1", "together")):
        write(folder, "aligned.yaml", aligned([f"plugin: distillation, weight: {weight}"], ("epochs: 2", "steps: 40")))
        done = dovetail("run", "aligned.yaml", "-q", "--runs", runs, folder=folder)
        assert done.returncode == 0, done.stderr
    apart, together = (losses(folder, runs)[-1]["distillation"] for runs in ("apart", "together"))
    assert 0 < together < apart / 4, (apart, together)


@case
def aligners_together_repeat_to_the_bit(folder):
    together = ["plugin: rotation, weight: 0.5", "plugin: common-classes, weight: 2, params: {classes: [0, car, 4]}",
                "plugin: distillation, weight: 1.5", "plugin: shared-init"]
    write(folder, "aligned.yaml", aligned(together))
    for runs in ("first", "second"):
        done = dovetail("run", "aligned.yaml", "-q", "--runs", runs, folder=folder)
        assert done.returncode == 0, done.stderr
    last = losses(folder, "first")[-1]
    assert all(last[name] > 0 for name in ("rotation", "common-classes", "distillation")), last
    components = glob.glob(os.path.join(folder, "first/small/components/*"))
    assert len(components) == 6, components
    for path in components + [os.path.join(folder, "first/small/metrics.jsonl")]:
        with open(path, "rb") as first, open(path.replace("/first/", "/second/"), "rb") as second:
            assert first.read() == second.read(), path


main()
