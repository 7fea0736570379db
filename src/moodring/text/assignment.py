"""Assign each raw row to a split."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from moodring.io.splits import held_out
from moodring.io.tables import SCHEMA, SPLITS, Rows, check_classes

FINGERPRINT = pa.binary(16)
TRAIN, VALIDATION, TEST = range(len(SPLITS))
REMOVED = -1


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
    codes = np.where(as_mask(pc.equal(rows["split"], "test")), np.int8(TEST), np.int8(TRAIN))

    def remove_what_stands_in(split: int) -> int:
        found = as_mask(pc.is_in(prints, prints.filter(pa.array(codes == split)), skip_nulls=True))
        codes[found & (codes == TRAIN)] = REMOVED
        return int((codes == REMOVED).sum())

    also_in_test = remove_what_stands_in(TEST)
    pool = np.flatnonzero(codes == TRAIN)
    held = held_out(rows["label"].to_numpy()[pool], share, seed, "validation")
    codes[pool[held]] = VALIDATION
    also_in_validation = remove_what_stands_in(VALIDATION) - also_in_test
    left = rows.filter(pa.array(codes != REMOVED))
    check_classes(left.set_column(0, "split", split_names(codes[codes != REMOVED])), name)
    return Assignment(codes, {"also_in_test": also_in_test, "also_in_validation": also_in_validation})


def fingerprints(texts: pa.Array) -> pa.FixedSizeBinaryArray:
    """128 bits of each text's BLAKE2b, null for an empty one: texts are alike where these are."""
    raw = texts.cast(pa.large_binary()).to_pylist()
    return pa.array(
        [hashlib.blake2b(text, digest_size=16).digest() if text else None for text in raw], FINGERPRINT
    )


def split_names(codes: NDArray[np.int8]) -> pa.StringArray:
    """The names of splits by their codes."""
    return pa.array(SPLITS).take(pa.array(codes))


def as_mask(found: pa.Array | pa.ChunkedArray) -> NDArray[np.bool_]:
    """An Arrow array of booleans as NumPy's, of the same shape."""
    return np.asarray(
        found.to_numpy(zero_copy_only=False) if isinstance(found, pa.Array) else found.to_numpy()
    )
