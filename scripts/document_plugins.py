#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes docs/plugins/ from what the plugins say of themselves: document_plugins.py DOVETAIL PLUGINS_FOLDER [FOLDER].

DOVETAIL is the program, PLUGINS_FOLDER the build's plugins, FOLDER where the pages go (docs/plugins). With --check
nothing is written: exit status 1 when a page is stale, missing or left over.
"""
import json
import os
import pathlib
import subprocess
import sys

KINDS = ("backbone", "head", "aligner", "dataset")
DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs" / "plugins"
NOTE = "<!-- Made by scripts/document_plugins.py from the plugin's own tables: change those. -->\n"


def ask(program, folder, *arguments):
    """What the program prints as JSON, with the plugins of the folder alone."""
    env = {**os.environ, "DOVETAIL_PLUGIN_PATH": "", "XDG_DATA_HOME": "/nonexistent"}
    done = subprocess.run([program, *arguments, "--json", "--plugin-path", folder], check=True, env=env,
                          stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def number(value):
    return f"{value:.15g}"


def cell(text):
    return str(text).replace("|", "\\|")


def table(titles, rows):
    lines = ["| " + " | ".join(titles) + " |", "| " + " | ".join("---" for _ in titles) + " |"]
    return "\n".join(lines + ["| " + " | ".join(map(cell, row)) + " |" for row in rows]) + "\n"


def limits(param):
    if "choices" in param:
        return ", ".join(f"`{choice}`" for choice in param["choices"])
    if "greatest" not in param:
        return f"at least {number(param['least'])}" if "least" in param else ""
    return f"{number(param['least'])} to {number(param['greatest'])}" if "least" in param else \
        f"at most {number(param['greatest'])}"


def default(param):
    if param["default"] is None:
        return "required"
    return f"`{param['default']}`" if param["default"] else "empty"


def parameters(plugin):
    if not plugin["parameters"]:
        return "It has no parameters.\n"
    rows = [(f"`{p['name']}`", p["type"], default(p), limits(p), p["unit"] or "", p["doc"])
            for p in plugin["parameters"]]
    return table(("parameter", "type", "default", "range", "unit", "meaning"), rows)


def shape(sizes):
    return " × ".join(map(str, sizes))


def splits(plugin):
    rows = [(f"`{s['name']}`", shape(s["shape"]), s["parameters"]) for s in plugin["splits"]]
    return (f"Splits, with the default parameters and images of {shape(plugin['input'])}:\n\n"
            + table(("split", "features", "parameters up to it"), rows))


def examples(plugin):
    return (f"With its default parameters: {plugin['train']} examples to train and {plugin['test']} to test, images of "
            f"{shape(plugin['image'])}, {len(plugin['classes'])} classes: {', '.join(plugin['classes'])}.\n")


def needs(plugin):
    hooks = ", ".join(f"`{hook}`" for hook in plugin["hooks"])
    data = "the same images, in the same order, in every network" if plugin["paired"] else "any images in each network"
    return f"It needs {data}. Its hooks: {hooks} (`dovetail/aligner.h`).\n"


def page(plugin):
    parts = [NOTE, f"# {plugin['kind']} `{plugin['name']}`\n", f"{plugin['description']}. Version {plugin['version']}.\n",
             parameters(plugin)]
    for key, part in (("splits", splits), ("classes", examples), ("hooks", needs)):
        if key in plugin:
            parts.append(part(plugin))
    return "\n".join(parts)


def index(plugins):
    parts = [NOTE, "# Plugins that come with Dovetail\n"]
    for kind in KINDS:
        rows = [(f"[{p['name']}]({kind}-{p['name']}.md)", p["description"]) for p in plugins if p["kind"] == kind]
        parts.append(table((kind, "what it is"), rows))
    return "\n".join(parts)


def pages(program, folder):
    """Text by file name."""
    listed = ask(program, folder, "plugins")["plugins"]
    own = [p for p in listed if pathlib.Path(p["file"]).is_relative_to(pathlib.Path(folder).resolve())]
    plugins = [ask(program, folder, "inspect", p["name"], "--kind", p["kind"]) for p in own]
    return {"README.md": index(plugins), **{f"{p['kind']}-{p['name']}.md": page(p) for p in plugins}}


def stale(made, folder):
    """Names of the pages that are not as they would be made."""
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))


def main(arguments):
    check = "--check" in arguments
    program, plugins, *rest = [argument for argument in arguments if argument != "--check"]
    folder = pathlib.Path(*rest) if rest else DOCS
    made = pages(program, plugins)
    if check:
        wrong = stale(made, folder)
        for name in wrong:
            print(f"docs/plugins/{name} is stale; scripts/document_plugins.py DOVETAIL PLUGINS_FOLDER makes it anew")
        return 1 if wrong else 0
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.md"):
        path.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
