"""Encoded texts of different lengths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PAD, OOV = 0, 1
SPECIAL = 2


@dataclass(frozen=True)
class Ragged:
    """Encoded texts end to end: text i is `tokens[offsets[i]:offsets[i + 1]]`.

    `tokens` has shape (total,), of the smallest unsigned type that holds every id; `offsets` has shape
    (texts + 1,), int64.
    """

    tokens: NDArray[np.unsignedinteger]
    offsets: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text, shape (texts,)."""
        return np.diff(self.offsets)
