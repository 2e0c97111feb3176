#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How many threads a run has, and how long those of one network spin while they wait for each other."""
import collections
import contextlib
import glob
import os
import re

from experiment import endless, small
from tap import Skip, case, dovetail, main, write

for name in "OMP_WAIT_POLICY", "GOMP_SPINCOUNT":
    os.environ.pop(name, None)  # a word of the user's, which stays


def threads_by_name(process):
    """OpenMP's have the name of the thread that they share the work of."""
    names = []
    for path in glob.glob(f"/proc/{process.pid}/task/*/comm"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(path) as file:  # some end meanwhile
            names.append(file.read().strip())
    return collections.Counter(names)


@case
def networks_share_the_threads_that_are_asked_for(folder):
    """Beside them are a feeder each, which mostly sleeps, and those that opened datasets and measured before."""
    if not os.path.exists("/proc/self/task"):
        raise Skip("no /proc")
    for asked, share in (2, 1), (4, 2), (5, 2):
        with endless(os.path.join(folder, str(asked)), ("threads: 2", f"threads: {asked}")) as process:
            names = threads_by_name(process)
        assert names.pop("a") == names.pop("b") == share and names.pop("feeder") == 2, (asked, names)
        assert 1 <= names.pop("dovetail") <= share, (asked, names)
        assert names.pop("helper", 0) < len(os.sched_getaffinity(0)) and not names, (asked, names)


def spin_counts(folder, **variables):
    """As libgomp tells them."""
    write(folder, "small.yaml", small())
    done = dovetail("check", "small.yaml", folder=folder, env={"OMP_DISPLAY_ENV": "verbose", **variables})
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"GOMP_SPINCOUNT = '(\w+)'", done.stderr))


@case
def threads_sleep_soon(folder):
    assert spin_counts(folder) == {"1000"}


@case
def what_the_user_has_set_stays(folder):
    assert spin_counts(folder, GOMP_SPINCOUNT="77") == {"77"}
    passive, active = (spin_counts(folder, OMP_WAIT_POLICY=policy) for policy in ("passive", "active"))
    assert passive == {"0"} and min(map(int, active)) > 1000000, (passive, active)


main()
