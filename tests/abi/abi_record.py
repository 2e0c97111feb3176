#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The plugin ABI in the form that abidiff compares. Usage: abi_record.py FOLDER, which writes FOLDER/dovetail-abi.xml
from the headers in FOLDER/include."""
import os
import subprocess
import sys
import tempfile

import abi_headers


def library(headers, folder, compiler=("cc",)):
    """Builds, in `folder`, a library that exports a pointer to each public type, and gives its path. A type that is
    gone is then a symbol that is gone."""
    with open(os.path.join(folder, "abi.c"), "w") as file:
        file.write("#include <dovetail/dovetail.h>\n")
        file.writelines(f"extern {kind} {name} *abi_{name};\n{kind} {name} *abi_{name};\n"
                        for kind, name in abi_headers.types(headers))
    subprocess.run([*compiler, "-std=c11", "-g", "-O0", "-shared", "-fPIC", f"-I{os.path.abspath(headers)}", "-o",
                    "abi.so", "abi.c"], check=True, cwd=folder)
    return os.path.join(folder, "abi.so")


def main(folder):
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(["abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--no-elf-needed",
                        "--no-parameter-names", "--out-file", os.path.join(folder, "dovetail-abi.xml"),
                        library(os.path.join(folder, "include"), place)], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
