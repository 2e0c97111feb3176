#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes similarity.json, which the tests read: pairs of features, and what NumPy and SciPy say of them.

    python3 make_similarity_fixture.py > similarity.json
"""
import json

import numpy
from scipy.optimize import linear_sum_assignment
from scipy.stats import pearsonr

IMAGES, SIDE = 5, 3


def features(random, channels, mixed_from=None):
    """[n, C, H, W]; multiples of 1/64, which float32 and short decimals hold exactly."""
    values = random.normal(size=(IMAGES, channels, SIDE, SIDE))
    if mixed_from is not None:
        mixing = random.normal(size=(channels, mixed_from.shape[1]))
        values = 0.5 * values + numpy.einsum("dc,nchw->ndhw", mixing, mixed_from)
    return numpy.round(values * 64) / 64


def examples(maps):
    """[images · positions, C]"""
    return maps.transpose(0, 2, 3, 1).reshape(-1, maps.shape[1])


def linear_cka(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    return numpy.linalg.norm(y.T @ x) ** 2 / (numpy.linalg.norm(x.T @ x) * numpy.linalg.norm(y.T @ y))


def case(name, a, b):
    x, y = examples(a), examples(b)
    dead = [[c for c in range(z.shape[1]) if z[:, c].std() == 0] for z in (x, y)]
    alive = [[c for c in range(z.shape[1]) if c not in gone] for z, gone in zip((x, y), dead)]
    result = {"name": name, "dead": dead, "cka": linear_cka(x, y), "correlation": None, "matched_correlation": None}
    if a.shape[1] == b.shape[1]:
        both = [c for c in alive[0] if c in alive[1]]
        result["correlation"] = numpy.mean([pearsonr(x[:, c], y[:, c])[0] for c in both])
        table = numpy.array([[pearsonr(x[:, i], y[:, j])[0] for j in alive[1]] for i in alive[0]])
        result["matched_correlation"] = table[linear_sum_assignment(table, maximize=True)].mean()
    for key, maps in (("a", a), ("b", b)):
        result[key] = {"shape": maps.shape[1:], "values": maps.ravel().tolist()}
    return result


def main():
    random = numpy.random.default_rng(3)
    plain = features(random, 6)
    related = features(random, 6, plain)
    gone = related.copy()
    gone[:, [0, 4]] = 0.25
    lost = plain.copy()
    lost[:, 1] = 0
    cases = [
        case("unrelated", plain, features(random, 6)),
        case("related", plain, related),
        case("permuted", plain, plain[:, [3, 5, 0, 1, 2, 4]]),
        case("offsets of 1000", plain + 1000, related - 1000),
        case("dead channels, more in b", lost, gone),
        case("dead channels, more in a", gone, lost),
        case("other numbers of channels", plain, features(random, 3, plain)),
    ]
    print("[" + ",\n".join(json.dumps(one, separators=(",", ":")) for one in cases) + "]")


if __name__ == "__main__":
    main()
