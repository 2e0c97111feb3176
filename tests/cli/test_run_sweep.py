#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sweeps: run, killed, interrupted, continued and extended, with real processes; and what is wrong with them."""
import hashlib
import json
import os
import re
import shutil
import signal
import sys

from experiment import TEXT
from tap import case, dovetail, main, start, wait_until, write

hooks = os.path.dirname(os.path.abspath(sys.argv[3]))
BASE = TEXT[:TEXT.index("aligners:")] + TEXT[TEXT.index("train: {epochs"):]
SWEEP = """\
sweep:
  seed: [1, 2]
  aligners:
    independent: []
    rotation+shared-init: [{plugin: rotation}, {plugin: shared-init}]
"""
NAMES = ["1,independent", "1,rotation+shared-init", "2,independent", "2,rotation+shared-init"]
LONG = """\
sweep:
  seed: [1, 2, 3]
  train.epochs: [12]
"""
FAILING = """\
sweep:
  aligners:
    good: []
    bad: [{plugin: hooks, params: {fault: joint-fails}}]
    worse: [{plugin: hooks, params: {fault: fails-silently}}]
    fine: [{plugin: hooks}]
"""


def sweep(folder, text=SWEEP):
    write(folder, "small.yaml", BASE + text)


def run(folder, *arguments, status=0):
    done = dovetail("run", "small.yaml", *arguments, folder=folder)
    assert done.returncode == status, (done.returncode, done.stderr)
    return done


def load(folder, name):
    with open(os.path.join(folder, name)) as file:
        return json.load(file)


def states(folder, runs="runs"):
    return [entry["state"] for entry in load(folder, f"{runs}/small/sweep.json")["runs"]]


def folders(folder, runs="runs"):
    path = os.path.join(folder, runs, "small")
    return sorted(name for name in os.listdir(path) if os.path.isdir(os.path.join(path, name)))


def outcome(folder, entry, runs="runs"):
    """What a run of the manifest gave, without what depends on the time: its accuracies and its components' bytes."""
    path = os.path.join(folder, runs, "small", entry["directory"])
    results = load(path, "results.json")
    digests = {}
    for name in sorted(os.listdir(os.path.join(path, "components"))):
        with open(os.path.join(path, "components", name), "rb") as file:
            digests[name] = hashlib.sha256(file.read()).hexdigest()
    return {key: results[key] for key in ("seed", "own_accuracy", "swap_accuracy", "pairs", "steps")}, digests


def outcomes(folder, runs="runs"):
    return {tuple(entry["labels"]): outcome(folder, entry, runs)
            for entry in load(folder, f"{runs}/small/sweep.json")["runs"]}


def start_until_second_run(folder):
    """Starts a sweep of runs that take a while, and returns the process when the second has trained an epoch."""
    process = start("run", "small.yaml", folder=folder)
    metrics = os.path.join(folder, "runs/small/2,12/metrics.jsonl")
    wait_until(lambda: os.path.exists(metrics) and os.path.getsize(metrics))
    return process


@case
def every_combination_has_its_run(folder):
    sweep(folder)
    done = run(folder)
    assert folders(folder) == NAMES and states(folder) == ["done"] * 4
    manifest = load(folder, "runs/small/sweep.json")
    assert manifest["name"] == "small"
    assert manifest["axes"] == [{"key": "seed", "labels": ["1", "2"]},
                                {"key": "aligners", "labels": ["independent", "rotation+shared-init"]}], manifest
    for entry, name in zip(manifest["runs"], NAMES):
        assert ",".join(entry["labels"]) == entry["directory"] == name
        with open(os.path.join(folder, "runs/small", name, "resolved.yaml"), "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == entry["hash"]
        assert load(folder, f"runs/small/{name}/results.json")["seed"] == int(name[0])
    with open(os.path.join(folder, "runs/small/experiment.yaml")) as file:
        assert file.read() == BASE + SWEEP
    assert "run 3 of 4: seed=2, aligners=independent\n" in done.stderr, done.stderr


@case
def the_end_is_a_summary_over_the_seeds(folder):
    sweep(folder)
    done = run(folder, "-q")
    title, heading, *rows = done.stdout.splitlines()
    assert title == "small: 4 runs" and heading.startswith("aligners") and "swap accuracy" in heading, done.stdout
    assert [row.split()[:2] for row in rows] == [["independent", "2"], ["rotation+shared-init", "2"]], rows
    own = [load(folder, f"runs/small/{seed},independent/results.json")["own_accuracy"] for seed in (1, 2)]
    summary = load(folder, "runs/small/summary.json")
    assert abs(summary["groups"][0]["own_accuracy"]["mean"] - sum(own) / 2) < 1e-9, (summary, own)
    with open(os.path.join(folder, "runs/small/summary.csv")) as file:
        assert file.read().count("\n") == 3
    again = dovetail("report", "runs/small", "--out", "figures", folder=folder)
    assert again.returncode == 0 and again.stdout.rstrip("\n") == done.stdout.rstrip("\n"), again


@case
def a_run_of_a_sweep_is_the_run_on_its_own(folder):
    sweep(folder)
    run(folder, "-q")
    write(folder, "alone.yaml", BASE)
    assert dovetail("run", "alone.yaml", "-q", "--set", "seed=2", "--runs", "alone", folder=folder).returncode == 0
    alone = outcome(folder, {"directory": ""}, "alone")
    assert outcomes(folder)["2", "independent"] == alone


@case
def what_is_done_is_not_run_again(folder):
    sweep(folder)
    first = run(folder, "-q")
    times = [os.stat(os.path.join(folder, "runs/small", name, "results.json")).st_mtime_ns for name in NAMES]
    again = run(folder)
    assert "4 runs, 4 of them done already" in again.stderr and "run 1 of 4" not in again.stderr, again.stderr
    assert again.stdout == first.stdout
    assert times == [os.stat(os.path.join(folder, "runs/small", name, "results.json")).st_mtime_ns for name in NAMES]
    assert os.listdir(os.path.join(folder, "runs")) == ["small"] and folders(folder) == NAMES


@case
def a_sweep_grows(folder):
    sweep(folder)
    run(folder, "-q", "--set", "sweep.seed=[1]")
    sweep(folder, SWEEP + "    rotation: [{plugin: rotation}]\n")
    done = run(folder)
    assert "6 runs, 2 of them done already" in done.stderr, done.stderr
    assert states(folder) == ["done"] * 6 and len(folders(folder)) == 6
    assert os.listdir(os.path.join(folder, "runs")) == ["small"]


@case
def another_sweep_of_that_name_gets_a_counter(folder):
    sweep(folder)
    run(folder, "-q", "--set", "sweep.seed=[1]")
    for _ in range(2):
        run(folder, "-q", "--set", "sweep.seed=[1]", "--set", "train.epochs=1")
    assert sorted(os.listdir(os.path.join(folder, "runs"))) == ["small", "small-2"]


@case
def killed_in_the_middle_it_goes_on_to_the_same_results(folder):
    sweep(folder, LONG)
    process = start_until_second_run(folder)
    process.kill()
    process.communicate()
    assert states(folder) == ["done", "running", "pending"], states(folder)
    done = run(folder)
    assert "3 runs, 1 of them done already" in done.stderr, done.stderr
    assert states(folder) == ["done"] * 3 and folders(folder) == ["1,12", "2,12", "2,12-2", "3,12"]
    assert load(folder, "runs/small/sweep.json")["runs"][1]["directory"] == "2,12-2"
    run(folder, "-q", "--runs", "whole")
    assert outcomes(folder) == outcomes(folder, "whole")


@case
def an_interrupt_is_130_and_the_same_command_continues(folder):
    sweep(folder, LONG)
    process = start_until_second_run(folder)
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 130 and b"1 of 3 runs are done; the same command continues" in messages, messages
    assert states(folder) == ["done", "interrupted", "pending"], states(folder)
    run(folder, "-q")
    assert states(folder) == ["done"] * 3


@case
def a_second_process_is_refused(folder):
    sweep(folder, LONG.replace("12", "100000"))
    process = start("run", "small.yaml", folder=folder)
    wait_until(lambda: os.path.exists(os.path.join(folder, "runs/small/sweep.json")))
    done = run(folder, status=1)
    assert re.search(r"runs/small: another dovetail works on this sweep", done.stderr), done.stderr
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130


@case
def a_damaged_manifest_is_told_and_kept(folder):
    sweep(folder)
    write(folder, "runs/small/sweep.json", '{"name": "small", "axes": [], "runs": [{}]}')
    done = run(folder, status=1)
    assert re.search(r"runs/small/sweep\.json is damaged: run 1 has no list of labels", done.stderr), done.stderr
    assert os.listdir(os.path.join(folder, "runs/small")).count("experiment.yaml") == 0
    with open(os.path.join(folder, "runs/small/sweep.json")) as file:
        assert file.read().endswith('[{}]}')


@case
def a_run_that_fails_costs_that_run(folder):
    sweep(folder, FAILING)
    done = run(folder, "--plugin-path", hooks, status=1)
    assert states(folder) == ["done", "failed", "failed", "done"]
    assert "run bad: step 0" in done.stderr and "it fails here" in done.stderr, done.stderr
    assert "small: 2 of 4 runs failed: bad worse" in done.stderr, done.stderr
    entry = load(folder, "runs/small/sweep.json")["runs"][1]
    assert "it fails here" in entry["error"] and entry["directory"] == "bad", entry
    run(folder, "-q", "--plugin-path", hooks, status=1)
    assert folders(folder) == ["bad", "bad-2", "fine", "good", "worse", "worse-2"]


@case
def stop_on_error(folder):
    sweep(folder, FAILING)
    done = run(folder, "--plugin-path", hooks, "--on-error", "stop", status=1)
    assert states(folder) == ["done", "failed", "pending", "pending"]
    assert "small: 1 of 4 runs failed: bad;" in done.stderr, done.stderr


@case
def on_error_between_files(folder):
    write(folder, "small.yaml", BASE + "aligners: [{plugin: hooks, params: {fault: joint-fails}}]\n")
    write(folder, "good.yaml", BASE.replace("name: small", "name: good"))
    for choice, made in ((["--on-error", "continue"], ["good", "small"]), (["--on-error", "stop"], ["small"]),
                         ([], ["good", "small"])):
        done = run(folder, "good.yaml", "-q", "--plugin-path", hooks, *choice, status=1)
        assert sorted(os.listdir(os.path.join(folder, "runs"))) == made, choice
        assert "1 of 2 files failed: small.yaml" in done.stderr, done.stderr
        shutil.rmtree(os.path.join(folder, "runs"))


@case
def json_is_one_document(folder):
    sweep(folder)
    done = run(folder, "-q", "--json")
    assert isinstance(json.loads(done.stdout), dict) and not done.stderr, done


@case
def check_tells_how_many_and_resolves_each(folder):
    sweep(folder)
    done = dovetail("check", "small.yaml", folder=folder)
    assert done.returncode == 0 and "a sweep of 4 runs, 32 steps in all" in done.stdout, done
    done = dovetail("check", "small.yaml", "--resolved", folder=folder)
    parts = re.split(r"^--- # (.*)\n", done.stdout, flags=re.M)
    assert parts[0] == "" and parts[5] == "run 3 of 4: seed=2, aligners=independent", parts
    write(folder, "third.yaml", parts[6])
    assert dovetail("check", "third.yaml", "--resolved", folder=folder).stdout == parts[6]


@case
def wrong_runs_are_told_before_any_work(folder):
    write(folder, "good.yaml", BASE)
    for text, expected in (
            ("sweep: {seed: [1, x]}\n", r"small\.yaml:11:19: 'x' is not an integer.*\(in the run seed=x\)"),
            ("sweep: {networks.*.split: [layer1, layer9]}\n", r"small\.yaml:11:36: .*'layer9'.*\*\.split=layer9\)"),
            ("sweep: {networks.*.head.params.deth: [8]}\n", r"small\.yaml:11:32: .*'deth'.*'depth'"),
            ("sweep: {seed: [1], train.weight_decay: {a: 0.1, b: 1e-1}}\n",
             r"small\.yaml:11:20: 'a' and 'b' give the same experiment"),
            ("sweep: {aligners: [[]]}\n", r"small\.yaml:11:20: .*LABEL")):
        sweep(folder, text)
        for command in ("run", "check"):
            done = dovetail(command, "good.yaml", "small.yaml", folder=folder)
            assert done.returncode == 2 and re.search(expected, done.stderr), (text, done.stderr)
        assert not os.path.exists(os.path.join(folder, "runs")), "a run was begun"


@case
def wrong_choice_on_error(folder):
    sweep(folder)
    done = run(folder, "--on-error", "stpo", status=2)
    assert "'stpo'" in done.stderr and "'stop'" in done.stderr, done.stderr


main()
