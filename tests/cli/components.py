# SPDX-License-Identifier: MIT
"""Component files, read and damaged."""
import json
import struct


def split(path):
    """The header of a component, as an object, and its data."""
    with open(path, "rb") as file:
        content = file.read()
    start = 8 + struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8:start]), content[start:]


def tensors(path):
    """The bytes of a component's tensors, by name."""
    header, data = split(path)
    return {name: data[slice(*entry["data_offsets"])] for name, entry in header.items() if name != "__metadata__"}


def metadata(path):
    return split(path)[0]["__metadata__"]


def rewrite(path, change):
    """Writes a component anew: change(header, data) gives the data, and may change the header."""
    header, data = split(path)
    data = change(header, bytearray(data))
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
