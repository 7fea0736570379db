"""Encoded texts of different lengths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PAD, OOV = 0, 1
SPECIAL = 2


@dataclass(frozen=True)
class Ragged:
    """Encoded texts in one array: text i is `tokens[offsets[i]:offsets[i + 1]]`.

    `tokens` has shape (total,), of the smallest unsigned type that fits every id; `offsets` has shape
    (texts + 1,), int64.
    """

    tokens: NDArray[np.unsignedinteger]
    offsets: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of tokens of each text, shape (texts,), int64."""
        return np.diff(self.offsets)
