#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Finds the clause of the contract that each check of checks.def is about: contracts.py CHECKS HEADERS OUTPUT"""
import os
import re
import sys

CHECK = re.compile(r'^CHECK\(\s*"([^"]+)",\s*\w+,\s*\w+,\s*"([^"]+)",\s*((?:"(?:[^"\\]|\\.)*"\s*)+),', re.MULTILINE)
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
NOUNS = ("module", "aligner", "dataset")


def words_of(text):
    """The words of a header with their lines, without what draws comments."""
    return [(word, number) for number, line in enumerate(text.splitlines(), 1) for word in line.split()
            if word not in ("*", "/**", "/**<", "/*", "*/")]


def parse(text):
    """Of each check: its id, header and clause."""
    entries = CHECK.findall(text)
    if len(entries) != text.count("\nCHECK("):
        sys.exit(f"{text.count(chr(10) + 'CHECK(')} checks, of which {len(entries)} can be read")
    return [(name, header, "".join(STRING.findall(quoted)).replace('\\"', '"')) for name, header, quoted in entries]


def find(words, clause):
    """The line where a clause begins. Marks at its two ends do not count: '[any & …', '…; takes NULL.'"""
    marks = ".,;:[]()"
    wanted = clause.split()
    for at in range(len(words) - len(wanted) + 1):
        found = [word for word, _ in words[at:at + len(wanted)]]
        if ("".join(found[1:-1]) == "".join(wanted[1:-1]) and found[0].strip(marks) == wanted[0].strip(marks) and
                found[-1].strip(marks) == wanted[-1].strip(marks)):
            return words[at][1]
    return None


def main():
    table, headers, output = sys.argv[1:]
    with open(table, encoding="utf-8") as file:
        checks = parse(file.read())
    words, rows, lost = {}, [], []
    for name, header, clause in checks:
        row = []
        for noun in NOUNS:
            path = os.path.join(headers, header.replace("*", noun))
            text = clause.replace("*", noun) if "*" in header else clause
            if path not in words:
                with open(path, encoding="utf-8") as file:
                    words[path] = words_of(file.read())
            row.append(find(words[path], text))
            if row[-1] is None:
                lost.append(f"check {name}: {path} does not say: {text}")
        rows.append("{" + ", ".join(map(str, row)) + "}")
    if lost:
        sys.exit("\n".join(lost))
    with open(output, "w", encoding="utf-8") as file:
        file.write("static const guint contract_lines[][CONTRACT_NOUNS] = {" + ", ".join(rows) + "};\n")


main()
