#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dovetail report: tables, figures, and directories that have none to give."""
import csv
import json
import os
import re

from experiment import small
from sweep import sweep
from tap import case, dovetail, main, write

ALIGNERS = ["independent", "rotation", "rotation+shared-init"]
SEEDS = ["1", "2", "3"]


def numbers(aligners, *labels):
    """Deterministic numbers of a run."""
    swap = 0.1 + 0.3 * ALIGNERS.index(aligners) + 0.01 * sum(label == "2" for label in labels)
    return {"own_accuracy": 0.8, "swap_accuracy": swap, "correlation": swap - 0.15, "matched_correlation": 0.5}


def path(folder, *names):
    return os.path.join(folder, *names)


def read(*names):
    with open(os.path.join(*names), "rb") as file:
        return file.read()


def report(*arguments, folder, status=0):
    done = dovetail("report", *arguments, folder=folder)
    assert done.returncode == status, f"exit status {done.returncode}: {done.stderr}"
    return done


def svg_size(*names):
    found = re.search(rb'width="([\d.]+)(?:pt)?" height="([\d.]+)', read(*names))
    return tuple(float(number) for number in found.groups())


@case
def a_sweep_gets_a_table_and_figures(folder):
    sweep(path(folder, "s"), "demo", {"aligners": ALIGNERS, "seed": SEEDS}, numbers)
    done = report("s", folder=folder)
    assert done.stdout.startswith("demo: 9 runs\n"), done.stdout
    assert re.search(r"^independent +3 +80\.0 ± 0\.0 %", done.stdout, re.M), done.stdout
    files = [f"s/figures/demo-{figure}.{ending}" for endings in (["csv"], ["svg", "png"])
             for figure in ("accuracy", "similarity") for ending in endings]
    assert done.stderr == "".join(f"wrote {name}\n" for name in files), done.stderr
    assert sorted(os.listdir(path(folder, "s/figures"))) == sorted(os.path.basename(name) for name in files)
    assert read(folder, "s/figures/demo-accuracy.png").startswith(b"\x89PNG\r\n\x1a\n")
    assert read(folder, "s/figures/demo-accuracy.svg").startswith(b"<?xml")


@case
def the_numbers_lie_beside_the_figure(folder):
    sweep(path(folder, "s"), "demo", {"aligners": ALIGNERS, "seed": SEEDS}, numbers)
    report("s", folder=folder)
    with open(path(folder, "s/figures/demo-accuracy.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["aligners", "runs", "chance", "own_accuracy_mean", "own_accuracy_sd", "swap_accuracy_mean",
                             "swap_accuracy_sd"]
    assert [row["aligners"] for row in rows] == ALIGNERS and {row["runs"] for row in rows} == {"3"}
    assert abs(float(rows[1]["swap_accuracy_mean"]) - (0.4 + 0.01 / 3)) < 1e-12
    assert abs(float(rows[1]["swap_accuracy_sd"]) - 0.01 / 3 ** 0.5) < 1e-12


@case
def labels_survive_csv(folder):
    odd = ['a,b', '"quoted"', "two\nlines", " space", "grün"]
    sweep(path(folder, "s"), "demo", {"aligners": odd}, lambda label: {"own_accuracy": 0.5, "swap_accuracy": 0.25})
    report("s", folder=folder)
    with open(path(folder, "s/figures/demo-accuracy.csv"), newline="", encoding="utf-8") as file:
        assert [row["aligners"] for row in csv.DictReader(file)] == odd


@case
def figures_are_the_same_each_time(folder):
    for name in ("one", "two"):
        sweep(path(folder, name), name, {"aligners": ALIGNERS, "seed": SEEDS}, numbers)
    report("one", "--out", "alone", folder=folder)
    report("two", "one", "--out", "both", folder=folder)
    assert len(os.listdir(path(folder, "alone"))) == 6 and len(os.listdir(path(folder, "both"))) == 12
    for name in os.listdir(path(folder, "alone")):
        assert read(folder, "alone", name) == read(folder, "both", name), name


@case
def split_points_stand_on_the_x_axis(folder):
    """Whichever axis comes first: three panels of four split points, not four of three methods."""
    splits = ["stem", "layer1", "layer2", "layer3"]
    for name, key in (("first", "networks.*.split"), ("second", "networks.a.split")):
        axes = {key: splits, "aligners": ALIGNERS, "seed": SEEDS}
        sweep(path(folder, name), name, axes, lambda split, aligners, seed: numbers(aligners))
    sweep(path(folder, "last"), "last", {"aligners": ALIGNERS, "networks.*.split": splits, "seed": SEEDS}, numbers)
    sweep(path(folder, "other"), "other", {"train.epochs": splits, "aligners": ALIGNERS, "seed": SEEDS},
          lambda epochs, aligners, seed: numbers(aligners))
    report("first", "second", "last", "other", "--out", "f", folder=folder)
    sizes = {name: svg_size(folder, "f", f"{name}-accuracy.svg") for name in ("first", "second", "last", "other")}
    assert sizes["first"] == sizes["second"] == sizes["last"] != sizes["other"], sizes
    bars = read(folder, "f/last-accuracy.svg").count(b"<clipPath")
    assert bars == 3 * 4 + 1, bars  # each swap bar and the legend's are hatched


@case
def older_runs_have_no_similarity_figure(folder):
    sweep(path(folder, "s"), "old", {"aligners": ALIGNERS}, lambda label: {"own_accuracy": 0.8, "swap_accuracy": None})
    done = report("s", folder=folder)
    assert "swap" not in done.stdout and "correlation" not in done.stdout, done.stdout
    assert sorted(os.listdir(path(folder, "s/figures"))) == ["old-accuracy.csv", "old-accuracy.png", "old-accuracy.svg"]
    assert b"<clipPath" not in read(folder, "s/figures/old-accuracy.svg")


@case
def missing_runs_are_told(folder):
    states = {"1": "failed", "2": "pending"}
    sweep(path(folder, "s"), "demo", {"aligners": ALIGNERS, "seed": SEEDS},
          lambda aligners, seed: states.get(seed, numbers(aligners)) if aligners == "rotation" else numbers(aligners))
    done = report("s", folder=folder)
    assert "demo: 7 of 9 runs (1 failed, 1 pending)" in done.stdout, done.stdout


@case
def a_sweep_without_a_finished_run_fails(folder):
    sweep(path(folder, "s"), "demo", {"seed": SEEDS}, lambda seed: "running" if seed == "1" else "pending")
    done = report("s", folder=folder, status=1)
    assert "demo: 0 of 3 runs (1 running, 2 pending)" in done.stdout, done.stdout
    assert "s: no run of this sweep is done: there is nothing to draw" in done.stderr, done.stderr
    assert not os.path.exists(path(folder, "s/figures"))


@case
def a_sweep_over_seeds_alone_is_one_group(folder):
    sweep(path(folder, "s"), "demo", {"seed": SEEDS}, lambda seed: numbers("rotation", seed))
    done = report("s", "--json", folder=folder)
    summary = json.loads(done.stdout)
    assert [group["runs"] for group in summary["groups"]] == [3] and summary["axes"] == []
    assert os.path.exists(path(folder, "s/figures/demo-accuracy.png"))


@case
def json_holds_every_number(folder):
    sweep(path(folder, "s"), "demo", {"aligners": ALIGNERS, "seed": SEEDS}, numbers)
    summary = json.loads(report("s", "--json", folder=folder).stdout)
    assert summary["name"] == "demo" and summary["axes"] == ["aligners"] and summary["runs"]["done"] == 9
    group = summary["groups"][2]
    assert group["labels"] == ["rotation+shared-init"] and group["runs"] == 3 and group["chance"] == 0.1
    assert abs(group["swap_accuracy"]["mean"] - (0.7 + 0.01 / 3)) < 1e-12 and group["cka"] == {"mean": None, "sd": None}


@case
def a_real_run_gets_a_table_alone(folder):
    write(folder, "small.yaml", small(("epochs: 2", "epochs: 1")))
    done = dovetail("run", "small.yaml", "-q", folder=folder)
    assert done.returncode == 0, done.stderr
    with open(path(folder, "runs/small/results.json")) as file:
        own = json.load(file)["own_accuracy"]
    done = report("runs/small", folder=folder)
    assert done.stdout.startswith("small: 1 run\n") and f"{100 * own:.1f} %" in done.stdout, done.stdout
    assert done.stderr == "" and not os.path.exists(path(folder, "runs/small/figures"))


@case
def a_directory_of_neither_kind_is_wrong(folder):
    os.mkdir(path(folder, "empty"))
    done = report("empty", folder=folder, status=2)
    assert "empty: is neither" in done.stderr and "sweep.json" in done.stderr and "results.json" in done.stderr
    assert "gone: is no directory" in report("gone", folder=folder, status=2).stderr


@case
def a_damaged_file_is_named(folder):
    sweep(path(folder, "s"), "demo", {"seed": SEEDS}, lambda seed: numbers("rotation"))
    write(folder, "s/run-1/results.json", '{"chance": 0.1,\n "own_accuracy": }')
    done = report("s", folder=folder, status=1)
    assert re.search(r"s/run-1/results\.json:2:\d+: damaged: ", done.stderr) and done.stdout == "", done.stderr
    write(folder, "s/sweep.json", b"\xff")
    assert "s/sweep.json:1:" in report("s", folder=folder, status=1).stderr


@case
def a_folder_that_cannot_be_written_is_told(folder):
    sweep(path(folder, "s"), "demo", {"seed": SEEDS}, lambda seed: numbers("rotation"))
    write(folder, "file", "")
    done = report("s", "--out", "file/figures", folder=folder, status=1)
    assert "file/figures: this folder for figures cannot be made" in done.stderr, done.stderr
    os.makedirs(path(folder, "out/demo-accuracy.png"))
    done = report("s", "--out", "out", folder=folder, status=1)
    assert "out/demo-accuracy.png: cannot be written" in done.stderr, done.stderr


@case
def too_many_groups_are_told(folder):
    labels = [str(k) for k in range(60)]
    sweep(path(folder, "s"), "demo", {"a": labels, "b": labels},
          lambda a, b: numbers("rotation") if a == b == "0" else "pending")
    done = report("s", folder=folder, status=1)
    assert "60 × 60 groups are more than 2000; their numbers are in the CSV beside it" in done.stderr, done.stderr
    assert sorted(os.listdir(path(folder, "s/figures"))) == ["demo-accuracy.csv", "demo-similarity.csv"]


@case
def one_name_is_not_drawn_twice_into_a_folder(folder):
    for name in ("s", "t"):
        sweep(path(folder, name), "demo", {"seed": SEEDS}, lambda seed: numbers("rotation"))
    assert "'demo'" in report("s", "t", "--out", "f", folder=folder, status=2).stderr
    assert not os.path.exists(path(folder, "f"))
    report("s", "t", folder=folder)


@case
def a_name_stays_in_its_folder(folder):
    sweep(path(folder, "s"), "../../x", {"seed": SEEDS}, lambda seed: numbers("rotation"))
    report("s", "--out", "a/b", folder=folder)
    assert sorted(os.listdir(folder)) == ["a", "s"] and len(os.listdir(path(folder, "a/b"))) == 6


@case
def wrong_usage_is_told(folder):
    assert "at least one directory" in report(folder=folder, status=2).stderr
    assert report("--help", folder=folder).stdout.startswith("Examples:\n  dovetail report")


main()
