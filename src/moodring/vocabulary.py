"""The vocabulary: fitted on clean training text, then encoding any clean text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from moodring.errors import MoodringError
from moodring.files import write_json
from moodring.params import TokenizeParams

PAD, OOV = 0, 1
SPECIAL = 2


@dataclass(frozen=True)
class Ragged:
    """Encoded texts end to end: text i is `tokens[offsets[i]:offsets[i + 1]]`.

    `tokens` has shape (total,), of the smallest unsigned type that holds every id; `offsets` has shape
    (texts + 1,), int64.
    """

    tokens: NDArray[np.unsignedinteger]
    offsets: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text, shape (texts,)."""
        return np.diff(self.offsets)


@dataclass(frozen=True)
class Vocabulary:
    """Words by rank: id 0 pads, id 1 is out of vocabulary, id 2 the most frequent word.

    `drop_oov` says that encoding leaves unknown words out instead of marking them.
    """

    words: tuple[str, ...]
    drop_oov: bool = False

    def __len__(self) -> int:
        """Ids in use: the rows that an embedding needs."""
        return len(self.words) + SPECIAL

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger]:
        """The smallest unsigned integer type that holds every id."""
        return np.min_scalar_type(len(self) - 1)

    @classmethod
    def fit(cls, texts: Sequence[str] | pa.ChunkedArray, params: TokenizeParams) -> Vocabulary:
        """Rank the words of clean texts by frequency; words equally frequent stand in code point order.

        Raises:
            MoodringError: no word is left.
        """
        words, _ = _split(texts)
        counts = pc.value_counts(words)
        table = pa.table({"word": counts.field("values"), "count": counts.field("counts")})
        table = table.filter(pc.greater_equal(table["count"], params.min_count))
        table = table.sort_by([("count", "descending"), ("word", "ascending")])
        ranked = table["word"].slice(0, params.max_tokens - SPECIAL).to_pylist()
        if not ranked:
            raise MoodringError(
                f"no word of the training split is seen {params.min_count} times: the vocabulary is empty. "
                "Lower tokenize.min_count or keep more in preprocess."
            )
        return cls(tuple(ranked), drop_oov=params.oov == "drop")

    def encode(self, texts: Sequence[str] | pa.ChunkedArray) -> Ragged:
        """Encode clean texts; an empty text has no tokens."""
        words, offsets = _split(texts)
        encoded = words.dictionary_encode()
        rank = pc.index_in(encoded.dictionary, value_set=pa.array(self.words, pa.large_string()))
        ids = pc.fill_null(pc.add(rank, SPECIAL), OOV).to_numpy(zero_copy_only=False)
        tokens = ids.astype(self.dtype)[encoded.indices.to_numpy(zero_copy_only=False)]
        if self.drop_oov:
            known = tokens != OOV
            kept = np.concatenate([[0], np.cumsum(known, dtype=np.int64)])
            tokens, offsets = tokens[known], kept[offsets]
        return Ragged(tokens, offsets)

    def save(self, path: Path) -> None:
        """Write as JSON; see `load`."""
        write_json(path, {"drop_oov": self.drop_oov, "words": self.words})

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Read what `save` wrote.

        Raises:
            MoodringError: the file is missing or is no vocabulary.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            words, drop_oov = content["words"], content["drop_oov"]
            if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                raise TypeError("words must be a list of strings")
            return cls(tuple(words), bool(drop_oov))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MoodringError(f"{path} is no vocabulary: {error}. Run `dvc repro` to make it.") from error


def _split(texts: Sequence[str] | pa.ChunkedArray) -> tuple[pa.LargeStringArray, NDArray[np.int64]]:
    """The texts' words end to end, and where each text's begin and end, shape (texts + 1,)."""
    array = pa.chunked_array([texts]) if not isinstance(texts, pa.ChunkedArray) else texts
    array = array.cast(pa.large_string()).combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # no chunk at all
        array = pa.array([], pa.large_string())
    lists = pc.split_pattern(array, " ")
    pieces = lists.flatten()
    ends = np.cumsum(pc.list_value_length(lists).to_numpy(zero_copy_only=False), dtype=np.int64)
    # An empty text splits into one empty piece; none of these is a word.
    is_word = pc.not_equal(pieces, "")
    words_before = np.concatenate([[0], np.cumsum(is_word.to_numpy(zero_copy_only=False), dtype=np.int64)])
    return pieces.filter(is_word), words_before[np.concatenate([[0], ends])]
