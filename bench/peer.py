#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Trains CIFAR ResNets in PyTorch as plainly as one would write it, without a data pipeline, and prints how fast:
{"images_per_second": …}, target images of all networks together. compare.py starts it."""
import argparse
import contextlib
import json
import time
from collections import OrderedDict


def block(torch, inputs, outputs, stride):
    """Two convolutions with batch norm, and a way past them."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            self.shortcut = nn.Sequential()
            if inputs != outputs:
                self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False),
                                              nn.BatchNorm2d(outputs))

        def forward(self, features):
            inner = torch.relu_(self.bn1(self.conv1(features)))
            return torch.relu_(self.bn2(self.conv2(inner)) + self.shortcut(features))

    return Block()


def stage(torch, inputs, outputs, stride, blocks):
    return torch.nn.Sequential(*[block(torch, inputs if not k else outputs, outputs, 1 if k else stride)
                                 for k in range(blocks)])


def extractor(torch, blocks):
    """Up to the second stage. Its parameters, and those of the head, have the names that components give them."""
    nn = torch.nn
    return nn.Sequential(OrderedDict(conv1=nn.Conv2d(3, 16, 3, 1, 1, bias=False), bn1=nn.BatchNorm2d(16),
                                     relu=nn.ReLU(inplace=True), layer1=stage(torch, 16, 16, 1, blocks),
                                     layer2=stage(torch, 16, 32, 2, blocks)))


def head(torch, blocks, classes):
    nn = torch.nn
    return nn.Sequential(OrderedDict(layer3=stage(torch, 32, 64, 2, blocks), pool=nn.AdaptiveAvgPool2d(1),
                                     flatten=nn.Flatten(), linear=nn.Linear(64, classes)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=2)
    parser.add_argument("--depth", type=int, default=56)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--aligner", choices=["none", "rotation"], default="none")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--layout", choices=["default", "channels_last"], default="default")
    arguments = parser.parse_args()

    import torch
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    form = torch.channels_last if arguments.layout == "channels_last" else torch.contiguous_format
    blocks, batch, rotate = (arguments.depth - 2) // 6, arguments.batch, arguments.aligner == "rotation"
    images = torch.randn(batch, 3, 32, 32).contiguous(memory_format=form)
    labels = torch.randint(10, (batch,))
    networks = [(extractor(torch, blocks).to(memory_format=form), head(torch, blocks, 10).to(memory_format=form))
                for _ in range(arguments.networks)]
    modules = [module for network in networks for module in network]
    if rotate:
        shared = head(torch, blocks, 4).to(memory_format=form)
        modules.append(shared)
    weights = [weight for module in modules for weight in module.parameters()]
    optimiser = torch.optim.SGD(weights, lr=0.1, momentum=0.9, weight_decay=1e-4)

    def arithmetic():
        if arguments.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast("cpu", dtype=torch.bfloat16)

    def learn(features, top, inputs, answers):
        with arithmetic():
            logits = top(features(inputs))
        torch.nn.functional.cross_entropy(logits.float(), answers).backward()

    def step():
        optimiser.zero_grad(set_to_none=True)
        for features, top in networks:
            learn(features, top, images, labels)
            if rotate:
                turns = torch.randint(4, (batch,))
                turned = torch.stack([torch.rot90(image, int(turn), (1, 2)) for image, turn in zip(images, turns)])
                learn(features, shared, turned.contiguous(memory_format=form), turns)
        optimiser.step()

    for _ in range(2):
        step()
    start = time.monotonic()
    for _ in range(arguments.steps):
        step()
    seconds = (time.monotonic() - start) / arguments.steps
    print(json.dumps({"images_per_second": arguments.networks * batch / seconds}))


if __name__ == "__main__":
    main()
