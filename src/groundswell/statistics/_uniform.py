"""Lots that belong to rows: a number for each hash, which no cut or order of the rows changes.

References:
    Steele, Lea, Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
"""

import numpy as np
from numpy.typing import NDArray


def uniform(hashes: NDArray[np.uint64], seed: int) -> NDArray[np.float64]:
    """A number in (0, 1) for each hash, by the finalizer of SplitMix64; another seed gives independent ones."""
    start = (seed + 1) * 0x9E3779B97F4A7C15 % 2**64
    state = hashes ^ np.uint64(start)
    state ^= state >> np.uint64(30)
    state *= np.uint64(0xBF58476D1CE4E5B9)
    state ^= state >> np.uint64(27)
    state *= np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    return ((state >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
