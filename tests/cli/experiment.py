# SPDX-License-Identifier: MIT
"""A small experiment as text, with parts to exchange."""
import os
import signal

from tap import start, wait_until, write

TEXT = """\
name: small
seed: 3
data: {plugin: shapes, params: {train: 64, test: 30}}
networks:
  a: &network
    backbone: {plugin: resnet, params: {depth: 8, width: 4}}
    split: layer2
    head: {plugin: resnet-tail, params: {depth: 8, width: 4}}
  b: *network
aligners:
  - {plugin: shared-init}
  - {plugin: rotation, weight: 0.5}
train: {epochs: 2, batch: 16, threads: 2, schedule: {kind: cosine, rate: 0.05}}
"""


def small(*changes):
    """The experiment, with each (old, new) pair exchanged; `old` must be there."""
    text = TEXT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def start_endless(folder, *changes):
    """Runs the experiment for ever. Returns the process once an epoch is over."""
    write(folder, "long.yaml", small(("epochs: 2", "epochs: 100000"), *changes))
    process = start("run", "long.yaml", folder=folder)
    metrics = os.path.join(folder, "runs/small/metrics.jsonl")
    wait_until(lambda: os.path.exists(metrics) and os.path.getsize(metrics))
    return process


def interrupt(folder, *changes, signals=(signal.SIGINT,)):
    """Runs the experiment for ever, and sends it signals once an epoch is over. Returns status and messages."""
    process = start_endless(folder, *changes)
    for number in signals:
        process.send_signal(number)
    _, messages = process.communicate(timeout=60)
    return process.returncode, messages.decode(errors="replace")
