#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every function pointer of the public headers says in which thread and state it may be called, as abi.h explains.
Usage: abi_tags.py HEADER_FOLDER"""
import pathlib
import re
import sys

TAG = re.compile(r"\[(main|network|any|one) & [^\[\]]+\]$")


def split(text):
    """The code and the comments, each where it was; those that follow what they are about are left out."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())
    text = re.sub(r"/\*\*<.*?\*/", blank, text, flags=re.S)
    code = re.sub(r"/\*.*?\*/", blank, text, flags=re.S)
    return code, "".join(a if a != b or a == "\n" else " " for a, b in zip(text, code))


def function_pointers(code):
    """Name and place of each function pointer that is no argument of another."""
    depth = 0
    for match in re.finditer(r"\(\*(?:const )?(\w+)\)\s*\(|\(|\)", code):
        if match.group(1) and depth == 0:
            yield match.group(1), match.start()
        depth += match.group().count("(") - match.group().count(")")


def contract(code, comments, place):
    """The comment before a declaration, in one line."""
    begin = max(code.rfind(mark, 0, place) for mark in ";{}")
    lines = re.sub(r"/\*+|\*/", "", comments[begin + 1:place]).splitlines()
    return " ".join(line.strip().removeprefix("*").strip() for line in lines).strip()


def untagged(text):
    """All function pointers, and those without a tag."""
    code, comments = split(text)
    found = list(function_pointers(code))
    return [name for name, _ in found], [name for name, place in found if not TAG.search(contract(code, comments, place))]


SAMPLE = """
struct sample { /* (*none)(void) */
  /** Does it. [any & after init] */
  int (*good)(void (*body)(int), void *data);
  /**
   * Does it.
   * [one &
   * after init]
   */
  void (*wrapped)(void);
  /** Does it. */
  const char *(*none)(const void *);
  /** Does it. [all & always] */
  void (*unknown)(void);
  void (*bare)(void); /**< [any & after init] */
  void (*after)(void);
};
"""


def main():
    folder = pathlib.Path(sys.argv[1])
    results = [("the check finds what lacks a tag",
                untagged(SAMPLE) == (["good", "wrapped", "none", "unknown", "bare", "after"],
                                     ["none", "unknown", "bare", "after"]), "")]
    pointers = 0
    for header in sorted(folder.glob("*.h")):
        every, lacking = untagged(header.read_text())
        pointers += len(every)
        results.append((f"tags of {header.name}", not lacking, "no tag: " + ", ".join(lacking)))
    results.append(("there are function pointers", pointers >= 35, f"only {pointers} were found"))
    print(f"1..{len(results)}")
    for number, (name, good, why) in enumerate(results, 1):
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
        if not good:
            print(f"# {why}")
    sys.exit(not all(good for _, good, _ in results))


main()
