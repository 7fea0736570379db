"""Accuracy on parts of the test split: where a model fails, and whether the baseline fails there too."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from numpy.typing import NDArray

from moodring.corpus.arrays import Split
from moodring.corpus.ragged import OOV
from moodring.corpus.vocabulary import Vocabulary
from moodring.errors import MoodringError
from moodring.evaluation.metrics import wilson
from moodring.io.tables import SOURCE, Rows

# In raw, lower-cased text; an apostrophe may be straight or curly.
NEGATION = re.compile(r"\b(?:not|no|never|none|nobody|nothing|nowhere|neither|nor|cannot)\b|n['’]t\b")  # noqa: RUF001
CONTRAST = re.compile(r"\b(?:but|although|though|however|yet|despite)\b")
LENGTH_GROUPS = 4
OOV_GROUPS = 3  # in addition to the group without unknown words
MAX_SOURCES = 20
DIGITS = 6


@dataclass(frozen=True)
class Texts:
    """The test split's texts and their properties; each field has one value a text.

    Args:
        raw: the texts before cleaning.
        lengths: number of tokens, shape (texts,), int64.
        unknown: share of a text's words that are not in the vocabulary, shape (texts,), float64; 0 for
            an empty text.
        sources: the source of each text, or None if the dataset has no sources.
    """

    raw: Sequence[str]
    lengths: NDArray[np.int64]
    unknown: NDArray[np.float64]
    sources: Sequence[str] | None = None


@dataclass(frozen=True)
class Groups:
    """A slice's groups: `names`, and the index of each text's group in them, shape (texts,)."""

    names: Sequence[str]
    codes: NDArray[np.intp]


def read_texts(raw: Rows, clean: Rows, vocabulary: Vocabulary, test: Split) -> Texts:
    """Collect the test split's texts and their properties from the earlier stages.

    Args:
        raw: the download stage's table; its test rows are in the order of the clean ones.
        clean: the preprocess stage's table.
        vocabulary: the tokenize stage's.
        test: the encoded test split.

    Raises:
        MoodringError: the tables and the corpus have different test rows.
    """
    columns, cleaned = _test_rows(raw), _test_rows(clean)
    for name, labels in (("raw", columns["label"]), ("clean", cleaned["label"])):
        if labels != test.labels.tolist():
            raise MoodringError(
                f"the {name} table's {len(labels)} test rows differ from the corpus's {len(test.labels)}. "
                "Run `dvc repro` to make both."
            )
    # Encode again: the corpus may have dropped unknown words.
    words = replace(vocabulary, drop_oov=False).encode(cleaned["text"])
    before = np.append(0, np.cumsum(words.tokens == OOV))[words.offsets]
    unknown = np.diff(before) / np.maximum(words.lengths, 1)
    return Texts(columns["text"], test.texts.lengths, unknown, columns.get(SOURCE.name))


def _test_rows(table: Rows) -> dict[str, list[Any]]:
    names = table.schema.names
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for batch in table.to_batches():
        rows = batch.filter(pc.equal(batch["split"], "test"))
        for name in names:
            columns[name] += rows[name].to_pylist()
    return columns


def make_groups(texts: Texts) -> dict[str, Groups]:
    """Group the texts for every slice, by the slice's name; `source` only if the texts have sources."""
    groups = {
        "length": by_quantiles(texts.lengths, LENGTH_GROUPS),
        "negation": by_pattern(texts.raw, NEGATION),
        "contrast": by_pattern(texts.raw, CONTRAST),
        "unknown words": by_share(texts.unknown),
    }
    return groups if texts.sources is None else {**groups, "source": by_source(texts.sources)}


def by_pattern(texts: Sequence[str], pattern: re.Pattern[str]) -> Groups:
    """Group texts by whether their lower-cased text matches the pattern."""
    matches = [pattern.search(text.lower()) is not None for text in texts]
    return Groups(("without", "with"), np.array(matches, dtype=np.intp))


def by_quantiles(lengths: NDArray[np.int64], count: int) -> Groups:
    """Group lengths into up to `count` groups of about equal size, named by shortest and longest."""
    codes = quantile_codes(lengths, count)
    parts = [lengths[codes == code] for code in range(codes.max() + 1)]
    spans = [(int(part.min()), int(part.max())) for part in parts]
    return Groups([f"{low} to {high}" if low < high else f"{low}" for low, high in spans], codes)


def by_share(unknown: NDArray[np.float64]) -> Groups:
    """One group without unknown words, then up to `OOV_GROUPS` groups of about equal size by their share."""
    some = unknown > 0
    codes = np.zeros(len(unknown), dtype=np.intp)
    if not some.any():
        return Groups(("none",), codes)
    codes[some] = 1 + quantile_codes(unknown[some], OOV_GROUPS)
    highest = [unknown[codes == code].max() for code in range(1, codes.max() + 1)]
    return Groups(["none", *(f"up to {100 * share:.1f} %" for share in highest)], codes)


def by_source(sources: Sequence[str]) -> Groups:
    """A group for each of the `MAX_SOURCES` most frequent sources, and one for all others."""
    ranked = sorted(Counter(sources).items(), key=lambda pair: (-pair[1], pair[0]))
    names = [name for name, _ in ranked[:MAX_SOURCES]]
    place = {name: code for code, name in enumerate(names)}
    codes = np.array([place.get(source, len(names)) for source in sources], dtype=np.intp)
    return Groups([*(name or "(none)" for name in names), "other"], codes)


def quantile_codes(values: NDArray[np.int64] | NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """The group of each value, in up to `count` groups of about equal size; equal values share a group."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, count + 1)[1:], method="lower"))
    return np.searchsorted(edges, values)


def slice_accuracy(
    groups: Mapping[str, Groups], right: NDArray[np.bool_], baseline_right: NDArray[np.bool_]
) -> pd.DataFrame:
    """The accuracy of the model and the baseline in each group that is not empty.

    Args:
        groups: the slices, by name.
        right: true where the model is right, shape (texts,).
        baseline_right: true where the baseline is right, shape (texts,).

    Returns:
        A row a group: name (the slice's), group, rows, accuracy with Wilson's 95 % interval
        (accuracy_low, accuracy_high; Wilson 1927), baseline_accuracy.
    """
    rows = []
    for name, slice_ in groups.items():
        for code, group in enumerate(slice_.names):
            in_group = slice_.codes == code
            if not (count := int(in_group.sum())):
                continue
            correct = int(right[in_group].sum())
            shares = (correct / count, *wilson(correct, count), baseline_right[in_group].mean())
            rows.append((name, group, count, *(round(float(share), DIGITS) for share in shares)))
    columns = ["name", "group", "rows", "accuracy", "accuracy_low", "accuracy_high", "baseline_accuracy"]
    return pd.DataFrame(rows, columns=columns)
