"""Word vectors as stages pass them on: a Parquet table of word and vector."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from moodring.errors import MoodringError
from moodring.io.tables import writing_table


def vector_table(words: Sequence[str], vectors: NDArray[np.float32]) -> pa.Table:
    """A row a word: word (string), vector (as many float32 as the vectors are wide).

    Args:
        words: distinct.
        vectors: shape (words, width), float32; without words the width may be 0.
    """
    width = vectors.shape[1]
    numbers = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), width) if len(words) else []
    schema = pa.schema([("word", pa.string()), ("vector", pa.list_(pa.float32(), width))])
    return pa.table([pa.array(words, pa.string()), numbers], schema=schema)


def write_vectors(path: Path, pieces: Iterable[pa.Table]) -> int:
    """Write a table piece by piece, whole or not at all; it may be larger than memory.

    Args:
        path: the Parquet file.
        pieces: from `vector_table`, one at least, all of one width.

    Returns:
        How many words were written.
    """
    words, remaining = 0, iter(pieces)
    piece = next(remaining)
    with writing_table(path, piece.schema) as write:
        while piece is not None:
            write(piece)
            words += len(piece)
            piece = next(remaining, None)
    return words


def width_of(path: Path) -> int:
    """How many numbers each vector of a table has.

    Raises:
        MoodringError: the file is missing, damaged, or another table.
    """
    try:
        return int(pq.read_schema(path).field("vector").type.list_size)
    except (OSError, KeyError, AttributeError, pa.ArrowInvalid) as error:
        raise _unreadable(path, error) from error


def read_vectors(path: Path, wanted: pa.Array) -> tuple[pa.StringArray, NDArray[np.float32]]:
    """The wanted words that a table holds, in its order, and their vectors: shape (words, width), float32.

    Raises:
        MoodringError: the file is missing, damaged, or another table.
    """
    try:
        found = pq.read_table(path, filters=pc.field("word").isin(wanted)).combine_chunks()
        numbers = pc.list_flatten(found["vector"]).to_numpy()
    except (OSError, KeyError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise _unreadable(path, error) from error
    return found["word"].combine_chunks(), numbers.reshape(len(found), width_of(path))


def _unreadable(path: Path, error: Exception) -> MoodringError:
    return MoodringError(f"cannot read {path}: {error}. Run `dvc repro` to make it.")
