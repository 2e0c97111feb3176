#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Whether scripts/quickstart showed what it is for: verdict.py RUNS, the folder with its two runs as the newest."""
import glob
import json
import os
import sys

LEAST_GAIN = 0.2  # of the swap accuracy, by training to fit together


def newest(runs, count):
    """The results of the newest runs, by the experiment's name."""
    paths = glob.glob(os.path.join(glob.escape(runs), "*", "results.json"))
    results = {}
    for path in sorted(paths, key=os.path.getmtime)[-count:]:
        with open(path, encoding="utf-8") as file:
            one = json.load(file)
        print(f"{path}: own accuracy {one['own_accuracy']:.3f}, swap accuracy {one['swap_accuracy']:.3f}")
        results[one["name"]] = one
    return results


def objections(independent, aligned):
    """What is not as it should be."""
    for one in (independent, aligned):
        if not 0.8 < one["own_accuracy"] < 1:
            yield f"{one['name']}: the own accuracy is not between 0.8 and 1"
    gain = aligned["swap_accuracy"] - independent["swap_accuracy"]
    if not gain >= LEAST_GAIN:
        yield f"training to fit together gained {gain:.3f} of swap accuracy, less than {LEAST_GAIN}"


def main(runs):
    results = newest(runs, 2)
    if set(results) != {"independent", "rotation-shared-init"}:
        sys.exit(f"the two newest runs are not the quickstart's but {sorted(results)}")
    found = list(objections(results["independent"], results["rotation-shared-init"]))
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
