#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Dovetail and PyTorch side by side: the same joint training of CIFAR ResNets, in turns, several rounds in one sitting.

Dovetail runs with its data pipeline, PyTorch (Debian's python3-torch) without one. Prints images per second of each
round, target images of all networks together, then medians and ratios. Leave the machine alone meanwhile.
"""
import argparse
import json
import os
import subprocess
import sys

import turns


def native_bfloat16():
    """Whether the processor multiplies bfloat16 itself; where it does not, PyTorch takes up to minutes a step."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return "avx512_bf16" in file.read()


def dovetail(arguments, precision):
    sets = [f"networks.*.{part}.params.depth={arguments.depth}" for part in ("backbone", "head")]
    sets += [f"train.batch={arguments.batch}", f"train.threads={arguments.threads}", f"train.precision={precision}"]
    if arguments.aligner != "none":
        sets.append(f"aligners=[{{plugin: {arguments.aligner}}}]")
    return turns.bench(arguments, sets)


def pytorch(arguments, precision, layout, processes):
    """Rate of one process with both networks, or of a process a network, each with its share of the threads."""
    threads = max(1, arguments.threads // processes)
    command = [sys.executable, os.path.join(turns.HERE, "peer.py"), "--precision", precision, "--layout", layout,
               "--networks", str(2 // processes), "--threads", str(threads), "--depth", str(arguments.depth),
               "--batch", str(arguments.batch), "--steps", str(arguments.steps), "--aligner", arguments.aligner]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": str(threads)})
               for _ in range(processes)]
    outputs = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        sys.exit("compare.py: PyTorch failed; its message is above")
    return sum(json.loads(output)["images_per_second"] for output in outputs)


def contestants(arguments):
    """Name: a function that runs it once and returns images per second."""
    bfloat16 = arguments.all or native_bfloat16()
    runs = {f"dovetail {precision}": lambda precision=precision: dovetail(arguments, precision)
            for precision in ("float32", "auto")}
    # A process a network has no way to share the gradients of an aligner's head.
    processes = (1,) if arguments.aligner != "none" else (1, 2)
    for precision in ("float32", "bfloat16") if bfloat16 else ("float32",):
        for layout in ("default", "channels_last"):
            for count in processes:
                name = f"pytorch {precision}, {layout}, {count} process{'es' if count > 1 else ''}"
                runs[name] = lambda setup=(precision, layout, count): pytorch(arguments, *setup)
    return runs


def ratios(medians):
    """What Dovetail is ahead by; None where there is nothing to compare with."""
    def best(precision):
        return max((rate for name, rate in medians.items() if name.startswith(f"pytorch {precision}")), default=None)

    pairs = {
        "float32 / PyTorch's best float32": ("dovetail float32", best("float32")),
        "auto / PyTorch's best bfloat16": ("dovetail auto", best("bfloat16")),
        "auto / PyTorch's default": ("dovetail auto", medians["pytorch float32, default, 1 process"]),
    }
    return {name: medians[mine] / theirs if theirs else None for name, (mine, theirs) in pairs.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    turns.add_options(parser)
    parser.add_argument("--aligner", choices=["none", "rotation"], default="none")
    parser.add_argument("--depth", type=int, default=56)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of both networks together")
    parser.add_argument("--all", action="store_true",
                        help="bfloat16 in PyTorch without native bfloat16, too: up to minutes a step")
    arguments = parser.parse_args()

    rates, medians = turns.take_turns(contestants(arguments), arguments.rounds)
    if arguments.json:
        print(json.dumps({"setting": vars(arguments), "rounds": rates, "medians": medians, "ratios": ratios(medians)},
                         indent=2))
        return
    turns.print_medians(medians)
    for name, value in ratios(medians).items():
        print(f"{name:46} {'n/a' if value is None else format(value, '8.2f')}")


if __name__ == "__main__":
    main()
