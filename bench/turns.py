# SPDX-License-Identifier: MIT
"""What the scripts beside share: runs of `dovetail bench`, and rounds in which everyone has a turn."""
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def add_program(parser):
    parser.add_argument("--dovetail", default=os.path.join(HERE, "../build/host/dovetail"), metavar="PROGRAM",
                        help="the program (build/host/dovetail)")


def add_options(parser):
    add_program(parser)
    parser.add_argument("--steps", type=int, default=5, help="measured in each turn (5)")
    parser.add_argument("--rounds", type=int, default=3, help="(3)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def bench(arguments, sets, file=()):
    """Images per second of `dovetail bench`, with its data pipeline. file: the experiment, or none."""
    command = [arguments.dovetail, "bench", *file, "--json", "--steps", str(arguments.steps)]
    for assignment in sets:
        command += ["--set", assignment]
    done = subprocess.run(command, stdout=subprocess.PIPE)
    if done.returncode:
        sys.exit(f"{arguments.dovetail} bench failed; its message is above")
    return json.loads(done.stdout)["with_data"]["images_per_second"]


def take_turns(runs, rounds):
    """Rates of every round and their medians, by name. runs: functions that run once and return images per second."""
    rates = {name: [] for name in runs}
    for number in range(1, rounds + 1):
        for name, run in runs.items():
            rates[name].append(run())
            print(f"round {number}: {name}: {rates[name][-1]:.1f} images/s", file=sys.stderr, flush=True)
    return rates, {name: statistics.median(values) for name, values in rates.items()}


def print_medians(medians):
    print("images/s, medians")
    for name, value in medians.items():
        print(f"  {name:44} {value:8.1f}")
