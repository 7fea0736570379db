"""The n-grams of texts, compared with a simple loop over each text."""

from __future__ import annotations

import numpy as np
import pytest

from moodring.corpus.ragged import Ragged
from moodring.models.ngrams import Ngrams

TEXTS = [[2, 3, 4, 2, 3], [3, 4], [], [2], [4, 2, 3, 4], [1, 1, 1], [5, 2, 3]]


def ragged(texts: list[list[int]]) -> Ragged:
    offsets = np.append(0, np.cumsum([len(text) for text in texts], dtype=np.int64))
    return Ragged(np.array([token for text in texts for token in text], np.uint16), offsets)


def ngrams_of(text: list[int], longest: int) -> set[tuple[int, ...]]:
    return {
        tuple(text[start : start + length])
        for length in range(1, longest + 1)
        for start in range(len(text) - length + 1)
    }


def counted(texts: list[list[int]], longest: int) -> dict[tuple[int, ...], int]:
    counts: dict[tuple[int, ...], int] = {}
    for text in texts:
        for ngram in ngrams_of(text, longest):
            counts[ngram] = counts.get(ngram, 0) + 1
    return counts


@pytest.mark.parametrize("longest", [1, 2, 3, 5])
@pytest.mark.parametrize("min_count", [1, 2, 3])
def test_ngrams_in_enough_texts_are_kept(longest: int, min_count: int):
    kept = [ngram for ngram, count in counted(TEXTS, longest).items() if count >= min_count]
    ngrams = Ngrams.fit(ragged(TEXTS), longest, min_count)
    assert [len(keys) for keys in ngrams.keys] == [
        sum(len(ngram) == length for ngram in kept) for length in range(1, longest + 1)
    ]


@pytest.mark.parametrize("min_count", [1, 2])
def test_a_text_has_each_of_its_known_ngrams_once(min_count: int):
    kept = {ngram for ngram, count in counted(TEXTS, 3).items() if count >= min_count}
    incidence = Ngrams.fit(ragged(TEXTS), 3, min_count).incidence(ragged(TEXTS))
    assert set(incidence.data) == {1.0}
    assert [row.nnz for row in incidence] == [len(ngrams_of(text, 3) & kept) for text in TEXTS]
    # The number of shared columns of two texts is the number of their shared n-grams.
    shared = (incidence @ incidence.T).toarray()
    for one, other in np.ndindex(shared.shape):
        assert shared[one, other] == len(ngrams_of(TEXTS[one], 3) & ngrams_of(TEXTS[other], 3) & kept)


def test_unknown_tokens_do_not_match_known_ngrams():
    ngrams = Ngrams.fit(ragged([[2, 3], [3, 2], [2, 3]]), 2, 1)
    # 8 = 2 * 4 + 0: without a check, the key of this 2-gram could equal the key of another.
    unseen = ngrams.incidence(ragged([[9, 8, 7], [2, 9, 3]]))
    assert unseen[0].nnz == 0
    assert unseen[1].nnz == 2  # only the tokens 2 and 3


def test_an_empty_list_of_texts_has_no_rows():
    ngrams = Ngrams.fit(ragged(TEXTS), 2, 1)
    assert ngrams.incidence(ragged([])).shape == (0, len(ngrams))
