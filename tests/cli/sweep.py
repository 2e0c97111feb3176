# SPDX-License-Identifier: MIT
"""Sweep directories as `dovetail run` leaves them, without training."""
import itertools
import json
import os

from tap import write


def results(folder, name, **numbers):
    """results.json of a run; keys that are not given are missing, as in older runs."""
    write(folder, "results.json", json.dumps({"name": name, "seed": 1, "chance": 0.1, "pairs": [], **numbers}))


def sweep(folder, name, axes, run):
    """axes: {key: labels}. run(*labels) gives a run's numbers, or the name of its state when it is not done."""
    runs = []
    for labels in itertools.product(*axes.values()):
        numbers = run(*labels)
        done = isinstance(numbers, dict)
        entry = {"labels": list(labels), "hash": "0" * 64, "state": "done" if done else numbers}
        if done:
            entry["directory"] = f"run-{len(runs)}"
            results(os.path.join(folder, entry["directory"]), name, **numbers)
        runs.append(entry)
    whole = {"name": name, "axes": [{"key": key, "labels": labels} for key, labels in axes.items()], "runs": runs}
    write(folder, "sweep.json", json.dumps(whole))
    return folder
