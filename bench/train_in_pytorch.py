#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Trains ResNet-20 in PyTorch as configs/cifar10-short-uniform.yaml and configs/short/ say, from the values of an
untrained run's components, on the images that `dovetail run` takes with the seed given: in its order, with its crops and
flips. Prints own and swap accuracy after each epoch. Without --against both networks are trained, for independent networks
and shared-init; with it, network b alone, by one aligner against what an incremental run of Dovetail's has trained.
docs/results.md says what it is for. Needs PyTorch and NumPy."""
import argparse
import json
import os
import time

import numpy as np
import torch
from torch.nn import functional

from peer import extractor, head

BATCH, PEAK, WARMUP, DECAY, PAD = 128, 0.2, 0.2, 5e-4, 4  # of configs/cifar10-short-uniform.yaml
MEAN, DEVIATION = [np.float32(v).reshape(3, 1, 1) for v in ([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616])]
NETWORKS = "ab"
LOW_32 = np.uint64(0xFFFFFFFF)


def tensors(path):
    """What a component file holds, by name."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__", None)
    spans = {name: (entry["shape"], *entry["data_offsets"]) for name, entry in header.items()}
    return {name: torch.tensor(np.frombuffer(data[begin:end], np.float32).reshape(shape))
            for name, (shape, begin, end) in spans.items()}


@torch.no_grad()
def untrained(module, path):
    """The module with the parameters of a component file, and fresh running statistics."""
    values = tensors(path)
    for name, parameter in module.named_parameters():
        parameter.copy_(values[name])
    return module.to(memory_format=torch.channels_last)


def frozen(module, path):
    """The module as a component file has it, not to be trained."""
    values = tensors(path)
    counts = {name: count for name, count in module.state_dict().items() if name.endswith("num_batches_tracked")}
    module.load_state_dict(values | counts)
    return module.requires_grad_(False).eval().to(memory_format=torch.channels_last)


def images_of(folder, files):
    examples = np.concatenate([np.fromfile(os.path.join(folder, file), np.uint8).reshape(-1, 3073) for file in files])
    return torch.tensor(examples[:, 0].astype(np.int64)), examples[:, 1:].reshape(-1, 3, 32, 32)


def philox(counter, key):
    """Philox4x32-10 of arrays of counters; host/plugin/philox.h has the same."""
    counter, key = [np.uint64(word) for word in counter], [int(word) for word in key]
    for _ in range(10):
        even, odd = np.uint64(0xD2511F53) * counter[0], np.uint64(0xCD9E8D57) * counter[2]
        first = (odd >> np.uint64(32)) ^ counter[1] ^ np.uint64(key[0])
        third = (even >> np.uint64(32)) ^ counter[3] ^ np.uint64(key[1])
        counter = [first, odd & LOW_32, third, even & LOW_32]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return counter


def random_words(seed, name, epoch, index, four):
    """Words 4 * four to 4 * four + 3 at an index of an epoch, of the stream of a name: random_words of host/plugin."""
    number = 0xCBF29CE484222325
    for letter in name.encode():
        number = (number ^ letter) * 0x100000001B3 % 2**64
    key = philox([number % 2**32, number >> 32, 0, 0], (seed % 2**32, seed >> 32))[:2]
    return philox(np.broadcast_arrays(four, index, 0, epoch), key)


def below(words, limit):
    return (words * np.uint64(limit) >> np.uint64(32)).astype(np.int64)


def order_of(seed, stream, epoch, count):
    fours = np.arange((count + 3) // 4)
    words = np.stack(random_words(seed, f"order/{stream}", epoch, 0, fours), 1).reshape(-1)
    order = np.zeros(count, np.int64)
    for k in range(count):
        other = int(words[k]) * (k + 1) >> 32
        order[k], order[other] = order[other], k
    return order


def normalised(images):
    return (images.astype(np.float32) / 255 - MEAN) / DEVIATION


def augmented(images, seed, stream, epoch, examples):
    """The images of a batch, normalised, flipped and cropped."""
    words, side = random_words(seed, f"augment/{stream}", epoch, examples, 0), 32 + 2 * PAD
    x, y, flipped = below(words[0], 2 * PAD + 1), below(words[1], 2 * PAD + 1), words[2] % np.uint64(2) == 1
    batch = normalised(images[examples])
    batch[flipped] = batch[flipped, :, :, ::-1]
    padded = np.zeros((len(examples), 3, side, side), np.float32)
    padded[:, :, PAD:-PAD, PAD:-PAD] = batch
    cropped = np.stack([padded[k, :, y[k]:y[k] + 32, x[k]:x[k] + 32] for k in range(len(examples))])
    return torch.tensor(cropped).contiguous(memory_format=torch.channels_last)


def rate_at(step, steps):
    rising = WARMUP * steps
    return PEAK * (min(1, (step + 1) / rising) if step < rising else 1 - (step - rising) / (steps - rising))


@torch.no_grad()
def accuracies(networks, labels, images):
    """Share of correct answers of each extractor (row) with each head (column). Leaves all in evaluation mode."""
    for module in [module for network in networks for module in network]:
        module.eval()
    right = np.zeros((2, 2))
    for first in range(0, len(images), 500):
        batch = torch.tensor(normalised(images[first:first + 500])).contiguous(memory_format=torch.channels_last)
        for row, (own_extractor, _) in enumerate(networks):
            features = own_extractor(batch)
            for column, (_, any_head) in enumerate(networks):
                right[row, column] += (any_head(features).argmax(1) == labels[first:first + 500]).sum().item()
    return right / len(images)


def common_classes(folder):
    """A loss of features: a frozen auxiliary head tells the first five classes."""
    auxiliary = frozen(head(torch, 3, 5), os.path.join(folder, "common-classes-common-classes.safetensors"))

    def loss(own, batch, features, labels):
        answers = labels.where(labels < 5, torch.tensor(-1))
        return functional.cross_entropy(auxiliary(features), answers, ignore_index=-1, reduction="sum") / len(labels)
    return loss


def distillation(folder):
    """A loss of features: their distance to those of a's frozen extractor."""
    other = frozen(extractor(torch, 3), os.path.join(folder, "a-extractor.safetensors"))
    return lambda own, batch, features, labels: functional.mse_loss(features, other(batch))


def view_features(own, view):
    """An extractor's features of a view. Its running statistics, those of images as they are, stay."""
    norms = [module for module in own.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0
    features = own(view)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    return features


def rotation(folder):
    """A loss of turned images: a frozen auxiliary head tells by how much. The turns are PyTorch's own."""
    auxiliary = frozen(head(torch, 3, 4), os.path.join(folder, "rotation-rotation.safetensors"))

    def loss(own, batch, features, labels):
        turns = torch.randint(4, (len(batch),))
        view = torch.stack([torch.rot90(image, int(turn), (1, 2)) for image, turn in zip(batch, turns)])
        features = view_features(own, view.contiguous(memory_format=torch.channels_last))
        return functional.cross_entropy(auxiliary(features), turns)
    return loss


ALIGNERS = {"common-classes": common_classes, "distillation": distillation, "rotation": rotation}


def networks_of(arguments):
    """Names of those to be trained; extractor and head of each by name; and the loss that an aligner adds."""
    trained = NETWORKS[1:] if arguments.against else NETWORKS
    networks, align = {}, lambda *_: 0
    for name in NETWORKS:
        folder, load = (arguments.components, untrained) if name in trained else (arguments.against, frozen)
        networks[name] = [load(module, os.path.join(folder, f"{name}-{kind}.safetensors"))
                          for kind, module in (("extractor", extractor(torch, 3)), ("head", head(torch, 3, 10)))]
    if arguments.aligner:
        align = ALIGNERS[arguments.aligner](arguments.against)
    return trained, networks, align


def step_of(network, optimiser, batch, labels, align):
    """Takes one step; returns the loss before it."""
    own_extractor, own_head = network
    optimiser.zero_grad(set_to_none=True)
    features = own_extractor(batch)
    loss = functional.cross_entropy(own_head(features), labels) + align(own_extractor, batch, features, labels)
    loss.backward()
    optimiser.step()
    return loss.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("components", help="folder with the untrained a-extractor.safetensors, a-head… and b's")
    parser.add_argument("--data", required=True, help="folder of CIFAR-10's binary files")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--against", metavar="FOLDER", help="components of an incremental run with the aligner and the "
                        "seed: a and the auxiliary head, if it has one, stay as they are there")
    parser.add_argument("--aligner", choices=ALIGNERS, help="what trains b against them")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    if bool(arguments.against) != bool(arguments.aligner):
        parser.error("--against and --aligner go together")
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)

    labels, images = images_of(arguments.data, [f"data_batch_{k}.bin" for k in range(1, 6)])
    test = images_of(arguments.data, ["test_batch.bin"])
    trained, networks, align = networks_of(arguments)
    streams = {name: "shared" if arguments.aligner == "distillation" else name for name in trained}
    weights = {name: [weight for module in networks[name] for weight in module.parameters()] for name in trained}
    optimisers = {name: torch.optim.SGD(weights[name], lr=PEAK, momentum=0.9, weight_decay=DECAY, nesterov=True)
                  for name in trained}
    epoch_steps, start = len(images) // BATCH, time.monotonic()
    steps = arguments.epochs * epoch_steps
    for epoch in range(arguments.epochs):
        orders = {name: order_of(arguments.seed, streams[name], epoch, len(images)) for name in trained}
        losses = dict.fromkeys(trained, 0)
        for module in [module for name in trained for module in networks[name]]:
            module.train()
        for step in range(epoch_steps):
            for name in trained:
                examples = orders[name][step * BATCH:(step + 1) * BATCH]
                batch = augmented(images, arguments.seed, streams[name], epoch, examples)
                optimisers[name].param_groups[0]["lr"] = rate_at(epoch * epoch_steps + step, steps)
                losses[name] += step_of(networks[name], optimisers[name], batch, labels[examples], align) / epoch_steps
        right = accuracies(list(networks.values()), *test)
        print(json.dumps({"epoch": epoch + 1, "losses": {name: round(loss, 4) for name, loss in losses.items()},
                          "own_accuracy": right.trace() / 2, "swap_accuracy": (right[0, 1] + right[1, 0]) / 2,
                          "minutes": round((time.monotonic() - start) / 60, 1)}), flush=True)


if __name__ == "__main__":
    main()
