"""N-grams of encoded texts: their vocabulary, fitted on the training texts, and incidence matrices."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from moodring.corpus.ragged import Ragged

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Ngrams:
    """The n-grams of each length that occur in enough training texts.

    The key of an n-gram is the number of its first n - 1 tokens among the n-grams of that length, times
    `base`, plus its last token. So every key fits into 64 bits, and an n-gram can be known only if its
    beginning is.

    Args:
        base: greater than any token id.
        keys: an ascending int64 array for each length; the n-gram at index i has number i.
    """

    base: int
    keys: tuple[Ids, ...]

    def __len__(self) -> int:
        """The number of n-grams of all lengths: the columns of `incidence`."""
        return sum(map(len, self.keys))

    @classmethod
    def fit(cls, texts: Ragged, longest: int, min_count: int) -> Ngrams:
        """Keep the n-grams of at most `longest` tokens that occur in at least `min_count` texts."""
        base = int(texts.tokens.max(initial=0)) + 1
        rows, places = _positions(texts)
        begun = np.zeros(len(rows), np.int64)  # the number of the n-gram that begins at each place
        keys: list[Ids] = []
        for length in range(longest):
            rows, places, begun = _longer(texts, rows, places, begun, length)
            found = begun * base + texts.tokens[places + length]
            known, texts_with = np.unique(found[_first_of_each(rows, found)], return_counts=True)
            keys.append(known[texts_with >= min_count])
            rows, places, begun = _known(keys[-1], found, rows, places)
        return cls(base, tuple(keys))

    def incidence(self, texts: Ragged) -> sparse.csr_matrix:
        """A sparse float32 matrix, a row for each text, a column for each n-gram; 1: it occurs there."""
        rows, places = _positions(texts)
        begun = np.zeros(len(rows), np.int64)
        held: list[tuple[Ids, Ids]] = []
        starts = np.append(0, np.cumsum([len(known) for known in self.keys]))
        for length, (known, (start, _)) in enumerate(zip(self.keys, pairwise(starts), strict=True)):
            rows, places, begun = _longer(texts, rows, places, begun, length)
            tokens = texts.tokens[places + length].astype(np.int64)
            inside = tokens < self.base  # a greater id is unknown and would give the key of another n-gram
            rows, places, found = rows[inside], places[inside], (begun * self.base + tokens)[inside]
            rows, places, begun = _known(known, found, rows, places)
            held.append((rows, begun + start))
        columns = np.concatenate([column for _, column in held])
        cells = (np.ones(len(columns), np.float32), (np.concatenate([row for row, _ in held]), columns))
        matrix = sparse.csr_matrix(cells, shape=(len(texts.offsets) - 1, len(self)))
        matrix.sum_duplicates()
        matrix.data[:] = 1
        return matrix


def _positions(texts: Ragged) -> tuple[Ids, Ids]:
    """The text of each token, and its index in `texts.tokens`."""
    rows = np.repeat(np.arange(len(texts.lengths)), texts.lengths)
    return rows, np.arange(texts.offsets[0], texts.offsets[-1])


def _longer(texts: Ragged, rows: Ids, places: Ids, begun: Ids, length: int) -> tuple[Ids, Ids, Ids]:
    """The beginnings of `length` tokens that another token of the text follows."""
    more = places + length < texts.offsets[rows + 1]
    return rows[more], places[more], begun[more]


def _known(keys: Ids, found: Ids, rows: Ids, places: Ids) -> tuple[Ids, Ids, Ids]:
    """The rows, indices and numbers of the known n-grams."""
    if not len(keys):
        return rows[:0], places[:0], found[:0]
    numbers = np.minimum(np.searchsorted(keys, found), len(keys) - 1)
    known = keys[numbers] == found
    return rows[known], places[known], numbers[known]


def _first_of_each(rows: Ids, keys: Ids) -> Ids:
    """The indices that keep each pair of row and key once."""
    order = np.lexsort((keys, rows))
    new = (np.diff(rows[order], prepend=-1) != 0) | (np.diff(keys[order], prepend=-1) != 0)
    return np.asarray(order[new])
