"""Arrow strings as one byte array and the offsets of its texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Texts: TypeAlias = Sequence[str] | pa.Array | pa.ChunkedArray
Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int64]
Mask = NDArray[np.bool_]
SPACE = ord(" ")
NO_UTF8 = 0xFF  # a byte that never occurs in valid UTF-8


def table(*ranges: tuple[str, str]) -> Mask:
    """A byte table, shape (256,): true for the ASCII characters in one of the ranges, both ends included."""
    marks = np.zeros(256, dtype=bool)
    for first, last in ranges:
        marks[ord(first) : ord(last) + 1] = True
    return marks


# The ASCII characters that `str.split` treats as white space.
WHITE = table(("\t", "\r"), ("\x1c", " "))


def pieces(texts: Texts, rows: int) -> Iterator[pa.LargeStringArray]:
    """Cut texts into arrays of at most `rows` rows, in order."""
    for chunk in texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]:
        for start in range(0, len(chunk), rows):
            if isinstance(chunk, pa.Array):
                # Offsets must start at zero: `ascii_lower` misreads those of a cast slice (Arrow 25.0).
                yield texts_of(*bytes_of(chunk.slice(start, rows).cast(pa.large_string())))
            else:
                yield pa.array(chunk[start : start + rows], pa.large_string())


@dataclass(frozen=True)
class Words:
    """The words of texts in one sequence: word i is `distinct[places[i]]`.

    `places` has shape (words,), int32; the words of text j go from `offsets[j]` to
    `offsets[j + 1]`; `offsets` has shape (texts + 1,), int64.
    """

    distinct: pa.LargeStringArray
    places: NDArray[np.int32]
    offsets: Offsets


def words_of(texts: pa.LargeStringArray) -> Words:
    """Split texts into words at single spaces."""
    # With a space after every text, every word ends in a space: the bytes need no copy.
    ended = pc.binary_join_element_wise(texts, *pa.array(["", " "], pa.large_string()))
    data, offsets = bytes_of(ended)
    bounds = np.append(0, np.flatnonzero(data == SPACE) + 1)
    words = texts_of(data, bounds)
    offsets = np.searchsorted(bounds, offsets)
    lone = np.flatnonzero(np.diff(bounds) == 1)  # no word: an empty text, or several spaces in a row
    if len(lone):
        words = words.filter(pc.not_equal(words, " "))
        offsets = offsets - np.searchsorted(lone, offsets)
    encoded = words.dictionary_encode()
    distinct = pc.utf8_rtrim(encoded.dictionary, " ")
    return Words(distinct, encoded.indices.to_numpy(), offsets)


def within(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """The indices that the spans cover, one span after the other; `ends` are excluded."""
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(lengths.sum())


def without(data: Bytes, offsets: Offsets, cut: Mask) -> pa.LargeStringArray:
    """Remove the bytes that `cut`, shape (bytes,), marks."""
    marked = data | np.negative(cut.view(np.uint8))  # marked bytes become NO_UTF8
    moved = offsets - np.searchsorted(np.flatnonzero(cut), offsets)
    return texts_of(bytearray(marked).translate(None, bytes([NO_UTF8])), moved)


def bytes_of(texts: pa.LargeStringArray) -> tuple[Bytes, Offsets]:
    """The bytes of all texts in one array, and the offset of each text, shape (texts + 1,), from 0."""
    _, places, content = texts.buffers()
    offsets = np.frombuffer(places, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(content or b"", np.uint8)
    return data[offsets[0] : offsets[-1]], offsets - offsets[0]


def texts_of(data: Bytes | bytearray, offsets: Offsets) -> pa.LargeStringArray:
    """Build texts from bytes and offsets; the inverse of `bytes_of`."""
    buffers = pa.py_buffer(offsets.astype(np.int64, copy=False)), pa.py_buffer(data)
    return pa.LargeStringArray.from_buffers(len(offsets) - 1, *buffers)
