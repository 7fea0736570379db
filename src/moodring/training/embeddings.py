"""Pretrained word vectors as the first weights of an embedding."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from moodring.corpus.ragged import PAD, SPECIAL
from moodring.corpus.vocabulary import Vocabulary
from moodring.errors import MoodringError
from moodring.io.vector_tables import read_vectors, width_of
from moodring.params.arch import NO_VECTORS, EmbeddingParams
from moodring.params.pipeline import Params

# Combined with the seed, so that no other part of the project draws the same numbers.
_DRAWN = 0x766563


@dataclass(frozen=True)
class Aligned:
    """Word vectors in the order of the vocabulary.

    Args:
        matrix: a row an id, shape (vocabulary, size), float32.
        covered: whether each id has a pretrained vector, shape (vocabulary,), bool; False for padding and
            out-of-vocabulary.
    """

    matrix: NDArray[np.float32]
    covered: NDArray[np.bool_]

    def coverage(self, tokens: NDArray[np.unsignedinteger]) -> dict[str, float]:
        """The shares of the vocabulary's words and of a split's tokens that have a pretrained vector.

        Args:
            tokens: the concatenated ids of the split's texts.
        """
        return {
            "vectors_words": round(float(self.covered[SPECIAL:].mean()), 6),
            "vectors_tokens": round(float(self.covered[tokens].mean()), 6),
        }


def has_vectors(params: Params) -> bool:
    """Whether the chosen architecture begins with pretrained vectors."""
    return params.architecture.embedding.vectors != NO_VECTORS


def aligned(path: Path, vocabulary: Vocabulary, params: Params) -> Aligned | None:
    """The vectors of a vocabulary's words; None if the chosen architecture uses no pretrained vectors.

    A word is looked up in its given form, then in lower case. Padding is zeros. The out-of-vocabulary token
    and words without a vector get random numbers from a normal distribution around 0.

    Args:
        path: the vectors stage's table; not read if the architecture uses no vectors.
        vocabulary: of the corpus.
        params: the chosen architecture's size of the embedding, and the seed of the random numbers.

    Raises:
        MoodringError: the vectors and the embedding differ in width, the vectors cover no word, or they
            cannot be read.
    """
    embedding = params.architecture.embedding
    if not isinstance(embedding, EmbeddingParams) or not has_vectors(params):
        return None
    if (width := width_of(path)) != embedding.size:
        raise MoodringError(
            f"the vectors {embedding.vectors} have {width} numbers a word, "
            f"archs.{params.arch}.embedding.size is {embedding.size}: set it to {width}, or choose others"
        )
    words = pa.array(vocabulary.words, pa.string())
    lowered = pc.utf8_lower(words)
    found, vectors = read_vectors(path, pa.concat_arrays([words, lowered]).unique())
    if not len(found):
        raise MoodringError(
            f"the vectors {embedding.vectors} cover 0 of {len(words):,} words of the vocabulary. Choose "
            "vectors of the texts' language, or a cleaning that keeps whole words (stem: none)."
        )
    places = pc.coalesce(pc.index_in(words, value_set=found), pc.index_in(lowered, value_set=found))
    rows = pc.fill_null(places, -1).to_numpy()
    return _in_order(rows, vectors, params.seed)


def _in_order(rows: NDArray[np.int32], vectors: NDArray[np.float32], seed: int) -> Aligned:
    """Rows of `vectors` for each word, -1 for none, after the special tokens."""
    covered = np.concatenate([np.zeros(SPECIAL, bool), rows >= 0])
    known = vectors[rows[rows >= 0]]
    # Half the deviation of the known vectors: an unknown word should have little effect until it is tuned.
    # All rows are drawn, so that a word's numbers do not depend on which other words are covered.
    drawn = np.random.default_rng([seed, _DRAWN]).standard_normal((len(covered), vectors.shape[1]))
    matrix = (drawn * known.std(axis=0, dtype=np.float64) / 2).astype(np.float32)
    matrix[covered] = known
    matrix[PAD] = 0
    return Aligned(matrix, covered)
