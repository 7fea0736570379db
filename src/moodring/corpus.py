"""The encoded corpus on disk: ragged arrays, memory-mapped when read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from moodring.errors import MoodringError
from moodring.files import replacing
from moodring.params import TokenizeParams
from moodring.tables import SPLITS
from moodring.vocabulary import Ragged, Vocabulary

VOCABULARY = "vocabulary.json"


@dataclass(frozen=True)
class Split:
    """Encoded texts and their labels, shape (texts,), int8; 0 negative, 1 positive."""

    texts: Ragged
    labels: NDArray[np.int8]


def write_corpus(path: Path, clean: pa.Table, params: TokenizeParams) -> Vocabulary:
    """Fit the vocabulary on the training split, encode all splits, write the directory.

    Raises:
        MoodringError: the vocabulary would be empty.
    """
    tables = {split: clean.filter(pc.equal(clean["split"], split)) for split in SPLITS}
    vocabulary = Vocabulary.fit(tables["train"]["text"], params)
    with replacing(path) as fresh:
        vocabulary.save(fresh / VOCABULARY)
        for split, table in tables.items():
            texts = vocabulary.encode(table["text"])
            (fresh / split).mkdir()
            np.save(fresh / split / "tokens.npy", texts.tokens)
            np.save(fresh / split / "offsets.npy", texts.offsets)
            np.save(fresh / split / "labels.npy", table["label"].to_numpy().astype(np.int8))
    return vocabulary


def read_vocabulary(path: Path) -> Vocabulary:
    """The vocabulary of a corpus.

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
