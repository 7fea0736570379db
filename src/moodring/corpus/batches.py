"""Length buckets and batches of one padded length each.

A text is padded to the upper boundary of its own length's bucket, and a batch holds one bucket: so a
text's padding, and with it its score, never depends on its neighbours, and no mask is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moodring.corpus.ragged import PAD, Ragged


@dataclass(frozen=True)
class Padding:
    """To which length a text is padded or cut.

    Args:
        max_length: of the last bucket, in tokens; a longer text keeps its last `max_length` tokens.
        buckets: how many equally wide buckets there are; 1 pads every text to `max_length`.
    """

    max_length: int
    buckets: int

    def lengths(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The padded length of texts of these lengths, shape (texts,); an empty text's is not 0."""
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
        lengths: tokens of each text, shape (texts,).
        padding: says which texts share a bucket.
        batch_size: rows of a batch at most.
        rng: shuffles rows within buckets and the batches; None keeps the order of lengths and rows.
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

    On the left, so that the last step, whose state sums up the text, is the text's own last token.
    """
    starts, ends = texts.offsets[batch.rows], texts.offsets[batch.rows + 1]
    places = ends[:, None] - batch.length + np.arange(batch.length)
    inside = places >= starts[:, None]
    ids = np.full(places.shape, PAD, dtype=np.int32)
    ids[inside] = texts.tokens[places[inside]]
    return ids
