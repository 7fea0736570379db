"""The vocabulary: ranks, encoding and its file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from moodring.corpus.ragged import Ragged
from moodring.corpus.vocabulary import Vocabulary, WordCounts
from moodring.errors import MoodringError
from moodring.params.data import TokenizeParams
from tests.conftest import generated_rows


def tokenize(max_tokens: int = 100, min_count: int = 1, oov: str = "mark") -> TokenizeParams:
    return TokenizeParams.model_validate({"max_tokens": max_tokens, "min_count": min_count, "oov": oov})


def rows(ragged: Ragged) -> list[list[int]]:
    """The token ids of each text."""
    return [
        ragged.tokens[start:end].tolist()
        for start, end in zip(ragged.offsets[:-1], ragged.offsets[1:], strict=True)
    ]


def slow_fit(texts: Sequence[str], params: TokenizeParams) -> tuple[str, ...]:
    counts = Counter(word for text in texts for word in text.split())
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return tuple(word for word in ranked if counts[word] >= params.min_count)[: params.max_tokens - 2]


def slow_encode(texts: Sequence[str], words: Sequence[str], drop: bool) -> list[list[int]]:
    ids = {word: i for i, word in enumerate(words, start=2)}
    encoded = [[ids.get(word, 1) for word in text.split()] for text in texts]
    return [[i for i in text if i != 1 or not drop] for text in encoded]


def test_words_are_ranked_by_frequency_from_id_2() -> None:
    vocabulary = Vocabulary.fit(["b b a", "c b a"], tokenize())
    assert vocabulary.words == ("b", "a", "c")
    assert rows(vocabulary.encode(["a b c"])) == [[3, 2, 4]]


def test_equally_frequent_words_are_in_code_point_order() -> None:
    words = ["a", "B", "é", "z", "\uffee", "\U0001f600", "Z", "10", "9", "aa"]
    assert list(Vocabulary.fit([" ".join(words)], tokenize()).words) == sorted(words)


def test_the_order_of_texts_does_not_change_the_vocabulary() -> None:
    texts, _ = generated_rows(50)
    assert Vocabulary.fit(texts, tokenize()) == Vocabulary.fit(texts[::-1], tokenize())


def test_max_tokens_includes_padding_and_unknown_words() -> None:
    vocabulary = Vocabulary.fit(["a a a b b c"], tokenize(max_tokens=4))
    assert vocabulary.words == ("a", "b")
    assert len(vocabulary) == 4


def test_words_below_min_count_are_not_in_the_vocabulary() -> None:
    assert Vocabulary.fit(["a a a b b c"], tokenize(min_count=2)).words == ("a", "b")


@pytest.mark.parametrize("texts", [[], ["", ""], ["once"]])
def test_an_empty_vocabulary_is_an_error(texts: list[str]) -> None:
    with pytest.raises(MoodringError, match="vocabulary is empty"):
        Vocabulary.fit(texts, tokenize(min_count=2))


@pytest.mark.parametrize(("oov", "expected"), [("mark", [[2, 1, 3], [1], []]), ("drop", [[2, 3], [], []])])
def test_unknown_words_are_marked_or_dropped(oov: str, expected: list[list[int]]) -> None:
    vocabulary = Vocabulary.fit(["a a b"], tokenize(oov=oov))
    assert rows(vocabulary.encode(["a new b", "new", ""])) == expected


def test_empty_texts_have_no_tokens_and_do_not_shift_other_texts() -> None:
    vocabulary = Vocabulary(("a", "b"))
    assert rows(vocabulary.encode(["", "a b", "", "", "b", ""])) == [[], [2, 3], [], [], [3], []]


@pytest.mark.parametrize("texts", [[], pa.chunked_array([], pa.string())])
def test_an_empty_list_of_texts_has_an_empty_encoding(texts: Sequence[str]) -> None:
    encoded = Vocabulary(("a",)).encode(texts)
    assert encoded.tokens.tolist() == []
    assert encoded.offsets.tolist() == [0]
    assert encoded.lengths.tolist() == []


def test_a_column_of_many_chunks_has_the_encoding_of_a_list() -> None:
    texts, _ = generated_rows(30)
    column = pa.chunked_array([texts[:7], [], texts[7:8], texts[8:]])
    vocabulary = Vocabulary.fit(column, tokenize())
    assert vocabulary == Vocabulary.fit(texts, tokenize())
    assert rows(vocabulary.encode(column)) == rows(vocabulary.encode(texts))


@pytest.mark.parametrize("oov", ["mark", "drop"])
@pytest.mark.parametrize(("max_tokens", "min_count"), [(100, 1), (12, 1), (100, 20), (3, 1)])
def test_fitting_and_encoding_equal_a_simple_implementation(
    max_tokens: int, min_count: int, oov: str
) -> None:
    texts, _ = generated_rows(200, seed=1)
    others = ["", *generated_rows(50, seed=2)[0], "never seen", ""]
    params = tokenize(max_tokens, min_count, oov)
    vocabulary = Vocabulary.fit(texts, params)
    assert vocabulary.words == slow_fit(texts, params)
    encoded = vocabulary.encode(others)
    expected = slow_encode(others, vocabulary.words, drop=oov == "drop")
    assert rows(encoded) == expected
    assert encoded.lengths.tolist() == [len(text) for text in expected]


@pytest.mark.parametrize(
    ("ids", "dtype"), [(256, np.uint8), (257, np.uint16), (65_536, np.uint16), (65_537, np.uint32)]
)
def test_ids_have_the_smallest_possible_type(ids: int, dtype: type) -> None:
    words = tuple(str(i) for i in range(ids - 2))
    encoded = Vocabulary(words).encode([f"{words[-1]} {words[0]} new"])
    assert encoded.tokens.dtype == dtype
    assert encoded.tokens.tolist() == [ids - 1, 2, 1]


@pytest.mark.parametrize("oov", ["mark", "drop"])
def test_a_loaded_vocabulary_equals_the_saved_one(tmp_path: Path, oov: str) -> None:
    vocabulary = Vocabulary.fit(['schön schön \U0001f600 <3 "q" don\'t'], tokenize(oov=oov))
    vocabulary.save(tmp_path / "vocabulary.json")
    assert Vocabulary.load(tmp_path / "vocabulary.json") == vocabulary


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"words": ["a"', id="cut off"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"7", id="a number"),
        pytest.param(b'{"words": ["a"]}', id="missing key"),
        pytest.param(b'{"words": null, "drop_oov": false}', id="no words"),
        pytest.param(b'{"words": "abc", "drop_oov": false}', id="one string"),
        pytest.param(b'{"words": [1, 2], "drop_oov": false}', id="numbers"),
    ],
)
def test_a_file_that_is_not_a_vocabulary_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "vocabulary.json").write_bytes(content)
    with pytest.raises(MoodringError, match=r"vocabulary\.json is not a vocabulary"):
        Vocabulary.load(tmp_path / "vocabulary.json")


def test_the_error_for_a_missing_file_names_it(tmp_path: Path) -> None:
    with pytest.raises(MoodringError, match=r"none\.json"):
        Vocabulary.load(tmp_path / "none.json")


def test_counts_do_not_depend_on_the_pieces_of_the_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moodring.corpus.vocabulary.MERGED_AT", 5)
    texts, _ = generated_rows(50)
    counts = WordCounts()
    for start in range(0, 50, 3):
        counts.add(texts[start : start + 3])
    assert Vocabulary.of_counts(counts, tokenize()) == Vocabulary.fit(texts, tokenize())
    assert Vocabulary.of_counts(counts, tokenize()).words == slow_fit(texts, tokenize())


@pytest.mark.parametrize("max_tokens", [3, 4, 5, 6, 7, 99])
def test_equally_frequent_words_at_the_size_limit_are_in_code_point_order(max_tokens: int) -> None:
    texts = ["d c b a", "b c", "e \xe9 z", "c"]
    params = tokenize(max_tokens)
    assert Vocabulary.fit(texts, params).words == slow_fit(texts, params)
