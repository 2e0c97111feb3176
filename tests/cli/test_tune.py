#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Choices by time: `run --tune`. Which way wins is the machine's affair; that it is kept and used is tested here."""
import json
import os
import signal

from tap import Skip, case, dovetail, main, start, wait_until, write
from wide import TEXT, agree, choices, components, instructions, own_cache, run


def cache(folder):
    return os.path.join(folder, "cache", "dovetail", "choices.json")


def load_cache(folder):
    with open(cache(folder)) as file:
        return json.load(file)


def rewrite_cache(folder, way):
    """Says that `way` was chosen, wherever it is possible. Returns in how many places."""
    content, count = load_cache(folder), 0
    for known in content.values():
        for entry in known.values():
            if way in entry["milliseconds"]:
                entry["way"] = way
                count += 1
    write(folder, os.path.relpath(cache(folder), folder), json.dumps(content))
    return count


def make_winograd_known(folder, text=TEXT):
    """
    Has the cache say Winograd wherever that is possible. What it was measured for is a run of its own. oneDNN trains in
    blocked layouts, which Winograd wants, from AVX2 on.
    """
    if "avx2" not in instructions(run(folder, "measured", text=text)):
        raise Skip("no AVX2")
    assert rewrite_cache(folder, "winograd")


@case
def choices_are_written_down_and_used_again(folder):
    first = run(folder, "first")
    measured = load_cache(folder)
    used = choices(first)
    assert used and all(isinstance(way, str) and way for way in used.values()), used
    (known,) = measured.values()
    assert used == {key: entry["way"] for key, entry in known.items()}
    again = run(folder, "again", "--tune", "on")
    assert load_cache(folder) == measured, "nothing was measured again"
    assert choices(again) == used and components(again) == components(first)


@case
def off_measures_nothing_and_repeats(folder):
    first, again = run(folder, "first", "--tune", "off"), run(folder, "again", "--tune", "off")
    assert not os.path.exists(cache(folder))
    assert not choices(first) and not choices(again)
    assert components(first) == components(again)


@case
def with_and_without_agree(folder):
    agree(run(folder, "on"), run(folder, "off", "--tune", "off"))


@case
def what_the_cache_says_is_done(folder):
    off = components(run(folder, "off", "--tune", "off"))
    run(folder, "measured")
    places = rewrite_cache(folder, "direct")
    direct = run(folder, "direct")
    assert places and set(choices(direct).values()) == {"direct"}
    assert components(direct) == off


@case
def winograd_is_done_where_the_cache_says_so(folder):
    make_winograd_known(folder)
    winograd, off = run(folder, "winograd"), run(folder, "off", "--tune", "off")
    assert "winograd" in choices(winograd).values()
    assert components(winograd) != components(off)
    agree(winograd, off)


@case
def winograd_with_threads_that_share_a_network_repeats(folder):
    text = TEXT.replace("threads: 2", "threads: 4")
    make_winograd_known(folder, text)
    first, *others = (run(folder, f"run{number}", text=text) for number in range(3))
    used = choices(first)
    assert "winograd" in used.values() and all("threads 2" in key for key in used), used
    for other in others:
        assert choices(other) == used and components(other) == components(first)


@case
def a_run_that_is_killed_has_its_choices(folder):
    write(folder, "small.yaml", TEXT.replace("epochs: 2", "epochs: 100000"))
    process = start("run", "small.yaml", "-q", folder=folder, env=own_cache(folder))
    directory = os.path.join(folder, "runs", "small")
    metrics = os.path.join(directory, "metrics.jsonl")
    try:
        wait_until(lambda: os.path.exists(metrics) and os.path.getsize(metrics))
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert choices(directory)


def forget_end(sweep, run):
    """Leaves a sweep as it is while its run number `run` trains, or after a kill."""
    with open(os.path.join(sweep, "sweep.json")) as file:
        content = json.load(file)
    content["runs"][run]["state"] = "running"
    write(sweep, "sweep.json", json.dumps(content))
    os.remove(os.path.join(sweep, content["runs"][run]["directory"], "results.json"))


@case
def what_is_continued_keeps_its_choices(folder):
    text = TEXT + "sweep: {seed: [1, 2]}\n"
    make_winograd_known(folder)
    sweep = run(folder, "sweep", text=text)
    whole = os.path.join(sweep, "2")
    assert "winograd" in choices(whole).values()
    rewrite_cache(folder, "direct")
    forget_end(sweep, 1)
    run(folder, "sweep", text=text)
    continued = os.path.join(sweep, "2-2")
    assert choices(continued) == choices(whole) and components(continued) == components(whole)
    other = os.path.join(run(folder, "other", text=text), "2")
    assert set(choices(other).values()) == {"direct"}, "another sweep goes by what the machine knows now"


@case
def a_damaged_cache_is_made_anew(folder):
    write(folder, os.path.relpath(cache(folder), folder), "{\"cpu")
    assert choices(run(folder, "first"))
    (known,) = load_cache(folder).values()
    assert known


@case
def a_wrong_word_is_refused(folder):
    write(folder, "small.yaml", TEXT)
    done = dovetail("run", "small.yaml", "--tune", "sideways", folder=folder)
    assert done.returncode == 2 and "--tune has no choice 'sideways'" in done.stderr, done.stderr
    assert "on" in done.stderr.split("'sideways'")[1] and "off" in done.stderr.split("'sideways'")[1], done.stderr
    assert not os.path.exists(os.path.join(folder, "runs"))


@case
def older_processors_train_too(folder):
    plain = run(folder, "plain")
    newer = "avx512f" in instructions(plain)
    for isa in ("AVX2", "SSE41"):
        older = run(folder, isa, ONEDNN_MAX_CPU_ISA=isa)
        agree(older, plain)
        assert not newer or not set(choices(older)) & set(choices(plain)), "choices of a processor are its own"


main()
