"""The figures of metrics/data.json."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from moodring.io.tables import CLASSES, POSITIVE, SPLITS
from moodring.text.assignment import FINGERPRINT, as_mask, fingerprints

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


class Report:
    """The figures of metrics/data.json, by split; receives the clean rows in pieces."""

    def __init__(self) -> None:
        self._lengths: dict[str, list[NDArray[np.int64]]] = {split: [] for split in SPLITS}
        # By split and class; the label is the index of the class.
        self._prints: dict[str, tuple[list[pa.Array], ...]] = {split: ([], []) for split in SPLITS}

    def add(self, codes: NDArray[np.int8], labels: NDArray[np.int8], texts: pa.Array) -> None:
        """Add rows: their splits as indices into `SPLITS`, labels and clean texts."""
        words = np.array(pc.add(pc.count_substring(texts, " "), 1)) * as_mask(pc.not_equal(texts, ""))
        prints = fingerprints(texts)
        for code, split in enumerate(SPLITS):
            in_split = codes == code
            self._lengths[split].append(words[in_split])
            for label, of_class in enumerate(self._prints[split]):
                of_class.append(prints.filter(pa.array(in_split & (labels == label))))

    def figures(self) -> dict[str, Any]:
        """The report of all rows added so far."""
        keys = ("rows", "positive_share", "texts", "tokens", "emptied", "duplicates_within")
        report: dict[str, dict[str, Any]] = {key: {} for key in (*keys, "equal_to_training")}
        train = self._prints_of("train")
        for split in SPLITS:
            lengths = np.concatenate(self._lengths[split])
            prints, positive = self._prints_of(split), self._prints_of(split, POSITIVE)
            report["rows"][split] = len(lengths)
            report["positive_share"][split] = round(len(positive) / len(lengths), 4)
            report["texts"][split] = {
                name: _different(self._prints_of(split, label)) for label, name in enumerate(CLASSES)
            }
            report["tokens"][split] = {
                "mean": round(float(lengths.mean()), 2),
                **{key: int(np.quantile(lengths, q, method="lower")) for key, q in QUANTILES.items()},
                "max": int(lengths.max()),
            }
            report["emptied"][split] = prints.null_count
            report["duplicates_within"][split] = len(prints) - prints.null_count - _different(prints)
            if split != "train":
                same = pc.is_in(prints, train, skip_nulls=True)
                report["equal_to_training"][split] = int(as_mask(same).sum())
        return report

    def _prints_of(self, split: str, label: int | None = None) -> pa.ChunkedArray:
        """The digests of a split's clean texts, of one class or of both."""
        classes = self._prints[split] if label is None else (self._prints[split][label],)
        return pa.chunked_array([each for of_class in classes for each in of_class], FINGERPRINT)


def _different(prints: pa.ChunkedArray) -> int:
    """The number of different texts that are not empty."""
    return int(pc.count_distinct(prints, mode="only_valid").as_py())
