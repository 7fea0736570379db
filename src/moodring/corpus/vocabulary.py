"""The vocabulary: fit it on clean training texts, then encode any clean texts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from moodring.corpus.ragged import OOV, SPECIAL, Ragged
from moodring.errors import MoodringError
from moodring.io import strings
from moodring.io.files import write_json
from moodring.io.strings import Texts
from moodring.params.data import TokenizeParams

ROWS = 4096  # texts encoded at once
MERGED_AT = 1 << 20  # table rows before a merge: about 30 MB


class WordCounts:
    """Counts words in clean texts; memory grows with distinct words, not with texts."""

    def __init__(self) -> None:
        self._parts: list[pa.Table] = []
        self._limit = MERGED_AT

    def add(self, texts: Texts) -> None:
        """Count the words of clean texts."""
        for piece in strings.pieces(texts, ROWS):
            words = strings.words_of(piece)
            counts = np.bincount(words.places, minlength=len(words.distinct))
            self._parts.append(pa.table({"word": words.distinct, "count": counts}))
        if sum(map(len, self._parts)) > self._limit:
            merged = self.table()
            # Double the limit: otherwise a large vocabulary would be merged again after every few texts.
            self._parts, self._limit = [merged], max(MERGED_AT, 2 * len(merged))

    def table(self) -> pa.Table:
        """The counts, a row a word in any order: word, count."""
        empty = pa.table({"word": pa.array([], pa.large_string()), "count": pa.array([], pa.int64())})
        parts = pa.concat_tables([empty, *self._parts]).combine_chunks()
        words = parts["word"].chunk(0).dictionary_encode()
        counts = np.zeros(len(words.dictionary), np.int64)
        np.add.at(counts, words.indices.to_numpy(), parts["count"].to_numpy())
        return pa.table({"word": words.dictionary, "count": counts})


@dataclass(frozen=True)
class Vocabulary:
    """Words by rank: id 0 is padding, id 1 an unknown word, id 2 the most frequent word.

    With `drop_oov`, encoding drops unknown words; without it, they get id 1.
    """

    words: tuple[str, ...]
    drop_oov: bool = False

    def __len__(self) -> int:
        """The number of ids: the rows of an embedding."""
        return len(self.words) + SPECIAL

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger]:
        """The smallest unsigned integer type that fits every id."""
        return np.min_scalar_type(len(self) - 1)

    @classmethod
    def fit(cls, texts: Texts, params: TokenizeParams) -> Vocabulary:
        """Count the words of clean texts, then rank them; see `of_counts`."""
        counts = WordCounts()
        counts.add(texts)
        return cls.of_counts(counts, params)

    @classmethod
    def of_counts(cls, counts: WordCounts, params: TokenizeParams) -> Vocabulary:
        """Rank words by frequency; equally frequent words are in code point order.

        Raises:
            MoodringError: no word is frequent enough.
        """
        table, size = counts.table(), params.max_tokens - SPECIAL
        seen = table["count"].to_numpy()
        # Most words are rare: remove those that cannot be ranked before sorting.
        least = max(params.min_count, np.partition(seen, -size)[-size] if len(seen) > size else 0)
        table = table.filter(pc.greater_equal(table["count"], least))
        table = table.sort_by([("count", "descending"), ("word", "ascending")])
        ranked = table["word"].slice(0, size).to_pylist()
        if not ranked:
            raise MoodringError(
                f"no word occurs {params.min_count} times in the training split: the vocabulary is empty. "
                "Lower tokenize.min_count or keep more words in preprocess."
            )
        return cls(tuple(ranked), drop_oov=params.oov == "drop")

    @cached_property
    def _ranked(self) -> pa.LargeStringArray:
        return pa.array(self.words, pa.large_string())

    def encode(self, texts: Texts) -> Ragged:
        """Encode clean texts; an empty text has no tokens."""
        pieces = [self._encode_piece(piece) for piece in strings.pieces(texts, ROWS)]
        tokens = [piece.tokens for piece in pieces]
        lengths = [piece.lengths for piece in pieces]
        offsets = np.append(0, np.cumsum(np.concatenate([*lengths, np.empty(0, np.int64)])))
        return Ragged(np.concatenate([*tokens, np.empty(0, self.dtype)]), offsets)

    def _encode_piece(self, texts: pa.LargeStringArray) -> Ragged:
        words = strings.words_of(texts)
        rank = pc.index_in(words.distinct, value_set=self._ranked)
        ids = pc.fill_null(pc.add(rank, SPECIAL), OOV).to_numpy(zero_copy_only=False)
        tokens, offsets = ids.astype(self.dtype)[words.places], words.offsets
        if self.drop_oov:
            known = tokens != OOV
            kept = np.append(0, np.cumsum(known, dtype=np.int64))
            tokens, offsets = tokens[known], kept[offsets]
        return Ragged(tokens, offsets)

    def save(self, path: Path) -> None:
        """Write as JSON; see `load`."""
        write_json(path, {"drop_oov": self.drop_oov, "words": self.words})

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Read the file of `save`.

        Raises:
            MoodringError: the file is missing or is not a vocabulary.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            words, drop_oov = content["words"], content["drop_oov"]
            if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                raise TypeError("words must be a list of strings")
            return cls(tuple(words), bool(drop_oov))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MoodringError(
                f"{path} is not a vocabulary: {error}. Run `dvc repro` to make it."
            ) from error
