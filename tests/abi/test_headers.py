#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The headers of 1.0 are as they were published, those of now extend them, and test_abi.c has a row for all they
declare. Arguments after those of tap.py: HEADERS, the folder of 1.0, TEST_ABI"""
import hashlib
import os
import sys

import abi_headers
from tap import case, main, write

headers, published, table = sys.argv[3:]


def changed_files(folder):
    """The files of a published ABI that are not as SHA256SUMS says, are gone, or are new."""
    with open(os.path.join(folder, "SHA256SUMS")) as file:
        sums = dict(reversed(line.rstrip("\n").split("  ", 1)) for line in file)
    there = {os.path.relpath(os.path.join(place, name), folder)
             for place, _, names in os.walk(folder) for name in names} - {"SHA256SUMS"}
    edited = {name for name in there & set(sums) if sums[name] != digest(folder, name)}
    return sorted(there ^ set(sums) | edited)


def digest(folder, name):
    with open(os.path.join(folder, name), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def broken_promises(old, new):
    """The structs and enums of `old` that those of `new` do not extend. Structs without a size stay as they are."""
    constant = abi_headers.never_change(old)
    for read in (abi_headers.structs, abi_headers.enums):
        now = read(new)
        for name, lines in read(old).items():
            kept = now.get(name, [])
            if kept[:len(lines)] != lines or (name in constant and kept != lines):
                yield name


def without_row(folder, rows):
    """What `rows`, the text of test_abi.c, does not pin."""
    for name, lines in abi_headers.structs(folder).items():
        fields = [field for line in lines for field in abi_headers.fields(line)]
        wanted = [f"STRUCT({name},", *(f"FIELD({name}, {field}," for field in fields)]
        yield from (row for row in wanted if row not in rows)
    yield from (name for name in abi_headers.constants(folder) if f"CONSTANT({name}," not in rows)


def sample(folder, name, text):
    write(folder, f"{name}/dovetail/sample.h", text)
    return os.path.join(folder, name)


SAMPLE = """
struct dvt_sized {
  uint32_t struct_size; /**< ; } */
  int64_t shape[3];
  union {
    double number;
    const char *string;
  };
  int (*call)(void *self, void (*body)(int));
  double least, greatest;
};

struct dvt_bare {
  void *data;
};

enum dvt_kind { DVT_ONE = 1, DVT_TWO };
"""
END = "greatest;\n"
CHANGES = {"dvt_sized": [("int64_t shape", "int32_t shape"), ("  double least, greatest;\n", ""), ("least, ", ""),
                         ("struct dvt_sized", "struct dvt_other")],
           "dvt_bare": [("  void *data;\n", "  void *data;\n  int more;\n")],
           "dvt_kind": [("DVT_ONE = 1, ", "DVT_ONE = 1, DVT_NEW, "), (", DVT_TWO", "")]}


@case
def nobody_edited_what_was_published(folder):
    assert not changed_files(published), changed_files(published)


@case
def an_edit_is_seen(folder):
    write(folder, "same.h", "1")
    write(folder, "edited.h", "1")
    write(folder, "new.h", "1")
    one = hashlib.sha256(b"1").hexdigest()
    write(folder, "SHA256SUMS", f"{one}  same.h\n{one}  gone.h\n{hashlib.sha256(b'2').hexdigest()}  edited.h\n")
    assert changed_files(folder) == ["edited.h", "gone.h", "new.h"], changed_files(folder)


@case
def the_headers_extend_those_of_1_0(folder):
    old = os.path.join(published, "include")
    broken = list(broken_promises(old, headers))
    assert abi_headers.major(headers) > abi_headers.major(old) or not broken, broken


@case
def only_growth_at_the_end_extends(folder):
    old = sample(folder, "old", SAMPLE)
    grown = sample(folder, "grown", SAMPLE.replace(END, END + "  int more;\n").replace("DVT_TWO", "DVT_TWO, DVT_THREE"))
    assert not list(broken_promises(old, grown))
    for name, changes in CHANGES.items():
        for number, change in enumerate(changes):
            new = sample(folder, f"{name}{number}", SAMPLE.replace(*change))
            assert list(broken_promises(old, new)) == [name], (name, change)


@case
def every_field_and_constant_has_its_row(folder):
    with open(table) as file:
        missing = list(without_row(headers, file.read()))
    assert not missing, missing


@case
def a_missing_row_is_seen(folder):
    missing = list(without_row(sample(folder, "new", SAMPLE), "STRUCT(dvt_bare, 8), CONSTANT(DVT_ONE, 1)"))
    fields = [f"FIELD(dvt_sized, {field}," for field in "struct_size shape number string call least greatest".split()]
    assert missing == ["STRUCT(dvt_sized,", *fields, "FIELD(dvt_bare, data,", "DVT_TWO"], missing


main()
