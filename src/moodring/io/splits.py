"""Stratified, seeded splits, and what a split of some size can show."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from moodring.errors import MoodringError

# Calibration and blends use five folds of the validation split, and each fold needs a text of each class.
# With fewer texts, a class without one mistake may still be wrong half of the time: Wilson's 95 % interval of
# 4 right in 4 begins at 51 %, of 3 in 3 at 44 %.
LEAST_TEXTS = 5
# With fewer texts the 95 % interval of an accuracy of 80 % is wider than 7 points. Good models of one dataset
# differ by less.
SMALL_SPLIT = 500
EXAMPLE = 0.8
Z = 1.959963984540054  # of a 95 % interval


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
        counts = f"{np.sum(labels == 0):,} negative, {np.sum(labels == 1):,} positive"
        raise MoodringError(
            f"cannot draw the {name} split, {share:.0%} of {len(labels):,} rows ({counts}): each side needs "
            "both classes. Add rows of the smaller class, or choose another share."
        ) from error
    mask = np.zeros(len(labels), dtype=bool)
    mask[chosen] = True
    return mask


def check_enough(texts: Mapping[str, Mapping[str, int]], name: str) -> None:
    """Check that every split has enough texts of each class to fit and to judge a model.

    Args:
        texts: by split and class, the number of different texts that are not empty.
        name: of the dataset, for the message.

    Raises:
        MoodringError: a class has fewer than `LEAST_TEXTS` texts in a split; the message has all counts.
    """
    few = [
        f"{split} has {count} {label}"
        for split, counts in texts.items()
        for label, count in counts.items()
        if count < LEAST_TEXTS
    ]
    if few:
        listed = "; ".join(
            f"{split} " + ", ".join(f"{count:,} {label}" for label, count in counts.items())
            for split, counts in texts.items()
        )
        block = f"datasets.{name}"
        raise MoodringError(
            f"{name}: {', '.join(few)}; each split needs at least {LEAST_TEXTS} texts of each class to "
            f"decide anything. Counted are different texts that are not empty after cleaning: {listed}. "
            f"Add texts of that class, raise {block}.preprocess.validation_share, or raise "
            f"{block}.source.test_share if the test split is drawn."
        )


def describe_small(rows: Mapping[str, int]) -> list[str]:
    """A sentence for each small split that judges a model: how exact an accuracy on it is.

    Args:
        rows: number of texts by split; the training split judges nothing.
    """
    sentences = []
    for split in ("validation", "test"):
        if (count := rows[split]) < SMALL_SPLIT:
            low, high = accuracy_interval(EXAMPLE, count)
            sentences.append(
                f"The {split} split has {count} texts: the 95 % interval of an accuracy of "
                f"{100 * EXAMPLE:.0f} % is {100 * low:.0f} to {100 * high:.0f} %."
            )
    return sentences


def accuracy_interval(accuracy: float, rows: int) -> tuple[float, float]:
    """Wilson's 95 % interval (Wilson 1927) of an accuracy on this number of texts.

    scipy has it for whole numbers of correct texts only; 80 % of 48 texts is none.
    """
    weight = Z**2 / rows
    middle = accuracy + weight / 2
    reach = math.sqrt(weight * (accuracy * (1 - accuracy) + weight / 4))
    return (middle - reach) / (1 + weight), (middle + reach) / (1 + weight)
