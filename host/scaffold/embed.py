#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the template files below a folder as a C table: embed.py FOLDER OUTPUT FILE…, each FILE as KIND/NAME there."""
import pathlib
import sys

HEAD = """/* SPDX-License-Identifier: MIT */
/* Made by embed.py. */
#include "scaffold/templates.h"

const struct template_file template_files[] = {
"""


def literal(text):
    """The text as C string literals, a line each."""
    lines = text.replace("\\", "\\\\").replace('"', '\\"').split("\n")
    return "\n".join(f'     "{line}\\n"' for line in lines[:-1])


def main(folder, output, *files):
    with open(output, "w", encoding="utf-8") as out:
        out.write(HEAD)
        for file in files:
            kind, name = file.split("/")
            path = pathlib.Path(folder, file)
            mode = "0777" if path.stat().st_mode & 0o100 else "0666"
            out.write(f'    {{"{kind}", "{name}", {mode},\n{literal(path.read_text(encoding="utf-8"))}}},\n')
        out.write("    {0},\n};\n")


main(*sys.argv[1:])
