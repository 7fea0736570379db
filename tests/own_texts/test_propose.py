"""Guesses about columns and labels."""

from __future__ import annotations

from typing import Any

import pytest

from moodring.errors import MoodringError
from moodring.own_texts.propose import (
    check_classes,
    chosen_labels,
    dataset_name,
    guess_classes,
    guess_label,
    guess_max_length,
    guess_text,
    scalar,
)
from moodring.params.file import parse_yaml

LONG = [f"a long review of product {i}" for i in range(10)]


def test_the_column_with_the_longest_texts_is_the_text() -> None:
    assert guess_text({"id": [*range(10)], "title": ["short"] * 10, "body": LONG}) == "body"
    assert guess_text({"id": [1, 2]}) is None
    assert guess_text({}) is None


@pytest.mark.parametrize(
    ("columns", "label"),
    [
        ({"id": range(10), "stars": [1, 5] * 5}, "stars"),
        ({"id": range(10), "Sentiment ": ["a", "b", "c", "d", "e"] * 2, "sex": ["m", "f"] * 5}, "Sentiment "),
        ({"shop": ["x", "y", "z", "x", "y"] * 2, "verdict": ["good", "bad"] * 5}, "verdict"),
        ({"constant": [1] * 10, "id": range(10)}, None),
        ({"empty": [None] * 10}, None),
    ],
)
def test_a_column_with_few_values_and_a_usual_name_is_the_label(
    columns: dict[str, Any], label: str | None
) -> None:
    assert guess_label({"text": LONG, **columns}, "text") == label


@pytest.mark.parametrize(
    ("labels", "positive", "negative"),
    [
        (["0", "1"], ["1"], ["0"]),
        (["-1", "1"], ["1"], ["-1"]),
        (["0", "4"], ["4"], ["0"]),
        (["1", "2", "4", "5"], ["4", "5"], ["1", "2"]),
        (["5.0", "1.0", "4.0"], ["4.0", "5.0"], ["1.0"]),
        (["1", "2", "3", "4", "5"], ["4", "5"], ["1", "2"]),
        (["Neg", " POS"], [" POS"], ["Neg"]),
        (["True", "False"], ["True"], ["False"]),
        (["no", "yes"], ["yes"], ["no"]),
        (["positive", "negative", "neutral"], ["positive"], ["negative"]),
        (["cats", "dogs"], [], []),
        (["10", "20", "30"], [], []),
        ([], [], []),
    ],
)
def test_usual_labels_have_their_usual_meaning(
    labels: list[str], positive: list[str], negative: list[str]
) -> None:
    assert guess_classes(labels) == (positive, negative)


@pytest.mark.parametrize(
    ("received", "labels", "chosen"),
    [
        (["4", "5"], ["1", "4", "5"], ["4", "5"]),
        (["4,5"], ["1", "4", "5"], ["4", "5"]),
        (["4, 5 ,"], ["1", "4", "5"], ["4", "5"]),
        (["good, really"], ["good, really", "bad"], ["good, really"]),
        (["GOOD"], ["good", "bad"], ["GOOD"]),
    ],
)
def test_labels_are_named_one_by_one_or_with_commas(
    received: list[str], labels: list[str], chosen: list[str]
) -> None:
    assert chosen_labels(received, labels) == chosen


def test_a_label_that_no_row_has_is_an_error_with_the_labels() -> None:
    with pytest.raises(MoodringError, match="no row has the label 'god'; the labels: 'bad', 'good'"):
        chosen_labels(["god"], ["bad", "good"])


@pytest.mark.parametrize(
    ("positive", "negative", "message"),
    [
        ([], ["1"], "no label means positive; name one with --positive"),
        (["5"], [], "no label means negative"),
        (["5"], ["1"], "1,200 rows have the label '3', which is in neither class"),
        (["5", "3"], ["1", "3.0"], "the label '3', which is in both classes"),
    ],
)
def test_each_label_must_belong_to_one_class(positive: list[str], negative: list[str], message: str) -> None:
    with pytest.raises(MoodringError, match=message):
        check_classes({"5": 7, "1": 7, "3": 1200}, positive, negative)
    check_classes({"5": 7, "1": 7, "3": 1200}, ["5.0"], ["1", "3"])


@pytest.mark.parametrize(("words", "length"), [(1, 10), (10, 10), (11, 20), (95, 100), (5000, 400)])
def test_nine_of_ten_texts_fit_into_the_proposed_length(words: int, length: int) -> None:
    assert guess_max_length(["word " * words] * 9 + ["word"]) == length
    assert guess_max_length([]) == 10


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("reviews", "reviews"),
        ("my reviews (2024)", "my_reviews_2024"),
        ("-Отзывы-", "texts"),
        ("2024", "texts_2024"),
        ("x" * 300, "x" * 100),
    ],
)
def test_a_dataset_is_named_like_its_file_in_the_characters_of_a_name(stem: str, name: str) -> None:
    assert dataset_name(stem) == name


@pytest.mark.parametrize(
    ("label", "written"),
    [("4", 4), ("4.0", 4), ("-1", -1), ("007", 7), ("4.5", "4.5"), ("yes", "yes"), ("", "")],
)
def test_a_whole_number_is_written_as_a_number(label: str, written: str | int) -> None:
    assert scalar(label) == written
    assert parse_yaml(f"x: {scalar(label)!r}", "x")["x"] == written
