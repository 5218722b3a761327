"""Sorted values as a KLL sketch, at a sixth of the time of one update after the other.

A KLL sketch holds values of weight 2ʰ on its level h, where they come from sorting the level below and keeping every
second one, beginning with the first or the second at random. To keep every 2ʰ-th of a sorted block, beginning with one
of the first 2ʰ at random, is the same with one throw in place of h: a rank is off by less than 2ʰ and by nothing on
average. What is kept is written in the sketch's own format, which is the same in all languages, and merged.

References:
    Karnin, Lang, Liberty: Optimal quantile approximation in streams, FOCS 2016, section 2.
    Apache DataSketches, KLL sketch: kll_sketch.hpp describes the bytes.
"""

import secrets
import struct

import numpy as np
from datasketches import kll_doubles_sketch

from groundswell.statistics._matrix import Floats

__all__ = ["add_values"]

_SMALLEST_LEVEL = 8
_HEADER = struct.Struct("<BBBBHBBQHBB")  # ints before the data, version, family, flags, k, m, unused, n, k, levels
_VERSION, _FAMILY = 1, 15


def add_values(sketch: kll_doubles_sketch, values: Floats) -> None:
    """Let the sketch take in values, none of them NaN; the array is not changed."""
    height = max((2 * len(values) // (3 * sketch.k)).bit_length(), 0)  # so that at most 1.5 k values are kept
    if height == 0:
        sketch.update(values)
        return
    ordered = np.sort(values)
    bulk = len(values) >> height << height
    sketch.merge(kll_doubles_sketch.deserialize(_encoded(sketch.k, ordered[:bulk], height)))
    if bulk < len(ordered):
        sketch.update(ordered[bulk:])


def _encoded(k: int, ordered: Floats, height: int) -> bytes:
    """A sketch that has seen the values and holds every 2ʰ-th on level h, where h is `height`."""
    kept = ordered[secrets.randbelow(1 << height) :: 1 << height]
    start = np.full(height + 1, _capacity(k, height + 1) - len(kept), np.uint32)  # all levels below the last are empty
    header = _HEADER.pack(5, _VERSION, _FAMILY, 0, k, _SMALLEST_LEVEL, 0, len(ordered), k, height + 1, 0)
    return b"".join([header, start.tobytes(), ordered[[0, -1]].tobytes(), kept.tobytes()])


def _capacity(k: int, n_levels: int) -> int:
    """How many values a sketch of so many levels has room for: each level two thirds of the one above."""
    return sum(max(_SMALLEST_LEVEL, ((2 * k << depth) // 3**depth + 1) >> 1) for depth in range(n_levels))
