#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Counts test cases: tally.py TESTLOG STATUS, with the testlog.json and the exit status of a `meson test`.

Prints the output of each test program that failed, then the count. A run of nothing, or one in which meson itself
came to grief, is one failure. Exit status 1 when there is a failure.
"""
import json
import os
import re
import sys

CASE = re.compile(r"(?P<bad>not )?ok\b[^#]*(?P<skip># *skip)?", re.IGNORECASE)


def count(run):
    """The passed, failed and skipped cases of one test program. One without cases counts as one."""
    cases = [case for case in map(CASE.match, run.get("stdout", "").splitlines()) if case]
    failed = sum(1 for case in cases if case["bad"])
    skipped = sum(1 for case in cases if case["skip"] and not case["bad"])
    passed = len(cases) - failed - skipped
    if verdict(run) == "OK":
        passed = max(passed, 1)
    elif verdict(run) == "SKIP":
        skipped = max(skipped, 1)
    else:
        failed = max(failed, 1)  # a crash, a time limit or an early end, which no case tells
    return passed, failed, skipped


def verdict(run):
    """meson's verdict, but a program that ended without a word was not skipped."""
    silent = run["result"] == "SKIP" and run["returncode"] == 0 and not run.get("stdout")
    return "ERROR" if silent else run["result"]


def show(run):
    print(f"---- {run['name']}: {verdict(run)}, exit status {run['returncode']}, {run['duration']:.1f} s")
    print("     " + " ".join(run["command"]))
    for stream in ("stdout", "stderr"):
        if run.get(stream):
            print(run[stream].rstrip())


def main(log, status):
    runs = []
    if os.path.exists(log):
        with open(log, encoding="utf-8") as lines:
            runs = [json.loads(line) for line in lines]
    counts = [count(run) for run in runs]
    for run, (_, failed, _) in zip(runs, counts):
        if failed:
            show(run)
    passed, failed, skipped = map(sum, zip((0, 0, 0), *counts))
    if not failed and (status != "0" or not passed):
        print(f"---- meson test: exit status {status}, {passed} cases passed, none failed")
        failed = 1
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
