"""Length buckets, and batches in which all texts have the same padded length.

A text is padded to the upper boundary of its length's bucket. A batch contains texts of one bucket. So the
padding of a text, and its score, do not depend on the other texts, and no mask is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moodring.corpus.ragged import PAD, Ragged


@dataclass(frozen=True)
class Padding:
    """The length that a text is padded or cut to.

    Args:
        max_length: upper boundary of the last bucket, in tokens; a longer text keeps its last tokens.
        buckets: number of equally wide buckets; with 1, every text is padded to `max_length`.
    """

    max_length: int
    buckets: int

    def lengths(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The padded length of each text, shape (texts,), int64; at least one bucket's width."""
        width = -(-self.max_length // self.buckets)
        ceiling = np.maximum(-(-lengths // width), 1) * width
        return np.asarray(np.minimum(ceiling, self.max_length), dtype=np.int64)


@dataclass(frozen=True)
class Batch:
    """Rows of one bucket: their indices, shape (rows,), and padded length."""

    rows: NDArray[np.int64]
    length: int


def plan(
    lengths: NDArray[np.int64], padding: Padding, batch_size: int, rng: np.random.Generator | None = None
) -> list[Batch]:
    """Cut texts into batches of at most `batch_size` rows, every text in one batch.

    Args:
        lengths: number of tokens of each text, shape (texts,).
        padding: decides which texts share a bucket.
        batch_size: largest number of rows in a batch.
        rng: shuffles the rows in each bucket, and the batches; None sorts by padded length, then by row.
    """
    padded = padding.lengths(lengths)
    order = rng.permutation(len(lengths)) if rng is not None else np.arange(len(lengths))
    order = order[np.argsort(padded[order], kind="stable")]
    edges = np.flatnonzero(np.diff(padded[order])) + 1
    batches = [
        Batch(rows[start : start + batch_size], int(padded[rows[0]]))
        for rows in np.split(order, edges)
        for start in range(0, len(rows), batch_size)
    ]
    if rng is not None:
        batches = [batches[i] for i in rng.permutation(len(batches))]
    return batches


def pad(texts: Ragged, batch: Batch) -> NDArray[np.int32]:
    """The batch's token ids, padded and cut on the left; shape (rows, length), int32.

    Padding is on the left: then the last step, whose state represents the text, reads the last token.
    """
    starts, ends = texts.offsets[batch.rows], texts.offsets[batch.rows + 1]
    places = ends[:, None] - batch.length + np.arange(batch.length)
    inside = places >= starts[:, None]
    ids = np.full(places.shape, PAD, dtype=np.int32)
    ids[inside] = texts.tokens[places[inside]]
    return ids
