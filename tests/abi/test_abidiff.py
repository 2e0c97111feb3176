#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The built plugin interface against that of 1.0, as abidiff sees both: nothing changes but that structs which say
their size grow at their end. Arguments after those of tap.py: HEADERS, the folder of 1.0, ABIDIFF (empty: all is
skipped), COMPILER..."""
import os
import re
import shutil
import subprocess
import sys

import abi_headers
from abi_record import library
from tap import case, main

headers, recorded, abidiff, *compiler = sys.argv[3:]
if not abidiff:
    print("1..0 # SKIP no abidiff, or a machine of another kind than the recorded one")
    sys.exit()
FAILED, INCOMPATIBLE = 1 | 2, 8  # bits of abidiff's exit status; 4 says that there is a report
GREW = re.compile(r"'struct (\w+)' changed:\n"
                  r"  type size changed from (\d+) to \d+ \(in bits\)\n"
                  r"  \d+ data member insertions?:\n"
                  r"((?:    '.*', at offset \d+ \(in bits\)\n)+)")


def grew_at_its_end(match, constant):
    """Whether a part of the report tells of a struct that may grow, and has new fields behind its old end alone."""
    name, old_size, insertions = match.groups()
    places = re.findall(r", at offset (\d+) \(in bits\)\n", insertions)
    return name not in constant and all(int(place) >= int(old_size) for place in places)


def objections(folder, changed):
    """What plugins of 1.0 cannot bear in the headers `changed`: abidiff's report, or nothing."""
    if abi_headers.major(changed) != abi_headers.major(os.path.join(recorded, "include")):
        return ""
    done = subprocess.run([abidiff, "--leaf-changes-only", "--no-show-locs", "--no-added-syms",
                           os.path.join(recorded, "dovetail-abi.xml"), library(changed, folder, compiler)],
                          capture_output=True, text=True)
    assert not done.returncode & FAILED, done.stderr
    if done.returncode == 0:
        return ""
    summary, _, changes = done.stdout.partition("\n\n")
    constant = abi_headers.never_change(changed)
    rest = GREW.sub(lambda match: "" if grew_at_its_end(match, constant) else match.group(), changes)
    return summary + "\n\n" + rest if rest.strip() or done.returncode & INCOMPATIBLE else ""


def objections_to(folder, name, *changes):
    """As above, of a copy of the headers, where in NAME each (old, new) is exchanged; `old` must be there."""
    copy = os.path.join(folder, "include")
    shutil.copytree(headers, copy)
    path = os.path.join(copy, "dovetail", name)
    with open(path) as file:
        text = file.read()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    with open(path, "w") as file:
        file.write(text)
    return objections(folder, copy)


def refused(what, header, *changes):
    """A case: plugins of 1.0 cannot bear these changes of a header."""
    def refuse(folder):
        assert objections_to(folder, header, *changes)
    refuse.__name__ = what
    case(refuse)


LAST_HOOK = "struct dvt_tensor *const *gradients, uint32_t count, double *loss, struct dvt_error *error);"
LABELS = "const int32_t *labels; "
EPOCH, STEP = "uint64_t epoch; ", "uint64_t step; "
MORE = "uint64_t more; "
RETYPED = ("double weight; ", "uint64_t weight; ")
MAJOR = ("#define DVT_ABI_MAJOR 1", "#define DVT_ABI_MAJOR 2")


@case
def the_headers_keep_what_1_0_promised(folder):
    found = objections(folder, headers)
    assert not found, found


@case
def operations_may_follow(folder):
    assert not objections_to(folder, "aligner.h", (LAST_HOOK, LAST_HOOK + "int (*one)(void *); int (*two)(void *);"))


@case
def fields_may_follow_and_types_may_be_new(folder):
    new = "struct dvt_more {\n  int some;\n};\nstruct dvt_batch {"
    assert not objections_to(folder, "aligner.h", ("struct dvt_batch {", new),
                             (LABELS, LABELS + "const struct dvt_more *more; "))


@case
def enums_may_gain_values(folder):
    last = "DVT_ERROR_INTERNAL = -5"
    assert not objections_to(folder, "abi.h", (last, last + ", DVT_ERROR_MORE = -6"))


@case
def another_major_promises_nothing(folder):
    assert not objections_to(folder, "abi.h", MAJOR, ("DVT_ERROR_IO = -3", "DVT_ERROR_IO = -13"))


refused("fields_in_another_order", "aligner.h", (EPOCH, "uint64_t swap; "), (STEP, EPOCH), ("uint64_t swap; ", STEP))
refused("a_field_in_between", "aligner.h", (LABELS, MORE + LABELS))
refused("a_field_that_is_gone", "aligner.h", (LABELS, ""))
refused("a_field_of_another_type", "aligner.h", RETYPED)
refused("a_field_of_another_type_where_one_follows", "aligner.h", RETYPED, (LABELS, LABELS + MORE))
refused("an_operation_with_another_argument", "aligner.h", ("double *loss, struct dvt_error *error);",
                                                            "float *loss, struct dvt_error *error);"))
refused("a_struct_without_a_size_that_grows", "tensor.h", ("int64_t shape[DVT_MAX_RANK]; ",
                                                           "int64_t shape[DVT_MAX_RANK]; " + MORE))
refused("a_field_in_the_place_of_another", "error.h", ("char message[1016]; ", "char message[1008]; " + MORE))
refused("an_enum_counted_anew", "param.h", ("DVT_TYPE_FLOAT,", "DVT_TYPE_MORE, DVT_TYPE_FLOAT,"))
refused("a_type_that_is_gone", "module.h", ("struct dvt_split {", "struct dvt_point {"),
        ("const struct dvt_split *(", "const struct dvt_point *("))
main()
