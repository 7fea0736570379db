"""Guesses what the columns and labels of a file mean; the user decides."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from moodring.datasets.likely import listed
from moodring.datasets.own_file import label_key
from moodring.errors import MoodringError

LABEL_NAMES = (
    *("label", "labels", "sentiment", "stars", "rating", "polarity", "class", "target", "score", "category"),
)
POSITIVE = {"positive", "pos", "good", "true", "yes", "fresh", "recommended", "+"}
NEGATIVE = {"negative", "neg", "bad", "false", "no", "rotten", "not recommended", "-"}
MOST_LABELS = 20
LENGTHS = range(10, 401, 10)  # numbers of tokens that are proposed
STARS = range(1, 6)
MIDDLE = 3  # of the stars


def guess_text(columns: Mapping[str, Sequence[object]]) -> str | None:
    """The column with the longest texts; None: no column has texts."""
    lengths = {
        name: sum(len(value) for value in values if isinstance(value, str))
        for name, values in columns.items()
    }
    longest = max(lengths, key=lambda name: lengths[name], default=None)
    return longest if longest is not None and lengths[longest] else None


def guess_label(columns: Mapping[str, Sequence[object]], text: str) -> str | None:
    """The column with a few different values that most likely is the label; None: no column has."""
    different = {
        name: len({label_key(value) for value in values}) for name, values in columns.items() if name != text
    }
    possible = [
        name
        for name, count in different.items()
        if 1 < count <= min(MOST_LABELS, max(2, len(columns[name]) // 2))
    ]
    named = [name for known in LABEL_NAMES for name in possible if name.strip().casefold() == known]
    return next(iter(named or sorted(possible, key=lambda name: different[name])), None)


def guess_classes(labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """The labels that most likely mean positive, and those that mean negative; a label may be in neither."""
    keys = {label: label_key(label) for label in labels}
    numbers = {label: number for label, key in keys.items() if (number := _number(key)) is not None}
    if len(numbers) == len(labels) == len(("negative", "positive")):
        low, high = sorted(labels, key=lambda label: numbers[label])
        return [high], [low]
    if labels and len(numbers) == len(labels) and set(numbers.values()) <= set(STARS):
        ordered = sorted(labels, key=lambda label: numbers[label])
        return [one for one in ordered if numbers[one] > MIDDLE], [
            one for one in ordered if numbers[one] < MIDDLE
        ]
    return [one for one in labels if keys[one] in POSITIVE], [one for one in labels if keys[one] in NEGATIVE]


def chosen_labels(received: Sequence[str], labels: Sequence[str]) -> list[str]:
    """The labels that a user names; each string is a label of the file, or several with commas between.

    Raises:
        MoodringError: the file has no such label.
    """
    known = {label_key(label) for label in labels}
    parts = [
        part.strip()
        for text in received
        for part in ([text] if label_key(text) in known else text.split(","))
        if part.strip()
    ]
    for part in parts:
        if label_key(part) not in known:
            raise MoodringError(f"no row has the label {part!r}; the labels: {listed([*map(repr, labels)])}")
    return parts


def check_classes(counts: Mapping[str, int], positive: Sequence[str], negative: Sequence[str]) -> None:
    """Check that every label of the file belongs to one class.

    Args:
        counts: the number of rows by label.
        positive: labels that mean positive.
        negative: labels that mean negative.

    Raises:
        MoodringError: a class has no label, or a label belongs to no class or to both.
    """
    classes = {"positive": positive, "negative": negative}
    for name, labels in classes.items():
        if not labels:
            raise MoodringError(f"no label means {name}; name one with --{name}")
    for label, rows in counts.items():
        found = [name for name, labels in classes.items() if label_key(label) in map(label_key, labels)]
        if len(found) != 1:
            where = "in neither class" if not found else "in both classes"
            raise MoodringError(
                f"{rows:,} rows have the label {label!r}, which is {where}. Name it with --positive or "
                "--negative, or remove these rows from the file"
            )


def guess_max_length(texts: Sequence[str]) -> int:
    """A number of tokens that nine of ten texts do not exceed, as a multiple of ten."""
    lengths = sorted(len(text.split()) for text in texts)
    ninth = lengths[min(len(lengths) - 1, math.floor(0.9 * len(lengths)))] if lengths else 0
    return next((length for length in LENGTHS if length >= ninth), LENGTHS[-1])


def dataset_name(stem: str) -> str:
    """A name for the dataset of a file, in the characters that a name may have."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_-")[:100]
    return name if re.search("[A-Za-z]", name) else f"texts_{name}".rstrip("_")


def scalar(label: str) -> str | int:
    """A label as it is written into params.yaml: a number if it is spelled as one."""
    key = label_key(label)
    return int(key) if re.fullmatch(r"0|-?[1-9]\d{0,15}", key) else label


def _number(key: str) -> float | None:
    try:
        return float(key)
    except ValueError:
        return None
