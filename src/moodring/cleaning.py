"""From the raw to the clean table: clean texts, a validation split, no text on two sides."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from moodring.errors import MoodringError
from moodring.splits import held_out
from moodring.tables import SCHEMA, SPLITS, Rows, check_classes
from moodring.text import Cleaner

RECIPE_KEY = b"moodring.cleaning"
FINGERPRINT = pa.binary(16)
TRAIN, VALIDATION, TEST = range(len(SPLITS))
REMOVED = -1
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


@dataclass(frozen=True)
class Assignment:
    """Which split each raw row goes to.

    `codes` has shape (rows,), int8: an index into `SPLITS`, or `REMOVED`. `removed` counts the latter by
    the split that also holds the text.
    """

    codes: NDArray[np.int8]
    removed: dict[str, int]


def assign(raw: Rows, share: float, seed: int, name: str) -> Assignment:
    """Split validation off training, and remove what stands on two sides.

    A raw text that also stands in test is removed from training, and one that stands in validation is
    then removed from train. Of texts only 16-byte fingerprints are kept, so a table may be larger than
    memory.

    Args:
        raw: split (train, test), label, text.
        share: of training that becomes validation.
        seed: of the draw.
        name: what messages call the dataset.

    Raises:
        MoodringError: a split would be left without one of the classes.
    """
    batches = [(batch.select(["split", "label"]), fingerprints(batch["text"])) for batch in raw.to_batches()]
    rows = pa.Table.from_batches(
        [columns for columns, _ in batches], pa.schema([SCHEMA.field(0), SCHEMA.field(1)])
    )
    prints = pa.chunked_array([each for _, each in batches], FINGERPRINT)
    check_classes(rows, name)
    codes = np.where(_mask(pc.equal(rows["split"], "test")), np.int8(TEST), np.int8(TRAIN))

    def remove_what_stands_in(split: int) -> int:
        found = _mask(pc.is_in(prints, prints.filter(pa.array(codes == split)), skip_nulls=True))
        codes[found & (codes == TRAIN)] = REMOVED
        return int((codes == REMOVED).sum())

    also_in_test = remove_what_stands_in(TEST)
    pool = np.flatnonzero(codes == TRAIN)
    held = held_out(rows["label"].to_numpy()[pool], share, seed, "validation")
    codes[pool[held]] = VALIDATION
    also_in_validation = remove_what_stands_in(VALIDATION) - also_in_test
    left = rows.filter(pa.array(codes != REMOVED))
    check_classes(left.set_column(0, "split", _names(codes[codes != REMOVED])), name)
    return Assignment(codes, {"also_in_test": also_in_test, "also_in_validation": also_in_validation})


def clean_table(
    raw: Rows, cleaner: Cleaner, seed: int, name: str, write: Callable[[pa.Table], None]
) -> dict[str, Any]:
    """Clean every text and split validation off training; see `assign`.

    Texts that differ raw but are alike when cleaned ("@a thanks!", "Thanks") are other people's, and are
    only counted. Empty texts are kept, and rows keep their order.

    Args:
        raw: split (train, test), label, text.
        cleaner: applied to each text.
        seed: of the validation split.
        name: what messages call the dataset.
        write: takes the table's pieces: split (train, validation, test), label, text, of `clean_schema`.

    Returns:
        The report for metrics/data.json.

    Raises:
        MoodringError: a split would be left without one of the classes; nothing is written then.
    """
    assignment = assign(raw, cleaner.params.validation_share, seed, name)
    schema, report, start = clean_schema(cleaner), Report(), 0
    for batch in raw.to_batches():
        codes = assignment.codes[start : start + len(batch)]
        start += len(batch)
        rows = batch.filter(pa.array(codes != REMOVED))
        codes = codes[codes != REMOVED]
        texts = cleaner.clean_all(rows["text"]).cast(pa.string()).combine_chunks()
        piece = pa.table([_names(codes), rows["label"], texts], schema=schema)
        write(piece)
        report.add(codes, rows["label"].to_numpy(), texts)
    return {**report.figures(), "removed_from_train": assignment.removed}


def clean_schema(cleaner: Cleaner) -> pa.Schema:
    """The clean table's: its metadata carries the recipe of its cleaning, for `cleaner_of`."""
    return SCHEMA.with_metadata({RECIPE_KEY: json.dumps(cleaner.recipe())})


def cleaner_of(table: Rows) -> Cleaner:
    """The cleaner that made a clean table, from its metadata.

    Raises:
        MoodringError: the table does not say.
    """
    if (recipe := (table.schema.metadata or {}).get(RECIPE_KEY)) is None:
        raise MoodringError("the clean table does not say how it was cleaned. Run `dvc repro` to make it.")
    return Cleaner.from_recipe(json.loads(recipe))


class Report:
    """What metrics/data.json says of the clean rows, a value a split; takes them piece by piece."""

    def __init__(self) -> None:
        self._positive = dict.fromkeys(SPLITS, 0)
        self._lengths: dict[str, list[NDArray[np.int64]]] = {split: [] for split in SPLITS}
        self._prints: dict[str, list[pa.Array]] = {split: [] for split in SPLITS}

    def add(self, codes: NDArray[np.int8], labels: NDArray[np.int8], texts: pa.Array) -> None:
        """Take rows: their splits as indices into `SPLITS`, labels and clean texts."""
        words = np.array(pc.add(pc.count_substring(texts, " "), 1)) * _mask(pc.not_equal(texts, ""))
        prints = fingerprints(texts)
        for code, split in enumerate(SPLITS):
            own = codes == code
            self._positive[split] += int(labels[own].sum())
            self._lengths[split].append(words[own])
            self._prints[split].append(prints.filter(pa.array(own)))

    def figures(self) -> dict[str, Any]:
        """The report of all rows taken so far."""
        keys = ("rows", "positive_share", "tokens", "emptied", "duplicates_within", "alike_in_train")
        report: dict[str, dict[str, Any]] = {key: {} for key in keys}
        train = pa.chunked_array(self._prints["train"], FINGERPRINT)
        for split in SPLITS:
            lengths = np.concatenate(self._lengths[split])
            prints = pa.chunked_array(self._prints[split], FINGERPRINT)
            report["rows"][split] = len(lengths)
            report["positive_share"][split] = round(self._positive[split] / len(lengths), 4)
            report["tokens"][split] = {
                "mean": round(float(lengths.mean()), 2),
                **{key: int(np.quantile(lengths, q, method="lower")) for key, q in QUANTILES.items()},
                "max": int(lengths.max()),
            }
            report["emptied"][split] = prints.null_count
            report["duplicates_within"][split] = (
                len(prints) - prints.null_count - pc.count_distinct(prints, mode="only_valid").as_py()
            )
            if split != "train":
                alike = pc.is_in(prints, train, skip_nulls=True)
                report["alike_in_train"][split] = int(_mask(alike).sum())
        return report


def fingerprints(texts: pa.Array) -> pa.FixedSizeBinaryArray:
    """128 bits of each text's BLAKE2b, null for an empty one: texts are alike where these are."""
    raw = texts.cast(pa.large_binary()).to_pylist()
    return pa.array(
        [hashlib.blake2b(text, digest_size=16).digest() if text else None for text in raw], FINGERPRINT
    )


def _names(codes: NDArray[np.int8]) -> pa.StringArray:
    return pa.array(SPLITS).take(pa.array(codes))


def _mask(found: pa.Array | pa.ChunkedArray) -> NDArray[np.bool_]:
    return np.asarray(
        found.to_numpy(zero_copy_only=False) if isinstance(found, pa.Array) else found.to_numpy()
    )
