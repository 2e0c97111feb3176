#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Bad input: a clear error at its place, the right exit status, nothing begun, nothing lost."""
import os
import re
import socket

from experiment import small
from tap import case, dovetail, main, plugins, write


def refuse(folder, text, expected, status=2, command="run", arguments=()):
    """The experiment is refused with one line of that pattern, and no run directory is made."""
    write(folder, "bad.yaml", text)
    done = dovetail(command, "bad.yaml", *arguments, folder=folder)
    assert done.returncode == status, f"exit status {done.returncode}: {done.stderr}"
    assert re.search(expected, done.stderr), f"{done.stderr!r} is not {expected!r}"
    assert not os.path.exists(os.path.join(folder, "runs")), "a run was begun"


def refused(name, change, expected, status=2):
    """Makes a case of an experiment with one change."""
    def function(folder):
        refuse(folder, small(change), expected, status)
    function.__name__ = name
    case(function)


refused("unknown key", ("seed: 3", "sead: 3"), r"bad\.yaml:2:1: .*'sead'.*'seed'")
refused("wrong type", ("epochs: 2", "epochs: many"), r"bad\.yaml:13:17: .*many")
refused("value out of range", ("batch: 16", "batch: 0"), r"bad\.yaml:13:27: .*0")
refused("unknown plugin", ("plugin: resnet,", "plugin: resnett,"), r"bad\.yaml:6:24: .*'resnett'.*'resnet'")
refused("plugin of another kind", ("plugin: shared-init", "plugin: linear"), r"bad\.yaml:11:14: .*'linear'")
refused("unknown split", ("split: layer2", "split: layer9"), r"bad\.yaml:7:12: .*'layer9'.*'layer\d'")
refused("unknown parameter", ("depth: 8, width: 4}}\n    split", "deth: 8, width: 4}}\n    split"),
        r"bad\.yaml:6:41: .*'deth'.*'depth'")
refused("parameter of the wrong type", ("depth: 8, width: 4}}\n    split", "depth: deep, width: 4}}\n    split"),
        r"bad\.yaml:6:48: .*deep")
refused("parameter that only the plugin can judge", ("depth: 8, width: 4}}\n    split", "depth: 9, width: 4}}\n    split"),
        r"bad\.yaml:6:48: network a: backbone resnet: .*9.*6n")
refused("head that does not fit the features", ("head: {plugin: resnet-tail, params: {depth: 8, width: 4}}",
                                                 "head: {plugin: resnet-tail, params: {depth: 8, width: 5}}"),
        r"bad\.yaml:8:20: network a: head resnet-tail: .*8.*10")
refused("two networks with one name", ("  b: *network", "  a: *network"), r"bad\.yaml:9:3: .*'a'")
refused("unknown class", ("  b: *network", "  b: {<<: *network, classes: [nothing]}"), r"bad\.yaml:9:31: .*'nothing'")
refused("class given twice", ("  b: *network", "  b: {<<: *network, classes: [0, 1, 0]}"), r"bad\.yaml:9:37: .*twice")
refused("more in a batch than in the data", ("batch: 16", "batch: 65"), r"bad\.yaml:5:3: .*64.*65")
refused("empty file", (small(), ""), r"bad\.yaml:1:1: there is nothing here")
refused("dataset missing", ("{plugin: shapes, params: {train: 64, test: 30}}", "{plugin: cifar10, params: {path: nowhere}}"),
        r"bad\.yaml:3:40: dataset cifar10: .*nowhere", 1)


@case
def alias_bomb(folder):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{k}: &a{k} [" + ", ".join([f"*a{k - 1}"] * 10) + "]" for k in range(1, 12)]
    refuse(folder, "\n".join(lines) + "\n", r"bad\.yaml:\d+:\d+: ")


@case
def megabyte_of_nested_brackets(folder):
    refuse(folder, "[" * (1 << 20), r"bad\.yaml:1:\d+: ")


@case
def not_utf8(folder):
    refuse(folder, b"name: sm\xe4ll\n", r"bad\.yaml:1:\d+: .*UTF-8")


@case
def folder_in_place_of_a_file(folder):
    done = dovetail("run", ".", folder=folder)
    assert done.returncode == 2 and re.search(r"\.: .*(directory|folder)", done.stderr), done.stderr


@case
def missing_file(folder):
    done = dovetail("check", "none.yaml", folder=folder)
    assert done.returncode == 2 and "none.yaml" in done.stderr, done.stderr


@case
def second_of_two_files_wrong(folder):
    write(folder, "good.yaml", small())
    write(folder, "bad.yaml", small(("seed: 3", "sead: 3")))
    done = dovetail("run", "good.yaml", "bad.yaml", folder=folder)
    assert done.returncode == 2 and "bad.yaml:2:1" in done.stderr, done.stderr
    assert not os.path.exists(os.path.join(folder, "runs")), "the first was begun"


@case
def wrong_set(folder):
    write(folder, "good.yaml", small())
    for assignment in ("train.epoch=5", "train.epochs=soon", "train", "=1"):
        done = dovetail("check", "good.yaml", "--set", assignment, folder=folder)
        assert done.returncode == 2 and "--set" in done.stderr, (assignment, done.stderr)


def cifar(folder, name, record):
    """A folder of CIFAR-10 files with 20 records each, one of them as given."""
    for batch in [f"data_batch_{k}.bin" for k in range(1, 6)] + ["test_batch.bin"]:
        write(folder, f"cifar/{batch}", bytes([1] + [7] * 3072) * 20)
    write(folder, f"cifar/{name}", record)
    return small(("{plugin: shapes, params: {train: 64, test: 30}}", "{plugin: cifar10, params: {path: cifar}}"))


@case
def dataset_cut_in_a_record(folder):
    text = cifar(folder, "data_batch_3.bin", bytes([1] + [7] * 3072) * 2 + b"\1\2\3")
    refuse(folder, text, r"data_batch_3\.bin.*record 2", 1)


@case
def label_out_of_range(folder):
    text = cifar(folder, "test_batch.bin", bytes([1] + [7] * 3072) * 5 + bytes([77] + [7] * 3072))
    refuse(folder, text, r"test_batch\.bin.*record 5.*77", 1)


@case
def no_file_of_another_kind_blocks(folder):
    """A socket named as an experiment is refused like any other file that is none."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.join(folder, "bad.yaml"))
        done = dovetail("check", "bad.yaml", folder=folder, seconds=10)
    assert done.returncode == 2 and "bad.yaml" in done.stderr, done.stderr


@case
def file_in_place_of_the_runs_folder(folder):
    write(folder, "good.yaml", small())
    write(folder, "taken", "a file")
    done = dovetail("run", "good.yaml", "--runs", "taken", folder=folder)
    assert done.returncode == 1 and "taken" in done.stderr, done.stderr
    with open(os.path.join(folder, "taken")) as file:
        assert file.read() == "a file"


@case
def unwritable_runs_folder(folder):
    write(folder, "good.yaml", small())
    done = dovetail("run", "good.yaml", "--runs", "/proc/nothing", folder=folder)
    assert done.returncode == 1 and "/proc/nothing" in done.stderr, done.stderr


@case
def loss_that_is_not_a_number(folder):
    write(folder, "wild.yaml", small(("rate: 0.05", "rate: 1000"), ("batch: 16", "batch: 16, weight_decay: 1"),
                                         ("epochs: 2", "epochs: 20")))
    checked = dovetail("run", "wild.yaml", "-q", folder=folder)
    assert checked.returncode == 1 and "a lower learning rate" in checked.stderr, checked.stderr
    done = dovetail("run", "wild.yaml", "-q", "--set", "train.check=0", folder=folder)
    assert done.returncode == 1, done.returncode
    assert re.search(r"step \d+, network [ab]: the (task|rotation) loss is (not a number|infinite)", done.stderr), done.stderr


@case
def wrong_command_line(folder):
    for arguments, expected in ((["rum"], "'run'"), (["run"], "experiment"), (["run", "--sett", "x"], "--sett"),
                                (["inspect", "resnett"], "'resnet'"), (["check", "--set"], "--set")):
        done = dovetail(*arguments, folder=folder)
        assert done.returncode == 2 and expected in done.stderr, (arguments, done.stderr)


@case
def refused_plugin_says_why(folder):
    write(folder, "mine/rotate.so", "not a library")
    write(folder, "bad.yaml", small(("plugin: rotation", "plugin: rotate")))
    done = dovetail("check", "bad.yaml", "--plugin-path", "mine", folder=folder)
    assert done.returncode == 2 and "rotate" in done.stderr, done.stderr
    done = dovetail("plugins", "--plugin-path", "mine", "--refused", folder=folder)
    assert done.returncode == 0 and "rotate.so" in done.stdout, done.stdout
    assert os.path.isdir(plugins)


main()
