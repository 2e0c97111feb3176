# SPDX-License-Identifier: MIT
"""Runs the program as a user does, and reports in TAP. Usage of a test file: test_x.py DOVETAIL PLUGINS_FOLDER"""
import os
import subprocess
import sys
import tempfile
import time
import traceback

program, plugins = os.path.abspath(sys.argv[1]), sys.argv[2]
cache = tempfile.TemporaryDirectory(prefix="dovetail-cache-")
cases = []


def case(function):
    """A test case: a function of an empty folder, which fails by raising."""
    cases.append(function)
    return function


class Skip(Exception):
    """Raised by a case that this machine cannot run; its text says why."""


def variables(folder):
    """The environment in which the program finds the plugins under test, and dovetail-scan by itself."""
    mine = {"DOVETAIL_PLUGIN_PATH": plugins, "XDG_DATA_HOME": folder, "XDG_CACHE_HOME": cache.name}
    return {**{name: value for name, value in os.environ.items() if name != "DOVETAIL_SCAN"}, **mine}


def start(*arguments, folder, env=None):
    """Starts the program in a folder and returns the process, its output in pipes."""
    return subprocess.Popen([program, *arguments], cwd=folder, env={**variables(folder), **(env or {})},
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_until(condition, seconds=60):
    """Waits until a function returns something true; that it never does is a failure."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


def dovetail(*arguments, folder, seconds=120, env=None):
    """Runs the program in a folder; a crash or a hang is a failure of its own."""
    done = subprocess.run([program, *arguments], cwd=folder, env={**variables(folder), **(env or {})},
                          capture_output=True, timeout=seconds, stdin=subprocess.DEVNULL)
    done.stdout = done.stdout.decode(errors="replace")
    done.stderr = done.stderr.decode(errors="replace")
    assert done.returncode >= 0, f"died of signal {-done.returncode}\n{done.stderr}"
    return done


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return path


def main():
    failed = 0
    print(f"1..{len(cases)}")
    for number, function in enumerate(cases, 1):
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(folder)
                print(f"ok {number} - {function.__name__}", flush=True)
            except Skip as reason:
                print(f"ok {number} - {function.__name__} # SKIP {reason}", flush=True)
            except Exception:
                failed += 1
                print(f"not ok {number} - {function.__name__}", flush=True)
                print("# " + traceback.format_exc().replace("\n", "\n# "), flush=True)
    sys.exit(failed > 0)
