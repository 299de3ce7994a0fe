"""Named random streams: the draws of one component depend on the seed and its name, and on nothing else.

Adding a node or a probe therefore changes no other node's luck, and two systems compared under one seed meet the same
arrivals. Only uniform numbers are taken from NumPy; distributions turn them into durations themselves (see
`distributions`), because NumPy promises stable bits for its generators but not for its distributions.
"""

from __future__ import annotations

from hashlib import sha256

import numpy as np


class Stream:
    """Uniform numbers in the open interval (0, 1) for one component."""

    def __init__(self, seed: int, name: str):
        digest = sha256(f"{seed}/{name}".encode()).digest()
        self._bits = np.random.PCG64(int.from_bytes(digest[:16], "little"))

    def uniforms(self, count: int) -> np.ndarray:
        """`count` uniform numbers, never 0 and never 1."""
        return ((self._bits.random_raw(count) >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0 ** -52
