# SPDX-License-Identifier: MIT
"""Runs the program as a user does, and reports in TAP. Usage of a test file: test_x.py DOVETAIL PLUGINS_FOLDER"""
import os
import subprocess
import sys
import tempfile
import traceback

program, plugins = os.path.abspath(sys.argv[1]), sys.argv[2]
cache = tempfile.TemporaryDirectory(prefix="dovetail-cache-")
cases = []


def case(function):
    """A test case: a function of an empty folder, which fails by raising."""
    cases.append(function)
    return function


def dovetail(*arguments, folder, seconds=120, env=None):
    """Runs the program in a folder; a crash or a hang is a failure of its own."""
    variables = {**os.environ, "DOVETAIL_PLUGIN_PATH": plugins, "XDG_DATA_HOME": folder,
                 "XDG_CACHE_HOME": cache.name, **(env or {})}
    variables.pop("DOVETAIL_SCAN", None)  # it finds its own
    done = subprocess.run([program, *arguments], cwd=folder, env=variables, capture_output=True, timeout=seconds,
                          stdin=subprocess.DEVNULL)
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
            except Exception:
                failed += 1
                print(f"not ok {number} - {function.__name__}", flush=True)
                print("# " + traceback.format_exc().replace("\n", "\n# "), flush=True)
    sys.exit(failed > 0)
