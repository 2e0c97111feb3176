#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Incremental training, in stages and against the components of an earlier run: what is frozen, and what is refused."""
import json
import os
import re
import shutil
import struct
import sys

from components import metadata, rewrite, tensors
from experiment import interrupt, small
from tap import case, dovetail, main, write

hooks = os.path.dirname(os.path.abspath(sys.argv[3]))

ALONE = ("  b: *network\n", "")
STAGES = ("seed: 3\n", "seed: 3\nscheme: incremental\n")
TAKEN = ("  a: &network\n", "  a:\n    <<: &network\n"), ("    backbone", "      backbone"), \
    ("    split", "      split"), ("    head", "      head"), ("  b: *network\n", "    from: runs/alone\n  b: *network\n")
ROTATION = "{plugin: rotation, weight: 0.5}"
SHARED = "  - {plugin: shared-init}\n"


def aligned(*aligners):
    """The change to these aligners."""
    return SHARED + f"  - {ROTATION}\n", "".join(f"  - {aligner}\n" for aligner in aligners)


def from_run(aligner):
    return aligner.replace("}", ", from: runs/alone}", 1)


def named(name):
    return "name: small", f"name: {name}"


def start(folder, *changes, command="run", options=()):
    write(folder, "e.yaml", small(("threads: 2", "threads: 1"), *changes))  # a stage trains one network
    quiet = ["-q"] if command == "run" else []
    return dovetail(command, "e.yaml", *quiet, "--plugin-path", hooks, *options, folder=folder)


def run(folder, *changes, options=()):
    done = start(folder, *changes, options=options)
    assert done.returncode == 0, done.stderr
    return done


def path_of(folder, run_name, component):
    return os.path.join(folder, f"runs/{run_name}/components/{component}.safetensors")


def components(folder, run_name):
    """The tensors of every component of a run, by name."""
    names = sorted(os.listdir(os.path.join(folder, f"runs/{run_name}/components")))
    return {name.split(".")[0]: tensors(path_of(folder, run_name, name.split(".")[0])) for name in names}


def lines(folder, run_name):
    with open(os.path.join(folder, f"runs/{run_name}/metrics.jsonl")) as file:
        return [json.loads(line) for line in file]


def stages_equal_hand_work(folder, auxiliary, *aligners):
    """One incremental run, and the same as two runs: all bits agree, and those of the first run last."""
    run(folder, named("stages"), STAGES, aligned(*aligners))
    run(folder, named("alone"), ALONE, aligned(*aligners))
    taken = [from_run(aligner) if aligner in auxiliary else aligner for aligner in aligners]
    run(folder, named("taken"), *TAKEN, aligned(*taken))
    stages, alone, taken = (components(folder, name) for name in ("stages", "alone", "taken"))
    assert len(alone) == 2 + len(auxiliary) and set(stages) == set(taken) == set(alone) | {"b-extractor", "b-head"}
    for name in stages:
        assert stages[name] == taken[name], name
    for name in alone:
        assert alone[name] == taken[name], name
    assert stages["b-extractor"] != stages["a-extractor"]


@case
def stages_equal_hand_work_with_rotation(folder):
    stages_equal_hand_work(folder, [ROTATION], "{plugin: shared-init}", ROTATION)


@case
def stages_equal_hand_work_with_losses_on_features(folder):
    stages_equal_hand_work(folder, ["{plugin: hooks}"], "{plugin: hooks}")


@case
def stages_equal_hand_work_with_common_classes(folder):
    stages_equal_hand_work(folder, ["{plugin: common-classes}"], "{plugin: common-classes}")


@case
def stages_equal_hand_work_with_distillation(folder):
    stages_equal_hand_work(folder, [], "{plugin: distillation}")


@case
def stages_equal_hand_work_without_aligners(folder):
    """The second network then is what it would be in a joint run."""
    none = ("aligners:\n" + SHARED + f"  - {ROTATION}\n", "")
    run(folder, named("stages"), STAGES, none)
    run(folder, named("joint"), none, options=["--set", "train.threads=2"])
    stages, joint = components(folder, "stages"), components(folder, "joint")
    assert list(stages) == list(joint)
    for name in stages:
        assert stages[name] == joint[name], name


@case
def an_incremental_run_repeats_bit_for_bit(folder):
    for _ in range(2):
        run(folder, STAGES, aligned("{plugin: hooks}", ROTATION), options=["--set", "train.threads=2"])
    assert components(folder, "small") == components(folder, "small-2")
    resolved = dovetail("run", "runs/small/resolved.yaml", "-q", "--plugin-path", hooks, folder=folder)
    assert resolved.returncode == 0, resolved.stderr
    assert components(folder, "small-3") == components(folder, "small")


@case
def shared_init_takes_the_values_before_training(folder):
    """At a rate of almost 0 in the second run, b is what a was before it was trained, and not what a is."""
    still = ("rate: 0.05", "rate: 1.0e-9")
    run(folder, named("alone"), ALONE)
    run(folder, named("untrained"), still, ALONE)
    run(folder, named("taken"), still, *TAKEN)
    trained, b, untrained = (tensors(path_of(folder, *place))["conv1.weight"] for place in
                             (("taken", "a-extractor"), ("taken", "b-extractor"), ("untrained", "a-extractor")))

    def distance(one, other):
        count = len(one) // 4
        return max(abs(x - y) for x, y in zip(*(struct.unpack(f"<{count}f", data) for data in (one, other))))
    assert distance(b, untrained) < 1e-6 < 1e-3 < distance(b, trained)


@case
def shared_init_says_nothing_of_networks_that_it_leaves_alone(folder):
    deep = ("  b: *network\n", "  b: {<<: *network, backbone: {plugin: resnet, params: {depth: 14, width: 4}}}\n")
    run(folder, named("alone"), deep, aligned(ROTATION))
    taken = deep[0], deep[1].replace("}}}", "}}, from: runs/alone}") + "  c: *network\n"
    done = start(folder, taken, aligned("{plugin: shared-init}"), command="check",
                 options=["--set", "networks.a.from=runs/alone"])
    assert done.returncode == 0 and "network b" not in done.stderr, done.stderr


@case
def a_trained_head_learns_from_frozen_features(folder):
    """A loss on the features of a alone: only the auxiliary head can learn from it."""
    run(folder, named("alone"), ALONE)
    heads = []
    for epochs in (1, 2):
        run(folder, named(f"taken{epochs}"), *TAKEN, aligned("{plugin: hooks}"),
            options=["--set", f"train.epochs={epochs}"])
        result = components(folder, f"taken{epochs}")
        heads.append(result.pop("hooks-first"))
        for name in ("a-extractor", "a-head"):
            assert result[name] == tensors(path_of(folder, "alone", name)), name
    assert heads[0] != heads[1]


@case
def only_what_is_trained_is_reported(folder):
    done = start(folder, STAGES)
    assert done.returncode == 0, done.stderr
    assert [(line["stage"], line["epoch"], line["network"]) for line in lines(folder, "small")] == \
        [(1, 1, "a"), (1, 2, "a"), (2, 1, "b"), (2, 2, "b")]
    with open(os.path.join(folder, "runs/small/results.json")) as file:
        results = json.load(file)
    assert len(results["pairs"]) == 4 and results["steps"] == 2 * 8, results
    run(folder, named("alone"), ALONE)
    done = dovetail("run", write(folder, "taken.yaml", small(named("taken"), *TAKEN)), folder=folder)
    assert done.returncode == 0 and "b: loss" in done.stderr and "a: loss" not in done.stderr, done.stderr
    assert [(line.get("stage"), line["network"]) for line in lines(folder, "taken")] == [(None, "b")] * 2


@case
def frozen_components_keep_what_their_files_said(folder):
    run(folder, named("alone"), ALONE)
    run(folder, named("taken"), *TAKEN, aligned("{plugin: shared-init}", from_run(ROTATION)),
        options=["--set", "data.limit={test: 7}"])
    for name in ("a-extractor", "a-head", "rotation-rotation"):
        assert metadata(path_of(folder, "alone", name)) == metadata(path_of(folder, "taken", name)), name
    own = metadata(path_of(folder, "taken", "b-extractor"))
    assert own["dovetail.network"] == "b" and own["dovetail.seed"] == "3"
    assert json.loads(own["dovetail.aligned_with"]) == ["a", "b"]


@case
def networks_of_runs_are_there_from_the_first_stage_on(folder):
    run(folder, named("alone"), ALONE)
    run(folder, STAGES, *TAKEN, ("  b: *network\n", "  b: *network\n  c: *network\n"), aligned("{plugin: hooks}"))
    assert [(line["stage"], line["network"]) for line in lines(folder, "small")] == \
        [(1, "b"), (1, "b"), (2, "c"), (2, "c")]
    assert all(line["aligner_losses"]["hooks"] > 0 for line in lines(folder, "small"))
    assert components(folder, "small")["a-head"] == tensors(path_of(folder, "alone", "a-head"))


@case
def one_network_in_stages_is_the_joint_run(folder):
    run(folder, named("stages"), STAGES, ALONE)
    run(folder, named("joint"), ALONE)
    assert components(folder, "stages") == components(folder, "joint")


@case
def an_interrupt_keeps_the_stage_that_trains(folder):
    status, messages = interrupt(folder, STAGES)
    assert status == 130, (status, messages)
    assert set(components(folder, "small")) == {"a-extractor", "a-head", "rotation-rotation"}


@case
def a_warning_where_initial_values_are_not_those_of_the_run(folder):
    run(folder, named("alone"), ALONE)
    quiet = start(folder, *TAKEN, aligned("{plugin: shared-init}"), command="check")
    assert quiet.returncode == 0 and not quiet.stderr, quiet.stderr
    done = start(folder, *TAKEN, aligned("{plugin: shared-init}"), command="check", options=["--set", "seed=4"])
    assert done.returncode == 0 and re.search("with seed 3.* with seed 4: aligner shared-init", done.stderr), done.stderr
    rewrite(path_of(folder, "alone", "a-extractor"), lambda header, data: header.pop("__metadata__") and data)
    done = start(folder, *TAKEN, aligned("{plugin: shared-init}"), command="check")
    assert done.returncode == 0 and "seed (not known)" in done.stderr, done.stderr


@case
def a_warning_where_a_run_was_stopped(folder):
    interrupt(folder)
    done = start(folder, command="check", options=["--set", "networks.a.from=runs/small"])
    assert done.returncode == 0, done.stderr
    assert "a-extractor.safetensors: its run did not come to its end" in done.stderr, done.stderr


@case
def a_copy_of_what_a_stopped_run_left_is_warned_of_too(folder):
    interrupt(folder)
    run(folder, named("taken"), options=["--set", "networks.a.from=runs/small"])
    assert metadata(path_of(folder, "taken", "a-extractor")) == metadata(path_of(folder, "small", "a-extractor"))
    done = start(folder, command="check", options=["--set", "networks.a.from=runs/taken"])
    assert "a-extractor.safetensors: its run did not come to its end" in done.stderr, done.stderr


@case
def a_warning_where_a_new_head_cannot_align_with_what_is_frozen(folder):
    run(folder, named("alone"), ALONE)
    done = start(folder, *TAKEN, aligned(ROTATION), command="check")
    assert done.returncode == 0 and "are trained without network a" in done.stderr, done.stderr


def refused(folder, message, *changes, status=2, command="check"):
    done = start(folder, *changes, command=command)
    assert done.returncode == status and re.search(message, done.stderr), (done.returncode, done.stderr)


@case
def what_does_not_fit(folder):
    run(folder, named("alone"), ALONE)
    a = r"e\.yaml:10:11: \S*/runs/alone/components/a-extractor.safetensors does not fit: its "
    head = a.replace("extractor", "head")
    depth = ("{plugin: resnet, params: {depth: 8,", "{plugin: resnet, params: {depth: 14,")
    refused(folder, a + r'parameters: .*"depth": 8,.*; of network a in the experiment: .*"depth": 14,', *TAKEN, depth)
    refused(folder, a + "split: layer2; of network a in the experiment: layer1", *TAKEN,
            ("split: layer2", "split: layer1"))
    refused(folder, head + "plugin: resnet-tail; of network a in the experiment: linear", *TAKEN,
            ("{plugin: resnet-tail, params: {depth: 8, width: 4}}", "{plugin: linear}"))


@case
def classes_that_do_not_fit(folder):
    run(folder, named("alone"), ALONE, ("split: layer2", "split: layer2\n    classes: [0, 1, 2]"), ("batch: 16", "batch: 8"))
    other = ("      split: layer2", "      split: layer2\n      classes: [2, 1, 0]")
    refused(folder, r"e\.yaml:11:11: .*a-head.safetensors does not fit: its classes: (\w+), (\w+), (\w+); "
            r"of network a in the experiment: \3, \2, \1\n", *TAKEN, other, ("batch: 16", "batch: 8"))


@case
def an_aligner_without_heads_takes_nothing(folder):
    run(folder, named("alone"), ALONE)
    refused(folder, r"e\.yaml:13:33: aligner shared-init has no auxiliary heads that a run could give", *TAKEN,
            aligned(from_run("{plugin: shared-init}")))


@case
def runs_that_are_none(folder):
    refused(folder, r"e\.yaml:10:11: the extractor of network a is not there: no file .*/runs/alone/components/a-ex", *TAKEN)
    os.makedirs(os.path.join(folder, "runs/alone"))
    refused(folder, r"e\.yaml:10:11: the extractor of network a is not there", *TAKEN, command="run")
    run(folder, named("other"), ALONE)
    shutil.copytree(os.path.join(folder, "runs/other"), os.path.join(folder, "runs/alone"), dirs_exist_ok=True)
    os.remove(path_of(folder, "alone", "a-head"))
    refused(folder, r"e\.yaml:10:11: the head of network a is not there: no file .*/a-head", *TAKEN)


TAKEN_WHOLE = *TAKEN, aligned(from_run(ROTATION))
PLACES = {"a-extractor": r"e\.yaml:10:11: ", "rotation-rotation": r"e\.yaml:13:43: "}


def damage(folder, component, status, message, change):
    """Damages a component, expects the message at its place, and mends it; no run may have begun."""
    path = path_of(folder, "alone", component)
    with open(path, "rb") as file:
        whole = file.read()
    with open(path, "wb") as file:
        file.write(change(whole))
    refused(folder, rf"{PLACES[component]}\S*{component}\.safetensors\S* {message}", *TAKEN_WHOLE, status=status,
            command="run")
    assert os.listdir(os.path.join(folder, "runs")) == ["alone"]
    with open(path, "wb") as file:
        file.write(whole)


@case
def damaged_components(folder):
    run(folder, named("alone"), ALONE)
    for component, tensor in ("a-extractor", "conv1.weight"), ("rotation-rotation", "linear.weight"):
        quoted = f'"{tensor}"'.encode()
        damage(folder, component, 1, r"tensor '\S+': its data end at byte \d+ of the buffer; the file has \d+",
               lambda whole: whole[:-1])
        damage(folder, component, 1, r"ends within its header: \d+ bytes stated, 92 there", lambda whole: whole[:100])
        damage(folder, component, 1, "has 0 bytes; a safetensors file has at least 8", lambda whole: b"")
        damage(folder, component, 1, "its header is not valid JSON: byte 1",
               lambda whole: whole[:8] + bytes([whole[8] ^ 1]) + whole[9:])
        damage(folder, component, 1, r"metadata 'dovetail\.input_shape' is not a list of three integers from 1 on",
               lambda whole: re.sub(rb"(input_shape\S+?,)\d\d\]", rb"\1-2]", whole))
        damage(folder, component, 1, "tensor '.*' holds a value that is not finite",
               lambda whole: whole[:-4] + struct.pack("<f", float("nan")))
        damage(folder, component, 1, r"its tensors are not those that were written: .*'dovetail\.tensors_sha256'",
               lambda whole: whole[:-4] + struct.pack("<f", -struct.unpack("<f", whole[-4:])[0]))
        damage(folder, component, 2, f"does not fit: it has no tensor '{tensor}'",
               lambda whole: whole.replace(quoted, quoted[::-1]))


@case
def a_head_that_is_not_there(folder):
    run(folder, named("alone"), ALONE)
    path = path_of(folder, "alone", "rotation-rotation")
    os.remove(path)
    refused(folder, PLACES["rotation-rotation"] + "the auxiliary head of aligner rotation is not there: no file "
            + re.escape(path), *TAKEN_WHOLE, command="run")
    assert os.listdir(os.path.join(folder, "runs")) == ["alone"]


@case
def a_head_that_does_not_fit(folder):
    """Without a frozen network: nothing but the head can be what does not fit."""
    run(folder, named("alone"), ALONE)
    place = r"e\.yaml:11:43: \S*/rotation-rotation\.safetensors does not fit: "
    for message, change in (("its split: layer2; of aligner rotation in the experiment: layer1",
                             ("split: layer2", "split: layer1")),
                            ('its parameters: .*"width": 4}; of aligner rotation in the experiment: .*"width": 8}',
                             ("width: 4", "width: 8"))):
        refused(folder, place + message, change, aligned(from_run(ROTATION)), command="run")
        assert os.listdir(os.path.join(folder, "runs")) == ["alone"]


@case
def tensors_that_do_not_fit(folder):
    run(folder, named("alone"), ALONE)
    path = path_of(folder, "alone", "a-extractor")

    def more(header, data):
        header["extra"] = {"dtype": "U8", "shape": [0], "data_offsets": [len(data), len(data)]}
        return data

    def hostile(header, data):
        header["\x1b[31mred\nline"] = header.pop("extra")
        return data

    def flat(header, data):
        shape = header["conv1.weight"]["shape"]
        header["conv1.weight"]["shape"] = [shape[0], shape[1], 9]
        del header["\x1b[31mred\nline"]
        return data
    rewrite(path, more)
    refused(folder, r"e\.yaml:10:11: .* does not fit: it has a tensor 'extra', network a in the experiment has none", *TAKEN)
    rewrite(path, hostile)
    refused(folder, r"it has a tensor ' \[31mred line', network a", *TAKEN)
    rewrite(path, flat)
    refused(folder, r"e\.yaml:10:11: .*its tensor 'conv1.weight' is F32 \[4, 3, 9\]; that of network a in the experiment "
            r"F32 \[4, 3, 3, 3\]", *TAKEN)


@case
def heads_that_change_from_stage_to_stage(folder):
    refused(folder, r"e\.yaml:12:14: auxiliary head hooks-first is not the same in every stage: its output shape in "
            r"stage 1: 3×1×1; in stage 2: 4×1×1; say under params", STAGES,
            aligned("{plugin: hooks, params: {fault: growing-head}}"))


main()
