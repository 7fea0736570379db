"""Stratified, seeded splits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moodring.errors import MoodringError


def stratified_mask(labels: NDArray[np.int8], share: float, seed: int, name: str) -> NDArray[np.bool_]:
    """Choose rows to hold out; each class keeps its proportion.

    Args:
        labels: class of each row, shape (rows,).
        share: fraction of the rows to hold out.
        seed: of the random choice.
        name: the split's name, for the error message.

    Returns:
        True for each row that is held out, shape (rows,).

    Raises:
        MoodringError: there are too few rows for both classes on both sides.
    """
    from sklearn.model_selection import train_test_split

    try:
        _, chosen = train_test_split(
            np.arange(len(labels)), test_size=share, random_state=seed, stratify=labels
        )
    except ValueError as error:
        counts = dict(zip(*(part.tolist() for part in np.unique(labels, return_counts=True)), strict=True))
        raise MoodringError(
            f"cannot hold out {share:.0%} of {len(labels)} rows as the {name} split with both classes on "
            f"both sides; rows by label: {counts} ({error})"
        ) from error
    mask = np.zeros(len(labels), dtype=bool)
    mask[chosen] = True
    return mask
