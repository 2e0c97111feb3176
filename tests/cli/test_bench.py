#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dovetail bench: what it reports, and that it agrees with itself. How fast it was is nobody's business here."""
import json
import os
import subprocess
import sys

from experiment import small
from tap import case, dovetail, main, write

PHASES = ["forward", "backward_data", "backward_weights", "norm", "aligner", "optimiser", "waiting", "other", "data"]
KEYS = ["experiment", "networks", "batch", "threads", "precision", "steps", "machine", "seconds_to_first_step",
        "peak_memory_bytes", "operations_per_step", "peak_gflops", "with_data", "without_data"]
PLAIN = small(("aligners:\n  - {plugin: shared-init}\n  - {plugin: rotation, weight: 0.5}\n", ""))


def bench(folder, *arguments, text=PLAIN):
    write(folder, "small.yaml", text)
    done = dovetail("bench", "small.yaml", "--steps", "3", "--tune", "off", "--json", *arguments, folder=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def convolution(inputs, outputs, kernel, side):
    return 2 * inputs * outputs * kernel * kernel * side * side


# ResNet-8 with 4, 8 and 16 channels: a block of two convolutions each, and a way past it where the shape changes.
FIRST = convolution(3, 4, 3, 32)
EXTRACTOR = (FIRST + 2 * convolution(4, 4, 3, 32) + convolution(4, 8, 3, 16) + convolution(8, 8, 3, 16) +
             convolution(4, 8, 1, 16))
HEAD = convolution(8, 16, 3, 8) + convolution(16, 16, 3, 8) + convolution(8, 16, 1, 8)


def operations(classes, views):
    """Of a network and a batch of 16: forward, by weights and by data, which the first convolution has no need of."""
    heads = sum(3 * (HEAD + 2 * 16 * count) for count in classes)
    return 16 * (views * (3 * EXTRACTOR - FIRST) + heads)


@case
def every_figure_is_there(folder):
    result = bench(folder)
    assert sorted(result) == sorted(KEYS), sorted(result)
    assert (result["experiment"], result["networks"], result["batch"], result["threads"]) == ("small", 2, 16, 2)
    assert (result["precision"], result["steps"]) == ("auto", 3)
    first = result["seconds_to_first_step"]
    assert 0 < first["begun"] < first["done"] and result["peak_memory_bytes"] > 1e6
    assert result["peak_gflops"]["float32"] > 0
    for run in (result["with_data"], result["without_data"]):
        assert sorted(run) == ["gflops", "images_per_second", "milliseconds", "milliseconds_per_step", "share_of_peak"]
        assert sorted(run["milliseconds"]) == sorted(PHASES)
        for precision in ("float32", "bfloat16"):
            assert (run["share_of_peak"][precision] is None) == (result["peak_gflops"][precision] is None)
    assert os.listdir(folder) == ["small.yaml"], "a bench leaves nothing behind"


@case
def phases_are_parts_of_a_step(folder):
    for text in (PLAIN, small()):
        result = bench(folder, text=text)
        for run in (result["with_data"], result["without_data"]):
            spent, step = run["milliseconds"], run["milliseconds_per_step"]
            assert all(value >= 0 for value in spent.values()), spent
            assert all(spent[phase] > 0 for phase in PHASES[:4] + ["optimiser"]), spent
            assert (spent["aligner"] > 0) == (text != PLAIN), spent
            assert abs(sum(spent.values()) - spent["data"] - step) < 0.01 * step, (spent, step)
            assert abs(run["images_per_second"] - 32e3 / step) < 0.01 * run["images_per_second"]
            expected = result["operations_per_step"] / step * 1e-6
            assert abs(run["gflops"] - expected) < 0.01 * expected
        assert result["with_data"]["milliseconds"]["data"] > 0 == result["without_data"]["milliseconds"]["data"]


@case
def operations_are_those_of_the_definition(folder):
    assert bench(folder)["operations_per_step"] == 2 * operations(classes=[10], views=1)
    assert bench(folder, text=small())["operations_per_step"] == 2 * operations(classes=[10, 4], views=2)


@case
def values_can_be_set(folder):
    result = bench(folder, "--set", "train.precision=float32", "--set", "train.batch=8", "--set", "train.threads=1")
    assert (result["precision"], result["batch"], result["threads"]) == ("float32", 8, 2), "one each"
    done = dovetail("bench", "--steps", "1", "--tune", "off", "--set", "networks.*.backbone.params.depth=8", "--set",
                    "networks.*.head.params.depth=8", "--set", "train.batch=4", folder=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("bench: 2 networks, batch 4, auto, "), done.stdout
    assert "images/s, all networks" in done.stdout and "backward by weights" in done.stdout


@case
def of_a_sweep_it_says_which_run_it_measures(folder):
    write(folder, "small.yaml", PLAIN + "sweep: {seed: [4, 5], train.batch: [8, 16]}\n")
    done = dovetail("bench", "small.yaml", "--steps", "1", "--tune", "off", "--json", folder=folder)
    assert done.returncode == 0 and json.loads(done.stdout)["batch"] == 8, done.stderr
    assert done.stderr == "of 4 runs the first is measured: seed=4, train.batch=8\n", done.stderr


@case
def fewer_threads_than_asked_for_will_do(folder):
    """oneDNN's barriers would wait for ever for threads that OpenMP may not make."""
    write(folder, "small.yaml", PLAIN)
    for name, value in [("OMP_THREAD_LIMIT", "1"), ("OMP_DYNAMIC", "true"), ("OMP_MAX_ACTIVE_LEVELS", "0")]:
        done = dovetail("bench", "small.yaml", "--steps", "1", "--tune", "off", "--set", "train.threads=8", folder=folder,
                        env={name: value})
        assert done.returncode == 0, done.stderr


@case
def threads_are_those_that_there_is_room_for(folder):
    one = PLAIN.replace("seed: 3", "seed: 3\nscheme: incremental")  # stages train one network at a time
    all_there_is = ["--set", "train.threads=0"]
    usable = os.sched_getaffinity(0)
    assert bench(folder, *all_there_is, text=one)["threads"] == len(usable)
    os.sched_setaffinity(0, [min(usable)])
    try:
        assert bench(folder, *all_there_is, text=one)["threads"] == 1
    finally:
        os.sched_setaffinity(0, usable)
    assert bench(folder, "--set", "train.threads=3")["threads"] == 2, "two networks have equal shares"


@case
def frozen_networks_and_stages_do_no_harm(folder):
    text = PLAIN.replace("seed: 3", "seed: 3\nscheme: incremental")
    alone = bench(folder, text=text)
    assert alone["operations_per_step"] == operations(classes=[10], views=1)
    pulled = bench(folder, "--set", "aligners=[{plugin: distillation}]", text=text)
    assert pulled["operations_per_step"] == alone["operations_per_step"] + 16 * EXTRACTOR
    assert abs(pulled["with_data"]["images_per_second"] * pulled["with_data"]["milliseconds_per_step"] - 16e3) < 160


@case
def what_is_wrong_is_told(folder):
    write(folder, "wrong.yaml", PLAIN.replace("seed: 3", "sed: 3"))
    for arguments, expected in [
        (["missing.yaml"], "missing.yaml"),
        (["wrong.yaml"], "wrong.yaml:2:1: "),
        (["--set", "train.bacth=4"], "'batch'"),
        (["--tune", "of"], "--tune has no choice 'of'"),
        (["--steps", "0"], "--steps"),
        (["a.yaml", "b.yaml"], "one experiment file"),
        (["--nothing"], "--nothing"),
    ]:
        done = dovetail("bench", *arguments, folder=folder)
        assert done.returncode == 2 and expected in done.stderr and not done.stdout, (arguments, done.stderr)


@case
def the_scripts_beside_say_what_they_do(folder):
    scripts = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bench")
    for script, option in [("compare.py", "--aligner"), ("scaling.py", "--precision"), ("peer.py", "--layout")]:
        command = [sys.executable, "-B", os.path.join(scripts, script), "--help"]
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60)
        assert done.returncode == 0 and option in done.stdout.decode(), done.stderr


main()
