"""The encoded corpus on disk: ragged arrays, read as memory maps."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from moodring.corpus.ragged import Ragged
from moodring.corpus.vocabulary import Vocabulary, WordCounts
from moodring.errors import MoodringError
from moodring.io.files import replacing
from moodring.io.growing_array import GrowingArray
from moodring.io.tables import SPLITS, Rows
from moodring.params.data import TokenizeParams

VOCABULARY = "vocabulary.json"


@dataclass(frozen=True)
class Split:
    """Encoded texts and their labels, shape (texts,), int8; 0 negative, 1 positive."""

    texts: Ragged
    labels: NDArray[np.int8]


def write_corpus(path: Path, clean: Rows, params: TokenizeParams) -> Vocabulary:
    """Fit the vocabulary on the training split, encode all splits, write the directory.

    The table is read twice, in pieces; it may be larger than memory.

    Raises:
        MoodringError: the vocabulary would be empty.
    """
    counts = WordCounts()
    for batch in clean.to_batches():
        counts.add(_rows_of_split(batch, "train")["text"])
    vocabulary = Vocabulary.of_counts(counts, params)
    with replacing(path) as fresh, ExitStack() as files:
        fresh.mkdir()
        vocabulary.save(fresh / VOCABULARY)
        writers = {
            split: files.enter_context(SplitWriter(fresh / split, vocabulary.dtype)) for split in SPLITS
        }
        for batch in clean.to_batches():
            for split, writer in writers.items():
                rows = _rows_of_split(batch, split)
                writer.append(vocabulary.encode(rows["text"]), rows["label"].to_numpy())
    return vocabulary


class SplitWriter:
    """Writes the arrays of one split in pieces; `read_split` reads them."""

    def __init__(self, path: Path, dtype: np.dtype[np.unsignedinteger]) -> None:
        path.mkdir()
        self._tokens = GrowingArray(path / "tokens.npy", dtype)
        self._offsets = GrowingArray(path / "offsets.npy", np.dtype(np.int64))
        self._labels = GrowingArray(path / "labels.npy", np.dtype(np.int8))
        self._offsets.append(np.zeros(1))

    def append(self, texts: Ragged, labels: NDArray[np.int8]) -> None:
        """Add texts and their labels, shape (texts,)."""
        self._offsets.append(self._tokens.length + texts.offsets[1:])
        self._tokens.append(texts.tokens)
        self._labels.append(labels)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for array in (self._tokens, self._offsets, self._labels):
            array.close()


def _rows_of_split(batch: pa.RecordBatch, split: str) -> pa.RecordBatch:
    return batch.filter(pc.equal(batch["split"], split))


def read_vocabulary(path: Path) -> Vocabulary:
    """Read the vocabulary of a corpus.

    Raises:
        MoodringError: it is missing or damaged.
    """
    return Vocabulary.load(path / VOCABULARY)


def read_split(path: Path, split: str) -> Split:
    """Map one split of a corpus into memory.

    Raises:
        MoodringError: an array is missing or damaged.
    """
    try:
        tokens, offsets, labels = (
            np.load(path / split / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in ("tokens", "offsets", "labels")
        )
    except (OSError, EOFError, ValueError) as error:
        raise MoodringError(f"cannot read {path / split}: {error}. Run `dvc repro` to make it.") from error
    return Split(Ragged(tokens, offsets), labels)
