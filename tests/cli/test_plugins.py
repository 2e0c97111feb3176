#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`dovetail plugins` and `inspect`, on the built plugins and on the broken ones of tests/plugin/broken (argument 3) and
loading (argument 4)."""
import json
import os
import sys

from experiment import small
from tap import case, dovetail, main, plugins, write

broken, loading = sys.argv[3:5]
BUILT = {("backbone", "resnet"), ("head", "linear"), ("head", "resnet-tail"), ("aligner", "rotation"),
         ("aligner", "shared-init"), ("dataset", "cifar10"), ("dataset", "cifar100"), ("dataset", "shapes")}


def good(*arguments, folder):
    done = dovetail(*arguments, folder=folder)
    assert done.returncode == 0, f"exit status {done.returncode}: {done.stderr}"
    return done


def wrong(*arguments, folder):
    """Wrong usage: nothing on stdout, and one line on stderr, which is returned."""
    done = dovetail(*arguments, folder=folder)
    assert done.returncode == 2 and not done.stdout, f"exit status {done.returncode}: {done.stdout}"
    assert done.stderr.startswith("dovetail: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def inspect(name, *arguments, folder):
    return json.loads(good("inspect", name, "--json", *arguments, folder=folder).stdout)


@case
def plugins_lists_what_was_built(folder):
    lines = good("plugins", folder=folder).stdout.splitlines()
    assert lines[0].split() == ["kind", "name", "version", "ABI", "description", "file"]
    assert BUILT <= {tuple(line.split()[:2]) for line in lines[1:]}
    assert all(os.path.isfile(line.split()[-1]) for line in lines[1:])


@case
def the_program_finds_its_own_build_tree(folder):
    listed = json.loads(dovetail("plugins", "--json", folder=folder, env={"DOVETAIL_PLUGIN_PATH": ""}).stdout)
    assert BUILT <= {(plugin["kind"], plugin["name"]) for plugin in listed["plugins"]}
    assert all(plugin["file"].startswith(os.path.realpath(plugins) + "/") for plugin in listed["plugins"])


@case
def plugins_json_says_the_same(folder):
    listed = json.loads(good("plugins", "--json", folder=folder).stdout)
    assert listed["refused"] == []
    assert BUILT <= {(plugin["kind"], plugin["name"]) for plugin in listed["plugins"]}
    assert {plugin["abi"] for plugin in listed["plugins"]} == {"1.1"}


@case
def refused_files_are_told_with_reasons(folder):
    path = ("--plugin-path", broken, "--plugin-path", "no-such-folder")
    done = good("plugins", *path, folder=folder)
    assert "18 files were refused; 'dovetail plugins --refused' tells why" in done.stderr, done.stderr
    refused = good("plugins", "--refused", *path, folder=folder).stdout.splitlines()
    assert len(refused) == 18, refused
    assert f"{os.path.realpath(broken)}/abi-major-2.so: built for plugin ABI 2, this host speaks 1" in refused
    assert "no-such-folder: cannot be searched: No such file or directory" in refused
    listed = json.loads(good("plugins", "--json", *path, folder=folder).stdout)
    assert [f"{one['file']}: {one['reason']}" for one in listed["refused"]] == refused


@case
def bad_files_of_every_sort_cost_a_line_each(folder):
    for file in ("abi-major-2", "abort", "good", "wrong-struct-size"):
        os.symlink(f"{broken}/{file}.so", f"{folder}/{file}.so")
    os.symlink(f"{loading}/hang.so", f"{folder}/hang.so")
    os.symlink("nowhere", f"{folder}/dangling.so")
    write(folder, "text.so", "This is no library, but a text, of more than the 64 bytes that a library begins with.\n")
    env = {"DOVETAIL_SCAN_SECONDS": "10", "XDG_CACHE_HOME": folder}  # which the others need not, however busy all is
    for _ in range(2):
        listed = json.loads(dovetail("plugins", "--json", "--plugin-path", folder, folder=folder, env=env).stdout)
        assert ("dataset", "good") in {(one["kind"], one["name"]) for one in listed["plugins"]}
        assert {os.path.basename(one["file"]): one["reason"] for one in listed["refused"]} == {
            "abi-major-2.so": "built for plugin ABI 2, this host speaks 1",
            "abort.so": "crashed while it was loaded: signal 6 (Aborted)",
            "dangling.so": "a link to no file",
            "hang.so": "took longer than 10 s to load",
            "text.so": "cannot be loaded: invalid ELF header",
            "wrong-struct-size.so": "struct_size is 16; in plugin ABI 1.0 it is 96"}


@case
def a_plugin_is_loaded_once_to_be_known_and_then_when_used(folder):
    env = {"LOADS": os.path.join(folder, "loads"), "XDG_CACHE_HOME": folder}
    experiment = write(folder, "e.yaml", small())
    os.symlink(f"{loading}/counted.so", f"{folder}/counted.so")

    def loads(*arguments):
        done = dovetail(*arguments, "--plugin-path", folder, folder=folder, env=env)
        assert done.returncode == 0, done.stderr
        return os.path.getsize(env["LOADS"])

    assert loads("plugins") == 1
    assert loads("plugins") == 1
    assert loads("check", experiment) == 1
    assert loads("inspect", "counted") == 2


@case
def exists_answers_by_its_status_alone(folder):
    def status(*arguments):
        done = dovetail("plugins", *arguments, folder=folder)
        assert not done.stdout and not done.stderr, done.stdout + done.stderr
        return done.returncode

    assert status("--exists", "rotation") == 0
    assert status("--exists", "aligner/rotation") == 0
    assert status("--exists", "head/rotation") == 1
    assert status("--exists", "rotatio") == 1
    for version, expected in {"1": 0, "0.10": 0, "1.0.0": 0, "1.0.1": 1, "1.1": 1, "2": 1}.items():
        assert status("--exists", "rotation", "--at-least", version) == expected, version


@case
def a_wrong_time_limit_is_told(folder):
    done = dovetail("plugins", folder=folder, env={"DOVETAIL_SCAN_SECONDS": "soon"})
    assert done.returncode == 0 and "'soon'" in done.stderr, done.stderr


@case
def a_folder_given_comes_first(folder):
    os.symlink(os.path.join(plugins, "heads", "linear", "linear.so"), os.path.join(folder, "mine.so"))
    listed = json.loads(good("plugins", "--json", "--plugin-path", folder, folder=folder).stdout)
    files = [plugin["file"] for plugin in listed["plugins"] if plugin["name"] == "linear"]
    assert files == [os.path.join(os.path.realpath(folder), "mine.so")], files


@case
def help_begins_with_examples(folder):
    for command in ("plugins", "inspect"):
        assert good(command, "--help", folder=folder).stdout.startswith(f"Examples:\n  dovetail {command}")


@case
def wrong_usage_is_told(folder):
    assert "'resnet'" in wrong("plugins", "resnet", folder=folder)
    assert "--exists" in wrong("plugins", "--at-least", "1.0.0", folder=folder)
    for version in ("", "new", "1.x", "1.0.0.0", "1.0.0-rc1"):
        assert f"'{version}' is no version" in wrong("plugins", "--exists", "shapes", "--at-least", version, folder=folder)
    assert "one plugin" in wrong("inspect", folder=folder)
    assert "one plugin" in wrong("inspect", "resnet", "linear", folder=folder)
    assert "--colour" in wrong("inspect", "resnet", "--colour", folder=folder)


@case
def an_unknown_name_gets_the_nearest(folder):
    assert "unknown plugin 'resnte'; did you mean 'resnet'?" in wrong("inspect", "resnte", folder=folder)
    assert "unknown kind 'hed'; did you mean 'head'?" in wrong("inspect", "resnet", "--kind", "hed", folder=folder)
    assert "unknown head 'resnet'" in wrong("inspect", "resnet", "--kind", "head", folder=folder)
    told = wrong("inspect", "null-ops", "--kind", "head", "--plugin-path", broken, folder=folder)
    assert "null-ops.so was refused: its operations table is NULL" in told, told


@case
def inspect_shows_parameters_as_declared(folder):
    parameters = {one["name"]: one for one in inspect("resnet", folder=folder)["parameters"]}
    assert parameters["depth"]["type"] == "int" and parameters["depth"]["default"] == "20"
    assert parameters["depth"]["least"] == 8 and parameters["depth"]["greatest"] >= 56
    assert parameters["shortcut"]["choices"] == ["projection", "identity"]
    assert parameters["initialisation"]["default"] == "he"
    assert all(one["doc"] for one in parameters.values())
    text = good("inspect", "resnet", folder=folder).stdout
    for word in ("depth", "shortcut", "projection | identity", "16x32x32", "licence", "3x32x32"):
        assert word in text, f"{word} is missing in\n{text}"


def resnet_parameters(blocks):
    """Of so many blocks of a ResNet with 16 channels and projection shortcuts, counted by hand."""
    count, channels = 3 * 16 * 9 + 2 * 16, 16
    for block in range(blocks):
        width = 16 << block // 3
        count += 9 * channels * width + 9 * width * width + 4 * width
        if width != channels:
            count += channels * width + 2 * width
        channels = width
    return count


@case
def inspect_counts_the_parameters_of_each_split(folder):
    splits = {one["name"]: one for one in inspect("resnet", folder=folder)["splits"]}
    assert splits["conv1"]["shape"] == [16, 32, 32] and splits["conv1"]["parameters"] == resnet_parameters(0)
    assert splits["layer2"]["shape"] == [32, 16, 16] and splits["layer2"]["parameters"] == resnet_parameters(6)
    assert splits["avgpool"]["shape"] == [64, 1, 1] and splits["avgpool"]["parameters"] == resnet_parameters(9)


@case
def inspect_shows_a_dataset_or_why_not(folder):
    shapes = inspect("shapes", folder=folder)
    assert len(shapes["classes"]) == 10 and shapes["image"] == [3, 32, 32]
    assert shapes["train"] > 0 and shapes["test"] > 0 and len(shapes["mean"]) == 3
    assert "path" in inspect("cifar10", folder=folder)["unavailable"]
    assert "never called" in inspect("good", "--plugin-path", broken, folder=folder)["unavailable"]


@case
def inspect_shows_what_an_aligner_needs(folder):
    rotation = inspect("rotation", "--kind", "aligner", folder=folder)
    assert rotation["hooks"] == ["make_view", "view_loss"] and rotation["paired"] is False


@case
def inspect_describes_what_the_parameters_make(folder):
    shown = json.loads(dovetail("inspect", "resnet", "--set", "depth=8", "--json", folder=folder).stdout)
    assert [split["name"] for split in shown["splits"]][:3] == ["conv1", "layer1.0", "layer1"], shown
    data = json.loads(dovetail("inspect", "shapes", "--set", "train=30", "--set", "test=20", "--json", folder=folder).stdout)
    assert (data["train"], data["test"], len(data["classes"])) == (30, 20, 10), data
    for arguments, text in ((("resnet", "--set", "dept=8"), "did you mean 'depth'?"), (("rotation", "--set", "x=1"), "'x'"),
                            (("resnet", "--set", "depth=many"), "depth")):
        done = dovetail("inspect", *arguments, folder=folder)
        assert done.returncode == 2 and text in done.stderr and not done.stdout, done
    needy = dovetail("inspect", "cifar10", folder=folder)
    assert needy.returncode == 0 and "--set" in needy.stdout and "path" in needy.stdout, needy


main()
