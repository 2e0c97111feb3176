#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The plugins that come with Dovetail conform; and docs/conform.md (argument 4) lists the checks that there are."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "cli"))
from tap import case, dovetail, main, plugins, write

page = sys.argv[4]


def conforms(name, *arguments, folder):
    path = os.path.join(plugins, name + ".so")
    done = dovetail("conform", path, "--json", "--time-limit", "120", *arguments, folder=folder, seconds=280)
    bad = [(one["check"], one["status"], one["sentence"]) for one in json.loads(done.stdout)["results"]
           if one["status"] not in ("passed", "skipped")]
    assert done.returncode == 0 and not bad, bad


@case
def resnet_conforms(folder):
    conforms("backbones/resnet/resnet", "--set", "depth=8", folder=folder)


@case
def resnet_tail_conforms(folder):
    conforms("heads/resnet-tail/resnet-tail", "--set", "depth=8", folder=folder)


@case
def linear_conforms(folder):
    conforms("heads/linear/linear", folder=folder)


@case
def the_aligners_conform(folder):
    for name in sorted(os.listdir(os.path.join(plugins, "aligners"))):
        if os.path.isfile(os.path.join(plugins, "aligners", name, name + ".so")):
            conforms(f"aligners/{name}/{name}", folder=folder)


@case
def shapes_conforms(folder):
    conforms("datasets/shapes/shapes", "--set", "train=200", "--set", "test=50", folder=folder)


@case
def cifar_conforms(folder):
    path = os.environ.get("DOVETAIL_CIFAR10")
    # cifar100 is in the same file, and warns that these are not its data.
    data = ["--set", f"path={os.path.abspath(path)}", "--exclude", "params.default"] if path else []
    conforms("datasets/cifar/cifar", *data, folder=folder)


@case
def the_page_lists_the_checks(folder):
    listed = dovetail("conform", "--list", folder=folder).stdout.splitlines()
    with open(page, encoding="utf-8") as file:
        rows = [line for line in file.read().splitlines() if line.startswith("| `")]
    expected = ["| `{}` | {} | {} |".format(*[cell.strip() for cell in line.split("  ") if cell.strip()])
                for line in listed]
    assert rows == expected, [row for row in expected if row not in rows] + [row for row in rows if row not in expected]


@case
def a_clause_that_no_header_has_fails_the_build(folder):
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir)
    room = os.path.join(root, "host", "conform")
    with open(os.path.join(room, "checks.def"), encoding="utf-8") as file:
        table = file.read()
    outcomes = []
    for text in (table, table.replace("the plugin writes label <", "the plugin writes label >")):
        path = write(folder, "checks.def", text)
        outcomes.append(subprocess.run(
            [sys.executable, os.path.join(room, "contracts.py"), path, os.path.join(root, "include", "dovetail"),
             os.path.join(folder, "lines.h")], capture_output=True, text=True))
    assert outcomes[0].returncode == 0, outcomes[0].stderr
    assert outcomes[1].returncode == 1 and "check dataset.labels: " in outcomes[1].stderr, outcomes[1].stderr


main()
