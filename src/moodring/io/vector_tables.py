"""Parquet tables of word vectors: one row for each word, with the columns word and vector."""

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
    """Build a table with a row for each word: word (string), vector (`width` float32 numbers).

    Args:
        words: distinct words.
        vectors: shape (words, width), float32; the width may be 0 if there are no words.
    """
    width = vectors.shape[1]
    numbers = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), width) if len(words) else []
    schema = pa.schema([("word", pa.string()), ("vector", pa.list_(pa.float32(), width))])
    return pa.table([pa.array(words, pa.string()), numbers], schema=schema)


def write_vectors(path: Path, pieces: Iterable[pa.Table]) -> int:
    """Write a table in pieces, completely or not at all; it may be larger than memory.

    Args:
        path: the Parquet file.
        pieces: tables from `vector_table`: at least one, all of the same width.

    Returns:
        The number of words written.
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
    """The length of each vector in a table.

    Raises:
        MoodringError: the file is missing, damaged, or not a table of vectors.
    """
    try:
        return int(pq.read_schema(path).field("vector").type.list_size)
    except (OSError, KeyError, AttributeError, pa.ArrowInvalid) as error:
        raise _unreadable(path, error) from error


def read_vectors(path: Path, wanted: pa.Array) -> tuple[pa.StringArray, NDArray[np.float32]]:
    """Read the wanted words that a table has, and their vectors, in the table's order.

    Args:
        path: the Parquet file.
        wanted: words, string.

    Returns:
        The words found, and their vectors: shape (words, width), float32.

    Raises:
        MoodringError: the file is missing, damaged, or not a table of vectors.
    """
    try:
        rows = pq.read_table(path, filters=pc.field("word").isin(wanted)).combine_chunks()
        numbers = pc.list_flatten(rows["vector"]).to_numpy()
    except (OSError, KeyError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise _unreadable(path, error) from error
    return rows["word"].combine_chunks(), numbers.reshape(len(rows), width_of(path))


def _unreadable(path: Path, error: Exception) -> MoodringError:
    return MoodringError(f"cannot read {path}: {error}. Run `dvc repro` to make it.")
