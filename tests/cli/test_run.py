#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole runs: what they write, that they repeat to the bit, and how they stop."""
import contextlib
import glob
import json
import os
import shutil
import signal
import struct
import time

from components import tensors
from experiment import endless, interrupt, small
from tap import case, dovetail, main, write


def run(folder, *arguments, text=small()):
    write(folder, "small.yaml", text)
    done = dovetail("run", "small.yaml", *arguments, folder=folder)
    assert done.returncode == 0, done.stderr
    return done


def load(folder, name):
    with open(os.path.join(folder, name)) as file:
        return json.load(file)


def read(path):
    with open(path, "rb") as file:
        return file.read()


@case
def a_run_directory_holds_everything(folder):
    done = run(folder)
    assert "swap accuracy" in done.stdout, done.stdout
    results = load(folder, "runs/small/results.json")
    pairs = {(pair["extractor"], pair["head"]): pair["accuracy"] for pair in results["pairs"]}
    assert set(pairs) == {("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")}
    assert all(0 <= accuracy <= 1 and round(accuracy * 30, 6).is_integer() for accuracy in pairs.values())
    assert abs(results["own_accuracy"] - (pairs["a", "a"] + pairs["b", "b"]) / 2) < 1e-12
    assert abs(results["swap_accuracy"] - (pairs["a", "b"] + pairs["b", "a"]) / 2) < 1e-12
    assert abs(results["chance"] - 0.1) < 1e-12
    ab, ba = results["similarity"]
    assert (ab["extractor"], ab["other"], ab["task"]) == ("a", "b", "b")
    assert (ba["extractor"], ba["other"], ba["task"]) == ("b", "a", "a")
    assert set(ab["dead_channels"]) == {"extractor", "other"}
    for measure in ("correlation", "matched_correlation", "cka"):
        assert results[measure] == ab[measure] == ba[measure] and -1 <= ab[measure] <= 1, (measure, results)
    assert ab["matched_correlation"] >= ab["correlation"]
    line = next(line for line in done.stdout.splitlines() if line.startswith("a and b"))
    assert line.split()[3:6] == [f"{ab[key]:.3f}" for key in ("correlation", "matched_correlation", "cka")], line
    assert results["machine"]["cores"] >= 1 and results["seconds"]["train"] > 0
    assert {plugin["name"] for plugin in results["plugins"]} == {"shapes", "resnet", "resnet-tail", "shared-init", "rotation"}
    assert all(len(plugin["sha256"]) == 64 and plugin["version"] for plugin in results["plugins"])
    assert load(folder, "runs/small/run.json")["state"] == "done"
    assert read(os.path.join(folder, "runs/small/experiment.yaml")) == small().encode()
    lines = [json.loads(line) for line in read(os.path.join(folder, "runs/small/metrics.jsonl")).splitlines()]
    assert [(line["epoch"], line["network"]) for line in lines] == [(1, "a"), (1, "b"), (2, "a"), (2, "b")]
    assert all(line["loss"] > 0 and line["aligner_losses"]["rotation"] > 0 for line in lines)


@case
def components_are_whole_and_named(folder):
    run(folder)
    files = sorted(os.path.basename(path) for path in glob.glob(os.path.join(folder, "runs/small/components/*")))
    assert files == ["a-extractor.safetensors", "a-head.safetensors", "b-extractor.safetensors", "b-head.safetensors",
                     "rotation-rotation.safetensors"], files
    extractor = tensors(os.path.join(folder, "runs/small/components/a-extractor.safetensors"))
    assert len(extractor["conv1.weight"]) == 4 * 3 * 3 * 3 * 4 and "layer2.0.bn2.running_var" in extractor
    assert "layer3.0.conv1.weight" in tensors(os.path.join(folder, "runs/small/components/a-head.safetensors"))


@case
def the_resolved_experiment_gives_the_same_bits(folder):
    run(folder)
    resolved = os.path.join(folder, "runs/small/resolved.yaml")
    done = dovetail("run", resolved, "--runs", "again", folder=folder)
    assert done.returncode == 0, done.stderr
    for name in ("a-extractor", "a-head", "b-extractor", "b-head", "rotation-rotation"):
        first, second = (tensors(os.path.join(folder, f"{runs}/small/components/{name}.safetensors"))
                         for runs in ("runs", "again"))
        assert first == second, name


@case
def the_resolved_experiment_stands_alone(folder):
    """Relative paths are absolute in it, so it means the same from wherever it is read."""
    for batch in [f"data_batch_{k}.bin" for k in range(1, 6)] + ["test_batch.bin"]:
        write(folder, f"cifar/{batch}", bytes([1] + [7] * 3072) * 20)
    run(folder, text=small(("{plugin: shapes, params: {train: 64, test: 30}}", "{plugin: cifar10, params: {path: cifar}}")))
    done = dovetail("check", os.path.join(folder, "runs/small/resolved.yaml"), folder="/")
    assert done.returncode == 0, done.stderr


@case
def seeds_give_different_networks(folder):
    run(folder)
    run(folder, "--set", "seed=4", "--runs", "other")
    name = "small/components/a-extractor.safetensors"
    assert tensors(os.path.join(folder, "runs", name)) != tensors(os.path.join(folder, "other", name))


@case
def shared_init_starts_and_independence_does_not(folder):
    """Without training to speak of (rate of almost 0) parameters of convolutions stay as initialised."""
    still = ("rate: 0.05", "rate: 1.0e-9")
    run(folder, "--runs", "shared", text=small(still))
    run(folder, "--runs", "apart", text=small(still, ("  - {plugin: shared-init}\n", "")))
    for part in ("extractor", "head"):
        apart = [distance(folder, runs, part) for runs in ("shared", "apart")]
        assert apart[0] < 1e-6 and apart[1] > 1e-2, apart


def distance(folder, runs, part):
    """The largest difference between the two networks' values of a convolution."""
    a, b = (tensors(os.path.join(folder, f"{runs}/small/components/{network}-{part}.safetensors")) for network in "ab")
    name = next(name for name in a if name.endswith("0.conv1.weight"))
    count = len(a[name]) // 4
    return max(abs(x - y) for x, y in zip(*(struct.unpack(f"<{count}f", values[name]) for values in (a, b))))


@case
def a_taken_name_gets_a_counter(folder):
    for _ in range(3):
        run(folder, "-q")
    assert sorted(os.listdir(os.path.join(folder, "runs"))) == ["small", "small-2", "small-3"]


@case
def one_network_has_nothing_to_swap(folder):
    done = run(folder, "--json", text=small(("  b: *network\n", "")))
    results = json.loads(done.stdout)
    assert results["swap_accuracy"] is None and len(results["pairs"]) == 1, results
    assert results["similarity"] == [] and results["correlation"] is None and results["cka"] is None, results


@case
def three_networks_of_different_tasks(folder):
    text = small(("  b: *network\n", "  b: {<<: *network, classes: [0, 3, 4]}\n  c: {<<: *network, split: layer1,"
                  " head: {plugin: linear}}\n"), ("  - {plugin: rotation, weight: 0.5}\n", ""), ("epochs: 2", "epochs: 1"))
    results = json.loads(run(folder, "--json", "-q", "--set", "train.batch=8", text=text).stdout)
    accuracy = {(pair["extractor"], pair["head"]): pair["accuracy"] for pair in results["pairs"]}
    assert len(accuracy) == 9
    for (extractor, head), value in accuracy.items():
        fits = (extractor == "c") == (head == "c")
        assert (value is not None) == fits, (extractor, head, value)
    similarity = {(pair["extractor"], pair["other"]): pair for pair in results["similarity"]}
    assert len(similarity) == 6
    for (extractor, other), pair in similarity.items():
        fits = "c" not in (extractor, other)
        assert pair["task"] == other
        for key in ("correlation", "matched_correlation", "cka", "dead_channels"):
            assert (pair[key] is not None) == fits, pair
    assert similarity["a", "b"]["cka"] != similarity["b", "a"]["cka"], "on other images"


@case
def threads_do_not_change_what_a_network_sees(folder):
    """Metrics of the first epoch agree to rounding when every network gets one thread or two."""
    losses = []
    for threads in (2, 4):
        run(folder, "-q", "--set", f"train.threads={threads}", "--set", "train.epochs=1", "--runs", f"threads{threads}")
        lines = read(os.path.join(folder, f"threads{threads}/small/metrics.jsonl")).splitlines()
        losses.append([json.loads(line)["loss"] for line in lines])
    assert all(abs(one - two) < 1e-3 for one, two in zip(*losses)), losses


@case
def what_a_head_keeps_is_that_of_the_pairs_that_fit(folder):
    other = "  c: {backbone: {plugin: resnet, params: {depth: 8, width: 2}}, split: layer2, head: {plugin: linear}, classes: [0, 1, 2]}\n"
    aligners = "aligners:\n  - {plugin: shared-init}\n  - {plugin: rotation, weight: 0.5}\n"
    done = run(folder, text=small((aligners, other), ("epochs: 2", "epochs: 8")))
    pairs = {(pair["extractor"], pair["head"]): pair["accuracy"] for pair in load(folder, "runs/small/results.json")["pairs"]}
    assert pairs["a", "c"] is None and pairs["c", "a"] is None and pairs["c", "c"] is not None
    own = pairs["a", "a"] + pairs["b", "b"] - 0.2
    kept = f"{100 * max(0, pairs['a', 'b'] + pairs['b', 'a'] - 0.2) / own:.0f}%" if own > 1e-9 else "nothing"
    assert f"extractor: small {kept}" in done.stdout, (kept, done.stdout)


@case
def an_interrupt_ends_with_130_and_keeps_the_components(folder):
    status, messages = interrupt(folder)
    assert status == 130, (status, messages)
    assert load(folder, "runs/small/run.json")["state"] == "interrupted"
    assert "conv1.weight" in tensors(os.path.join(folder, "runs/small/components/a-extractor.safetensors"))
    assert not os.path.exists(os.path.join(folder, "runs/small/results.json"))


@contextlib.contextmanager
def hangup(handling):
    """How processes that are started meanwhile take the end of their terminal."""
    before = signal.signal(signal.SIGHUP, handling)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@case
def a_closed_terminal_and_a_signal_to_a_whole_group_keep_them_too(folder):
    """`timeout`, for one, signals the process and then its group: the same request comes twice."""
    for signals in (signal.SIGHUP,), (signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM):
        with hangup(signal.SIG_DFL):
            status, messages = interrupt(folder, signals=signals)
        assert status == 130, (signals, status, messages)
        directory = max(glob.glob(os.path.join(folder, "runs/small*")), key=os.path.getmtime)
        assert load(directory, "run.json")["state"] == "interrupted", signals
        assert os.path.exists(os.path.join(directory, "components/a-extractor.safetensors")), signals
        shutil.rmtree(os.path.join(folder, "runs"))


@case
def a_run_under_nohup_outlives_its_terminal(folder):
    with hangup(signal.SIG_IGN), endless(folder) as process:
        process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert process.poll() is None


@case
def more_threads_than_cores_are_told(folder):
    write(folder, "small.yaml", small(("threads: 2", f"threads: {len(os.sched_getaffinity(0)) + 1}")))
    assert "train.threads is" in dovetail("check", "small.yaml", folder=folder).stderr
    write(folder, "small.yaml", small((", threads: 2", "")))
    assert "train.threads is" not in dovetail("check", "small.yaml", folder=folder).stderr


@case
def no_terminal_codes_in_a_log(folder):
    done = run(folder)
    assert "\033" not in done.stderr + done.stdout and "\r" not in done.stderr
    assert done.stderr.count("epoch") == 2, done.stderr


main()
