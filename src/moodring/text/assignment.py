"""Assign each raw row to a split."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from moodring.io.splits import stratified_mask
from moodring.io.tables import SCHEMA, SPLITS, Rows, check_classes

FINGERPRINT = pa.binary(16)
TRAIN, VALIDATION, TEST = range(len(SPLITS))
REMOVED = -1
DIGEST_LENGTH = 16  # hexadecimal digits: enough to tell splits apart, and short in a table of metrics


@dataclass(frozen=True)
class Assignment:
    """The split of each raw row.

    `codes` has shape (rows,), int8: an index into `SPLITS`, or `REMOVED`. `removed` counts
    the removed rows by the split that also contains the text. `validation_digest` is equal for equal
    validation splits, however their texts are cleaned.
    """

    codes: NDArray[np.int8]
    removed: dict[str, int]
    validation_digest: str


def assign(raw: Rows, share: float, seed: int, name: str) -> Assignment:
    """Split validation off training, and remove training texts that also occur in another split.

    First, raw texts that occur in test are removed from training. Then validation is drawn, and its texts
    are removed from train. Memory keeps only a 16-byte fingerprint of each text, so the table may be
    larger than memory.

    Args:
        raw: split (train, test), label, text.
        share: fraction of training that becomes validation.
        seed: makes the random choice repeatable.
        name: of the dataset, for error messages.

    Raises:
        MoodringError: a split would lose one of the classes.
    """
    batches = [(batch.select(["split", "label"]), fingerprints(batch["text"])) for batch in raw.to_batches()]
    rows = pa.Table.from_batches(
        [columns for columns, _ in batches], pa.schema([SCHEMA.field(0), SCHEMA.field(1)])
    )
    prints = pa.chunked_array([each for _, each in batches], FINGERPRINT)
    check_classes(rows, name)
    codes = np.where(as_mask(pc.equal(rows["split"], "test")), np.int8(TEST), np.int8(TRAIN))

    def remove_texts_of(split: int) -> int:
        shared = as_mask(pc.is_in(prints, prints.filter(pa.array(codes == split)), skip_nulls=True))
        codes[shared & (codes == TRAIN)] = REMOVED
        return int((codes == REMOVED).sum())

    also_in_test = remove_texts_of(TEST)
    pool = np.flatnonzero(codes == TRAIN)
    chosen = stratified_mask(rows["label"].to_numpy()[pool], share, seed, "validation")
    codes[pool[chosen]] = VALIDATION
    also_in_validation = remove_texts_of(VALIDATION) - also_in_test
    left = rows.filter(pa.array(codes != REMOVED))
    check_classes(left.set_column(0, "split", split_names(codes[codes != REMOVED])), name)
    removed = {"also_in_test": also_in_test, "also_in_validation": also_in_validation}
    validation = pa.array(codes == VALIDATION)
    return Assignment(codes, removed, _digest(rows["label"].filter(validation), prints.filter(validation)))


def fingerprints(texts: pa.Array) -> pa.FixedSizeBinaryArray:
    """A 128-bit BLAKE2b digest of each text, null for an empty text; equal texts have equal digests."""
    raw = texts.cast(pa.large_binary()).to_pylist()
    return pa.array(
        [hashlib.blake2b(text, digest_size=16).digest() if text else None for text in raw], FINGERPRINT
    )


def _digest(labels: pa.ChunkedArray, prints: pa.ChunkedArray) -> str:
    """A digest of labelled texts in order."""
    digest = hashlib.sha256()
    for label, text in zip(labels.to_pylist(), prints.to_pylist(), strict=True):
        digest.update(f"{label}\t{text.hex() if text else ''}\n".encode())
    return digest.hexdigest()[:DIGEST_LENGTH]


def split_names(codes: NDArray[np.int8]) -> pa.StringArray:
    """The names of splits by their codes."""
    return pa.array(SPLITS).take(pa.array(codes))


def as_mask(values: pa.Array | pa.ChunkedArray) -> NDArray[np.bool_]:
    """An Arrow array of booleans as NumPy's, of the same shape."""
    return np.asarray(
        values.to_numpy(zero_copy_only=False) if isinstance(values, pa.Array) else values.to_numpy()
    )
