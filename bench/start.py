#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How long Dovetail makes one wait: `check`, `plugins`, and the first step of two ResNet-56.

Prints medians in milliseconds: of the whole process for `check` and `plugins`, up to the begin of the first step for
`bench`, once without choices by time in the cache (cold) and once with them (warm).
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import turns

CONFIGS = ("cifar10-short.yaml", "short/fig2.yaml", "paper/fig4.yaml")


def run(arguments, *command, **options):
    done = subprocess.run([arguments.dovetail, *command], stdout=subprocess.PIPE, **options)
    if done.returncode:
        sys.exit(f"{arguments.dovetail} {' '.join(command)} failed; its message is above")
    return done.stdout


def wall(arguments, *command):
    begin = time.perf_counter()
    run(arguments, *command)
    return time.perf_counter() - begin


def first_step(arguments, cache):
    """With the choices by time in a folder for caches; they are made there when there are none."""
    output = run(arguments, "bench", "--json", "--steps", "1", env={**os.environ, "XDG_CACHE_HOME": cache})
    return json.loads(output)["seconds_to_first_step"]["begun"]


def cold(arguments):
    with tempfile.TemporaryDirectory() as cache:
        return first_step(arguments, cache)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    turns.add_program(parser)
    parser.add_argument("--rounds", type=int, default=21, help="of check and plugins (21); the first step takes a third")
    arguments = parser.parse_args()
    configs = os.path.join(turns.HERE, "../configs")
    with tempfile.TemporaryDirectory() as cache:
        first_step(arguments, cache)
        waits = {f"check {name}": lambda name=name: wall(arguments, "check", os.path.join(configs, name))
                 for name in CONFIGS}
        waits["plugins"] = lambda: wall(arguments, "plugins")
        waits["first step, cold"] = lambda: cold(arguments)
        waits["first step, warm"] = lambda: first_step(arguments, cache)
        for name, wait in waits.items():
            rounds = arguments.rounds // 3 if name.startswith("first step") else arguments.rounds
            print(f"{name:32} {1e3 * statistics.median(wait() for _ in range(rounds)):8.1f} ms", flush=True)


if __name__ == "__main__":
    main()
