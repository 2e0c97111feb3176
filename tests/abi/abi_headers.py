# SPDX-License-Identifier: MIT
"""What the public headers declare, read from their text. `folder` holds dovetail/*.h."""
import pathlib
import re


def text(folder):
    """All headers without comments."""
    headers = sorted(pathlib.Path(folder, "dovetail").glob("*.h"))
    return re.sub(r"/\*.*?\*/", " ", "".join(header.read_text() for header in headers), flags=re.S)


def types(folder):
    """Every struct and enum, as (kind, name)."""
    return re.findall(r"^(struct|enum) (\w+) \{", text(folder), re.M)


def bodies(folder, kind):
    """What stands between the braces of every struct or enum, by its name."""
    return dict(re.findall(rf"^{kind} (\w+) \{{([^\n]*|.*?\n)\}};", text(folder), re.M | re.S))


def declarations(body):
    """The declarations of a struct, in order, with single spaces; a union is one."""
    parts = re.findall(r"(?:[^;{]|\{[^}]*\})+;", body)
    return [" ".join(part.split()) for part in parts]


def structs(folder):
    return {name: declarations(body) for name, body in bodies(folder, "struct").items()}


def enums(folder):
    return {name: [" ".join(one.split()) for one in body.split(",") if one.strip()]
            for name, body in bodies(folder, "enum").items()}


def fields(declaration):
    """The names of the fields that a declaration makes."""
    union = re.fullmatch(r"union \{(.*)\};", declaration)
    if union:
        return [name for inner in declarations(union.group(1)) for name in fields(inner)]
    pointer = re.match(r"[^(]*\(\*(\w+)\)", declaration)
    if pointer:
        return [pointer.group(1)]
    return [re.search(r"(\w+)(?:\[\w+\])?$", part.rstrip("; ")).group(1) for part in declaration.split(",")]


def constants(folder):
    """The names of every enum's values."""
    return [value.split(" ")[0] for values in enums(folder).values() for value in values]


def major(folder):
    return int(re.search(r"^#define DVT_ABI_MAJOR (\d+)$", text(folder), re.M).group(1))


def never_change(folder):
    """The structs that do not say their size, neither here nor in dvt_plugin."""
    return [name for name, body in structs(folder).items()
            if body[0] != "uint32_t struct_size;" and name not in ("dvt_plugin", "dvt_param")]
