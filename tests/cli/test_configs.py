#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every experiment of configs/ (argument 3) is right; those on CIFAR-10 are checked with a few records of it."""
import glob
import os
import sys

from tap import case, dovetail, main, write

CIFAR_FILES = [f"data_batch_{k}.bin" for k in range(1, 6)] + ["test_batch.bin"]


def checked(path):
    """Makes a case of a file."""
    def function(folder):
        with open(path) as file:
            real_images = "plugin: cifar10" in file.read()
        settings = []
        if real_images:
            for name in CIFAR_FILES:
                write(folder, f"cifar/{name}", bytes([1] + [7] * 3072) * 4)
            settings = ["--set", f"data.params.path={folder}/cifar", "--set", "train.batch=16"]
        done = dovetail("check", path, *settings, folder=folder)
        assert done.returncode == 0, done.stderr
    function.__name__ = os.path.relpath(path, sys.argv[3])
    case(function)


for experiment in sorted(glob.glob(os.path.join(glob.escape(sys.argv[3]), "**/*.yaml"), recursive=True)):
    checked(experiment)


@case
def there_are_experiments(folder):
    for name in ("quickstart-*", "paper/fig*", "short/fig*"):
        assert glob.glob(os.path.join(glob.escape(sys.argv[3]), name + ".yaml")), name


@case
def every_experiment_of_the_paper_has_a_short_form(folder):
    assert sorted(os.listdir(os.path.join(sys.argv[3], "paper"))) == sorted(os.listdir(os.path.join(sys.argv[3], "short")))


main()
