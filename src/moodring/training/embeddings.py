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

# With the seed, the seed of what is drawn here: no other draw of the project shares it.
_DRAWN = 0x766563


@dataclass(frozen=True)
class Aligned:
    """Vectors in a vocabulary's order.

    Args:
        matrix: a row an id, shape (vocabulary, size), float32.
        covered: which ids have a vector of their own, shape (vocabulary,), bool; never padding and
            out-of-vocabulary.
    """

    matrix: NDArray[np.float32]
    covered: NDArray[np.bool_]

    def coverage(self, tokens: NDArray[np.unsignedinteger]) -> dict[str, float]:
        """How much the vectors know, as shares: of the vocabulary's words, and of a split's tokens.

        Args:
            tokens: ids of the split's texts, end to end.
        """
        return {
            "vectors_words": round(float(self.covered[SPECIAL:].mean()), 6),
            "vectors_tokens": round(float(self.covered[tokens].mean()), 6),
        }


def has_vectors(params: Params) -> bool:
    """Whether the chosen architecture begins with given vectors."""
    return params.architecture.embedding.vectors != NO_VECTORS


def aligned(path: Path, vocabulary: Vocabulary, params: Params) -> Aligned | None:
    """The vectors of a vocabulary's words; None where the chosen architecture begins without any.

    A word is looked up as it stands, else lower-cased. Padding is zeros. The out-of-vocabulary token and
    words without a vector are drawn, normally distributed around 0.

    Args:
        path: the vectors stage's table; not read where there is nothing to read.
        vocabulary: of the corpus.
        params: the chosen architecture tells the size, the seed what is drawn.

    Raises:
        MoodringError: the vectors are of another width than the embedding, cover no word, or cannot be read.
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
            "vectors of the texts' language, or a cleaning that leaves words whole (stem: none)."
        )
    places = pc.coalesce(pc.index_in(words, value_set=found), pc.index_in(lowered, value_set=found))
    rows = pc.fill_null(places, -1).to_numpy()
    return _in_order(rows, vectors, params.seed)


def _in_order(rows: NDArray[np.int32], vectors: NDArray[np.float32], seed: int) -> Aligned:
    """Rows of `vectors` for each word, -1 for none, after the special tokens."""
    covered = np.concatenate([np.zeros(SPECIAL, bool), rows >= 0])
    known = vectors[rows[rows >= 0]]
    # Half as wide as what is known: a word that nothing is known of should say little until it is tuned.
    # All rows are drawn, so that a word's draw does not hang on which other words are covered.
    drawn = np.random.default_rng([seed, _DRAWN]).standard_normal((len(covered), vectors.shape[1]))
    matrix = (drawn * known.std(axis=0, dtype=np.float64) / 2).astype(np.float32)
    matrix[covered] = known
    matrix[PAD] = 0
    return Aligned(matrix, covered)
