#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`dovetail conform` on plugins that are broken in one way each: folders of them are arguments 3 and 4."""
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "cli"))
from tap import case, dovetail, main, program, variables, wait_until

folder_of_each, folder_of_descriptors = sys.argv[3:5]

# Those that the loader's own tests have anyway.
DESCRIPTORS = {"file.loads": "no-symbol", "descriptor.head": "abi-major-2", "descriptor.name": "null-name",
               "descriptor.params": "duplicate-parameter", "descriptor.ops": "null-entry",
               "descriptor.list": "cyclic-next"}

# Where another status than "failed" is right.
CRASHES = {"aligner.frozen", "life.created", "life.destroy-null", "life.threads", "module.pass.life",
           "module.state.random", "params.extreme", "params.least", "process.no-memory"}
if "ASAN_OPTIONS" in os.environ:
    CRASHES |= {"params.values"}  # the sanitizer stops it before the check can see
WARNINGS = {"aligner.hooks", "aligner.refusal", "dataset.empty", "dataset.statistics", "descriptor.constant",
            "params.message"}


def path_of(check):
    if check in DESCRIPTORS:
        return os.path.join(folder_of_descriptors, DESCRIPTORS[check] + ".so")
    return os.path.join(folder_of_each, check + ".so")


def conform(*arguments, folder):
    done = dovetail("conform", "--time-limit", "100", *arguments, "--json", folder=folder)
    assert done.returncode in (0, 1), f"exit status {done.returncode}: {done.stderr}"
    return done.returncode, json.loads(done.stdout)


def processes_that_name(text):
    """Those that live and have a text in their command line."""
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as file:
                found += [process] if text.encode() in file.read() else []
        except OSError:
            pass  # it has ended meanwhile
    return found


def list_checks(folder):
    done = dovetail("conform", "--list", folder=folder)
    assert done.returncode == 0, done.stderr
    return [line.split()[0] for line in done.stdout.splitlines()]


@case
def every_check_can_fail(folder):
    checks = list_checks(folder)
    assert len(checks) >= 44 and len(set(checks)) == len(checks)
    wrong = []
    for check in checks:
        path = path_of(check)
        if not os.path.isfile(path):
            wrong.append(f"{check}: no plugin is broken for it")
            continue
        code, found = conform(path, "--include", check, folder=folder)
        results = {one["check"]: one for one in found["results"]}
        status = "crashed" if check in CRASHES else "warning" if check in WARNINGS else "failed"
        if list(results) != [check] or results[check]["status"] != status:
            wrong.append(f"{check}: {[(one['check'], one['status'], one['sentence']) for one in found['results']]}")
        elif len(results[check]["sentence"]) < 10 or code != (status != "warning"):
            wrong.append(f"{check}: exit status {code}, '{results[check]['sentence']}'")
    assert not wrong, "\n".join(wrong)


@case
def good_plugins_pass_every_check(folder):
    passed = set()
    for kind in ("backbone", "head", "aligner", "dataset"):
        code, found = conform(os.path.join(folder_of_each, f"good-{kind}.so"), folder=folder)
        bad = [one for one in found["results"] if one["status"] not in ("passed", "skipped")]
        assert code == 0 and not bad, bad
        passed |= {one["check"] for one in found["results"] if one["status"] == "passed"}
    assert passed == set(list_checks(folder)), set(list_checks(folder)) - passed


@case
def a_broken_plugin_is_found_without_being_told_where(folder):
    code, found = conform(path_of("module.input.unchanged"), folder=folder)
    status = {one["check"]: one["status"] for one in found["results"]}
    assert code == 1 and status["module.input.unchanged"] == "failed" and status["module.guards"] == "passed"
    assert found["failed"] >= 1 and found["passed"] > 40 and found["seed"] == 1


@case
def text_says_what_is_wrong_and_what_the_contract_says(folder):
    path = path_of("module.input.unchanged")
    done = dovetail("conform", path, "--include", "module.input.*", "--include", "module.guards", "--seed", "7",
                    folder=folder)
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and lines[0] == "backbone broken", done.stdout
    assert "passed" in lines[1] and "module.guards" in lines[1]
    assert "failed" in lines[2] and "forward changed input[1] from " in lines[2]
    place, clause = lines[3].strip().split(": ", 1)
    assert clause == '"input stays as it is until `backward` returned or the next `forward` begins"', clause
    header, number = place.rsplit(":", 1)
    assert header == "dovetail/module.h" and int(number) > 1
    assert lines[-1] == "1 passed, 1 failed, 0 crashed, 0 warnings, 0 skipped; seed 7"


@case
def the_place_is_that_line_of_the_header(folder):
    headers = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "include")
    for check in ("module.input.unchanged", "process.leaks", "dataset.labels", "aligner.weight"):
        _, found = conform(path_of(check), "--include", check, folder=folder)
        place, clause = found["results"][0]["contract"], found["results"][0]["clause"]
        name, number = place.rsplit(":", 1)
        with open(os.path.join(headers, name), encoding="utf-8") as file:
            line = file.read().splitlines()[int(number) - 1]
        assert clause.split()[0] in line and clause.split()[1] in line, (place, clause, line)


@case
def a_seed_gives_the_same_again(folder):
    path = path_of("module.gradient.weights")
    sentences = [conform(path, "--include", "module.gradient.weights", "--seed", seed, folder=folder)[1]["results"][0]
                 ["sentence"] for seed in ("5", "5", "6")]
    assert sentences[0] == sentences[1] != sentences[2], sentences


@case
def patterns_choose(folder):
    good = os.path.join(folder_of_each, "good-dataset.so")
    _, found = conform(good, "--include", "dataset.*", "--exclude", "*.threads", "--exclude", "dataset.s?me",
                       folder=folder)
    checks = [one["check"] for one in found["results"]]
    assert "dataset.labels" in checks and "dataset.threads" not in checks and "dataset.same" not in checks
    assert all(check.startswith("dataset.") for check in checks)


@case
def a_check_that_takes_too_long_fails(folder):
    done = dovetail("conform", os.path.join(folder_of_each, "good-dataset.so"), "--include", "dataset.same",
                    "--time-limit", "0.000001", folder=folder)
    assert done.returncode == 1, done.stdout + done.stderr


@case
def a_crash_ends_the_check_alone(folder):
    code, found = conform(path_of("life.destroy-null"), "--include", "life.*", folder=folder)
    results = {one["check"]: one for one in found["results"]}
    assert code == 1 and results["life.destroy-null"]["status"] == "crashed"
    assert "signal 6 (Aborted)" in results["life.destroy-null"]["sentence"]
    assert results["life.two"]["status"] == "passed"


@case
def in_process_gives_the_same(folder):
    code, found = conform(path_of("module.guards"), "--include", "module.guards", "--in-process", folder=folder)
    assert code == 1 and found["results"][0]["status"] == "failed"


@case
def a_plugin_file_that_cannot_be_used_is_told(folder):
    done = dovetail("conform", path_of("descriptor.head"), folder=folder)
    assert done.returncode == 1 and "built for plugin ABI 2" in done.stderr, done.stderr
    assert "failed   descriptor.head" in done.stdout and "passed   file.loads" in done.stdout


@case
def a_plugin_that_aborts_while_it_loads_costs_nothing_more(folder):
    done = dovetail("conform", os.path.join(folder_of_each, "aborts.so"), folder=folder)
    assert done.returncode == 1 and "died of signal 6" in done.stderr, done.stderr
    assert "crashed  file.loads" in done.stdout and "0 failed" in done.stdout.splitlines()[-1], done.stdout


@case
def a_plugin_that_takes_nothing_is_warned_of(folder):
    _, found = conform(os.path.join(folder_of_descriptors, "good.so"), "--include", "params.default", folder=folder)
    assert found["failed"] == 1, found
    _, found = conform(os.path.join(folder_of_each, "good-backbone.so"), "--split", "third", "--include",
                       "params.default", folder=folder)
    assert found["warning"] == 1 and "no split 'third'" in found["results"][0]["sentence"], found


@case
def a_file_in_the_current_folder_needs_no_path(folder):
    os.symlink(os.path.join(folder_of_each, "good-dataset.so"), os.path.join(folder, "mine.so"))
    code, found = conform("mine.so", "--include", "file.*", folder=folder)
    assert code == 0 and found["passed"] == 3, found


@case
def settings_reach_the_plugin(folder):
    good = os.path.join(folder_of_each, "good-backbone.so")
    code, found = conform(good, "--set", "channels=3", "--split", "half", "--input", "2,4,5", "--include", "module.guards",
                          folder=folder)
    assert code == 0 and found["results"][0]["status"] == "passed"
    _, found = conform(good, "--split", "third", "--include", "module.guards", folder=folder)
    assert found["results"][0]["status"] == "skipped" and "no split 'third'" in found["results"][0]["sentence"]


@case
def tensors_of_other_shapes_for_a_head_are_told(folder):
    for fault, call in ("tall-features", "head_forward"), ("tall-gradient", "head_backward"):
        _, found = conform(os.path.join(folder_of_each, fault + ".so"), "--include", "aligner.loss", folder=folder)
        assert found["failed"] == 1 and f"{call} was called with" in found["results"][0]["sentence"], found


@case
def times_are_looked_at_in_full(folder):
    for fault, told in (("times-beyond", "beyond"), ("times-infinite", "norm = inf"), ("times-unset", "norm = -1")):
        _, found = conform(os.path.join(folder_of_each, fault + ".so"), "--include", "module.times", folder=folder)
        assert found["failed"] == 1 and told in found["results"][0]["sentence"], found


@case
def a_module_needs_no_times(folder):
    """An operations table of ABI 1.0 ends before them, and what lies behind it is not read."""
    for name in ("good-head", "times-unread"):
        _, found = conform(os.path.join(folder_of_each, name + ".so"), "--include", "descriptor.ops", "--include",
                           "module.times", "--include", "module.guards", folder=folder)
        status = {one["check"]: one["status"] for one in found["results"]}
        assert status == {"descriptor.ops": "passed", "module.guards": "passed", "module.times": "skipped"}, found


@case
def a_file_is_found_where_the_user_is(folder):
    os.symlink(os.path.join(folder_of_each, "good-dataset.so"), os.path.join(folder, "mine.so"))
    code, found = conform("mine.so", "--include", "file.*", folder=folder)
    assert code == 0 and found["passed"] == 3 and found["file"] == os.path.join(folder, "mine.so"), found


@case
def ranges_may_have_one_end(folder):
    path = os.path.join(folder_of_each, "good-dataset.so")
    _, found = conform(path, "--include", "params.*", folder=folder)
    status = {one["check"]: one["status"] for one in found["results"]}
    for check in ("params.least", "params.greatest", "params.random", "params.refusal"):
        assert status[check] == ("skipped" if check == "params.refusal" else "passed"), found
    os.symlink(path, os.path.join(folder, "mine.so"))
    shown = dovetail("inspect", "broken", "--plugin-path", folder, folder=folder).stdout
    rows = [" ".join(line.split()) for line in shown.splitlines()]
    for row in ("share float 1 at least 0 Nothing.", "start int 1 at least 0 Nothing either.",
                "shift float 1 at most 5 Nor this."):
        assert row in rows, shown


@case
def nothing_that_a_check_began_is_left(folder):
    path = os.path.join(folder, "mine.so")
    os.symlink(os.path.join(folder_of_each, "forks.so"), path)
    done = dovetail("conform", path, "--include", "file.*", folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    wait_until(lambda: not processes_that_name(path))


@case
def who_ignores_children_gets_them_judged(folder):
    with_children_ignored = {"preexec_fn": lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN), "timeout": 60}
    for arguments in (("conform", path_of("process.exit"), "--include", "process.exit"), ("plugins",)):
        done = subprocess.run([program, *arguments], capture_output=True, text=True, env=variables(folder),
                              **with_children_ignored)
        assert done.returncode == (arguments[0] == "conform") and not done.stderr, done
        assert "with exit status 3" in done.stdout or arguments[0] == "plugins", done.stdout


@case
def wrong_usage_is_told(folder):
    good = os.path.join(folder_of_each, "good-dataset.so")
    for arguments, told in (((), "one plugin file"), ((good, good), "one plugin file"), (("no-such.so",), "no-such.so"),
                            ((good, "--include", "dataset.lables"), "did you mean 'dataset.labels'?"),
                            ((good, "--set", "clases=3"), "clases=3"), ((good, "--set", "classes=99"), "99"),
                            ((good, "--input", "3,32"), "three numbers"), ((good, "--time-limit", "0"), "above 0"),
                            ((good, "--time-limit", "inf"), "at most 86400")):
        done = dovetail("conform", *arguments, folder=folder)
        assert done.returncode == 2 and not done.stdout, (arguments, done.returncode, done.stdout)
        assert done.stderr.startswith("dovetail: ") and told in done.stderr, done.stderr


main()
