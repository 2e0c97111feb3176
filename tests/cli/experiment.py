# SPDX-License-Identifier: MIT
"""A small experiment as text, with parts to exchange."""
import contextlib
import os
import signal
import time

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


@contextlib.contextmanager
def endless(folder, *changes):
    """The process of a run without end, once an epoch is over. It is killed at last."""
    write(folder, "long.yaml", small(("epochs: 2", "epochs: 100000"), *changes))
    process = start("run", "long.yaml", folder=folder)
    metrics = os.path.join(folder, "runs/small/metrics.jsonl")
    try:
        wait_until(lambda: os.path.exists(metrics) and os.path.getsize(metrics))
        yield process
    finally:
        process.kill()
        process.communicate()


def interrupt(folder, *changes, signals=(signal.SIGINT,)):
    """Sends signals to a run without end, one a moment after the other. Returns status and messages."""
    with endless(folder, *changes) as process:
        for number in signals:
            process.send_signal(number)
            time.sleep(0.003)  # two that wait together are one to the kernel
        _, messages = process.communicate(timeout=60)
    return process.returncode, messages.decode(errors="replace")
