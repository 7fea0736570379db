"""Each text is in the correct group, and each group has its own accuracy."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from moodring.corpus.arrays import Split
from moodring.corpus.vocabulary import Vocabulary
from moodring.errors import MoodringError
from moodring.evaluation.slices import (
    CONTRAST,
    NEGATION,
    Groups,
    Texts,
    by_pattern,
    by_quantiles,
    by_share,
    by_source,
    make_groups,
    read_texts,
    slice_accuracy,
)
from moodring.io.tables import make_table


def members(groups: Groups) -> dict[str, list[int]]:
    """The texts in each group."""
    return {name: np.flatnonzero(groups.codes == code).tolist() for code, name in enumerate(groups.names)}


@pytest.mark.parametrize(
    "text",
    [
        "It was not good.",
        "NOT good",
        "isn't good",
        "isn\u2019t good",
        "ISN'T",
        "no",
        "never",
        "cannot",
        "nobody, nothing",
    ],
)
def test_a_text_with_a_negation_is_found(text: str):
    assert members(by_pattern(["knot a notion nonetheless", text], NEGATION)) == {"without": [0], "with": [1]}


@pytest.mark.parametrize("text", ["Good, BUT long", "although", "however; yet", "despite it all", "though"])
def test_a_text_with_a_contrast_is_found(text: str):
    assert members(by_pattern(["butter, thoughtful, yeti", text], CONTRAST)) == {"without": [0], "with": [1]}


def test_length_groups_have_equal_sizes_and_names_with_their_shortest_and_longest_length():
    found = members(by_quantiles(np.array([5, 1, 2, 9, 3, 4, 8, 7]), 4))
    assert found == {"1 to 2": [1, 2], "3 to 4": [4, 5], "5 to 7": [0, 7], "8 to 9": [3, 6]}
    assert members(by_quantiles(np.array([3, 3, 3]), 4)) == {"3": [0, 1, 2]}


def test_texts_without_unknown_words_have_their_own_group():
    found = members(by_share(np.array([0, 0.1, 0.5, 0, 0.2])))
    assert found == {"none": [0, 3], "up to 10.0 %": [1], "up to 20.0 %": [4], "up to 50.0 %": [2]}
    assert members(by_share(np.zeros(2))) == {"none": [0, 1]}


def test_the_twenty_most_frequent_sources_have_their_own_groups():
    sources = ["b", "a", "b", "", *(f"shop {i:02}" for i in range(30))]
    found = members(by_source(sources))
    assert list(found) == ["b", "(none)", "a", *(f"shop {i:02}" for i in range(17)), "other"]
    assert found["b"] == [0, 2]
    assert found["other"] == list(range(4 + 17, 34))


def test_each_group_has_its_own_accuracy():
    model, rival = np.array([1, 1, 0, 1], bool), np.array([1, 0, 0, 0], bool)
    groups = {"half": Groups(("one", "none here", "two"), np.array([0, 0, 2, 2]))}
    first, second = slice_accuracy(groups, model, rival).to_dict("records")
    assert (first["name"], first["group"], first["rows"]) == ("half", "one", 2)
    assert (first["accuracy"], first["baseline_accuracy"]) == (1, 0.5)
    assert (second["group"], second["accuracy"], second["baseline_accuracy"]) == ("two", 0.5, 0)
    # Wilson's interval of 1 in 2, in closed form.
    assert second["accuracy_low"] == pytest.approx(0.094531, abs=2e-6)
    assert second["accuracy_high"] == pytest.approx(0.905469, abs=2e-6)


def test_texts_without_sources_have_no_source_slice():
    texts = Texts(["a", "not b"], np.array([1, 2]), np.zeros(2))
    assert list(make_groups(texts)) == ["length", "negation", "contrast", "unknown words"]
    with_sources = Texts(["a", "not b"], np.array([1, 2]), np.zeros(2), ["x", "y"])
    assert list(make_groups(with_sources))[-1] == "source"


# Reading of the texts and their properties.

SPLITS = ["test", "train", "test", "test"]
RAW = make_table(SPLITS, [0, 1, 1, 0], ["Good. Film!", "dull", "", "Odd film"], ["x", "y", "", "x"])
CLEAN = make_table(
    ["test", "test", "validation", "test"], [0, 1, 1, 0], ["good film", "", "dull", "odd film"]
)
WORDS = ("film", "good")


@pytest.mark.parametrize("drop", [False, True], ids=["mark", "drop"])
def test_read_texts_collects_properties_from_the_outputs_of_the_stages(drop: bool):
    vocabulary = Vocabulary(WORDS, drop_oov=drop)
    test = Split(vocabulary.encode(["good film", "", "odd film"]), np.array([0, 1, 0], np.int8))
    found = read_texts(RAW, CLEAN, vocabulary, test)
    assert found.raw == ["Good. Film!", "", "Odd film"]
    assert found.lengths.tolist() == [2, 0, 1 if drop else 2]
    assert found.unknown.tolist() == [0, 0, 0.5]
    assert found.sources == ["x", "", "x"]


def test_a_table_without_sources_gives_no_sources():
    test = Split(Vocabulary(WORDS).encode(["good film", "", "odd film"]), np.array([0, 1, 0], np.int8))
    assert read_texts(RAW.select(["split", "label", "text"]), CLEAN, Vocabulary(WORDS), test).sources is None


@pytest.mark.parametrize(
    ("raw", "clean", "name"),
    [(RAW.slice(1), CLEAN, "raw"), (RAW, CLEAN.slice(1), "clean"), (RAW.take([2, 0, 3]), CLEAN, "raw")],
    ids=["raw rows", "clean rows", "order"],
)
def test_tables_with_other_test_rows_are_an_error(raw: pa.Table, clean: pa.Table, name: str):
    test = Split(Vocabulary(WORDS).encode(["good film", "", "odd film"]), np.array([0, 1, 0], np.int8))
    with pytest.raises(MoodringError, match=f"the {name} table's .* test rows .*3.*dvc repro"):
        read_texts(raw, clean, Vocabulary(WORDS), test)
