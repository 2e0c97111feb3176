#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How Dovetail's speed grows: two networks on two threads against one network on one thread, batches of 32 to 256, and
two small networks on 1,000 to 50,000 images.

Prints medians of several rounds, in turns. Leave the machine alone meanwhile.
"""
import argparse
import json
import tempfile

import turns

EXPERIMENT = """\
name: one
data: {plugin: shapes, params: {train: 1280, test: 10}}
networks:
  a: {backbone: {plugin: resnet, params: {depth: 56}}, split: layer2, head: {plugin: resnet-tail, params: {depth: 56}}}
"""
SMALL = """\
name: small
data: {plugin: shapes, params: {test: 10}}
networks:
  a: &net {backbone: {plugin: resnet, params: {depth: 8}}, split: layer2, head: {plugin: resnet-tail, params: {depth: 8}}}
  b: *net
train: {batch: 125}
"""
BATCHES = (32, 64, 128, 256)
IMAGES = (1000, 10000, 50000)
SMALL_STEPS = 16  # for each of the others: ten epochs of the smallest


def experiment(text):
    file = tempfile.NamedTemporaryFile("w", suffix=".yaml")
    file.write(text)
    file.flush()
    return file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    turns.add_options(parser)
    parser.add_argument("--precision", default="auto")
    arguments = parser.parse_args()

    def pair(*sets):
        return turns.bench(arguments, [f"train.precision={arguments.precision}", *sets])

    with experiment(EXPERIMENT) as one, experiment(SMALL) as small:
        alone = [f"train.precision={arguments.precision}", "train.threads=1"]
        runs = {
            "one network, one thread": lambda: turns.bench(arguments, alone, [one.name]),
            "two networks, two threads": lambda: pair("train.threads=2"),
        }
        for batch in BATCHES:
            runs[f"batch {batch}"] = lambda batch=batch: pair(f"train.batch={batch}")
        many = argparse.Namespace(**{**vars(arguments), "steps": SMALL_STEPS * arguments.steps})
        for images in IMAGES:
            sets = [f"train.precision={arguments.precision}", f"data.params.train={images}"]
            runs[f"{images} images"] = lambda sets=sets: turns.bench(many, sets, [small.name])
        rates, medians = turns.take_turns(runs, arguments.rounds)
    ratio = medians["two networks, two threads"] / medians["one network, one thread"]
    if arguments.json:
        print(json.dumps({"rounds": rates, "medians": medians, "two_to_one": ratio}, indent=2))
        return
    turns.print_medians(medians)
    print(f"two networks on two threads / one on one: {ratio:.2f}")


if __name__ == "__main__":
    main()
