"""The rules by which a model becomes the champion."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from moodring.errors import MoodringError
from moodring.promotion.behaviour import Check
from moodring.promotion.promote import (
    SAME_TEXTS,
    Metric,
    Rules,
    Validation,
    compared_with,
    gain,
    objections,
)

GOOD = Check("case", passed=True, seen="0% of the labels change")
BAD = Check("negation", passed=False, seen="lowers the score in 12% of 24 pairs")
WORSE = Check("empty text", passed=False, seen="scores nan")


@pytest.mark.parametrize(
    ("metric", "challenger", "champion", "expected"),
    [
        ("val_accuracy", 0.875, 0.75, 0.125),
        ("val_accuracy", 0.75, 0.875, -0.125),
        ("val_accuracy", 0.75, 0.75, 0.0),
        ("val_loss", 0.25, 0.5, 0.25),
        ("val_loss", 0.5, 0.25, -0.25),
        ("val_loss", 0.5, 0.5, 0.0),
    ],
)
def test_a_higher_accuracy_and_a_lower_loss_are_gains(
    metric: Metric, challenger: float, champion: float, expected: float
) -> None:
    assert gain(metric, challenger, champion) == expected


@pytest.mark.parametrize(
    ("metric", "margin", "challenger", "champion"),
    [
        pytest.param("val_accuracy", 0.001, 0.81, 0.804, id="more than the margin"),
        pytest.param("val_accuracy", 0.125, 0.875, 0.75, id="exactly the margin"),
        pytest.param("val_accuracy", 0.001, 0.805, 0.804, id="the margin minus a rounding error"),
        pytest.param("val_accuracy", 0.0, 0.804001, 0.804, id="slightly better without a margin"),
        pytest.param("val_loss", 0.001, 0.4, 0.5, id="loss lower by more than the margin"),
        pytest.param("val_loss", 0.125, 0.375, 0.5, id="loss lower by exactly the margin"),
        pytest.param("val_loss", 0.001, 0.479, 0.48, id="loss lower by the margin minus a rounding error"),
        pytest.param("val_loss", 0.0, 0.499999, 0.5, id="slightly lower loss without a margin"),
    ],
)
def test_a_model_that_beats_the_champion_by_the_margin_is_promoted(
    metric: Metric, margin: float, challenger: float, champion: float
) -> None:
    assert objections(metric, margin, challenger, champion, [GOOD]) == []


@pytest.mark.parametrize("metric", ["val_accuracy", "val_loss"])
def test_rounding_does_not_hide_a_gain_of_exactly_the_margin(metric: Metric) -> None:
    higher, lower = [value / 1000 for value in range(2, 1001)], [value / 1000 for value in range(1, 1000)]
    pairs = zip(higher, lower, strict=True) if metric == "val_accuracy" else zip(lower, higher, strict=True)
    refused = [(one, other) for one, other in pairs if objections(metric, 0.001, one, other, [])]
    assert refused == []


@pytest.mark.parametrize(
    ("metric", "margin", "challenger", "champion"),
    [
        pytest.param("val_accuracy", 0.0, 0.804, 0.804, id="equal without a margin"),
        pytest.param("val_accuracy", 0.001, 0.804, 0.804, id="equal"),
        pytest.param("val_accuracy", 0.001, 0.804999, 0.804, id="one digit below the margin"),
        pytest.param("val_accuracy", 0.0, 0.803999, 0.804, id="one digit worse"),
        pytest.param("val_accuracy", 0.001, 0.7, 0.804, id="much worse"),
        pytest.param("val_loss", 0.0, 0.5, 0.5, id="equal loss without a margin"),
        pytest.param("val_loss", 0.001, 0.499001, 0.5, id="loss one digit short of the margin"),
        pytest.param("val_loss", 0.001, 0.6, 0.5, id="higher loss"),
    ],
)
def test_the_objection_to_a_model_below_the_margin_names_both_values(
    metric: Metric, margin: float, challenger: float, champion: float
) -> None:
    (objection,) = objections(metric, margin, challenger, champion, [GOOD])
    for part in (metric, f"{challenger:.4f}", f"champion's {champion:.4f}"):
        assert part in objection


@pytest.mark.parametrize("metric", ["val_accuracy", "val_loss"])
@pytest.mark.parametrize("challenger", [0.0, 0.5, 1.0])
def test_any_value_is_promoted_if_there_is_no_champion(metric: Metric, challenger: float) -> None:
    assert objections(metric, 0.5, challenger, None, [GOOD]) == []


@pytest.mark.parametrize("champion", [None, 0.5], ids=["no champion", "a beaten champion"])
def test_each_failed_check_gives_an_objection_that_names_it(champion: float | None) -> None:
    found = objections("val_accuracy", 0.001, 0.75, champion, [BAD, GOOD, WORSE])
    assert found == [f"{check.name}: {check.seen}" for check in (BAD, WORSE)]


def test_a_low_value_and_a_failed_check_give_two_objections() -> None:
    found = objections("val_accuracy", 0.001, 0.5, 0.75, [GOOD, BAD])
    assert len(found) == 2
    assert "val_accuracy" in found[0]
    assert "negation" in found[1]


# What a validation can decide.

SOUND = Validation(
    metrics={"val_accuracy": 0.8, "val_loss": 0.5, "test_accuracy": 0.7},
    rows=48,
    texts={"negative": 24, "positive": 24},
    digest="a" * 16,
)


def test_a_validation_with_both_classes_and_metrics_can_decide() -> None:
    assert SOUND.problems() == []
    assert replace(SOUND, texts={"negative": 5, "positive": 5}).problems() == []
    assert SOUND.describe() == "48 validation texts (different ones: 24 negative, 24 positive)"


UNSOUND = [
    pytest.param({"texts": {"negative": 80, "positive": 0}}, ["0 positive", "at least 5"], id="one class"),
    pytest.param(
        {"texts": {"negative": 4, "positive": 80}}, ["4 negative", "at least 5"], id="few of a class"
    ),
    pytest.param({"texts": {}}, ["does not say on how many texts"], id="unknown counts"),
    pytest.param({"metrics": {}}, ["no val_accuracy", "no val_loss"], id="no metrics"),
    pytest.param({"metrics": {"val_accuracy": 0.8}}, ["no val_loss"], id="no loss"),
    pytest.param({"metrics": {"val_accuracy": 1.0, "val_loss": math.nan}}, ["val_loss is nan"], id="NaN"),
    pytest.param(
        {"metrics": {"val_accuracy": 1.0, "val_loss": math.inf}}, ["val_loss is inf"], id="infinite"
    ),
]


@pytest.mark.parametrize(("change", "parts"), UNSOUND)
def test_a_validation_that_decides_nothing_says_why(change: dict[str, Any], parts: list[str]) -> None:
    problems = "; ".join(replace(SOUND, **change).problems())
    assert all(part in problems for part in parts), problems


@pytest.mark.parametrize(
    ("accuracy", "texts", "warned"),
    [
        (0.95, {"negative": 95, "positive": 5}, True),
        (0.94, {"negative": 95, "positive": 5}, True),
        (0.916667, {"negative": 88, "positive": 8}, True),  # rounded up
        (0.96, {"negative": 95, "positive": 5}, False),
        (0.5, {"negative": 18, "positive": 18}, True),
        (0.6, {"negative": 18, "positive": 18}, False),
        (0.9, {}, False),
        (None, {"negative": 18, "positive": 18}, False),
    ],
)
def test_an_accuracy_that_one_answer_reaches_is_named(
    accuracy: float | None, texts: dict[str, int], warned: bool
) -> None:
    metrics = {} if accuracy is None else {"val_accuracy": accuracy}
    said = Validation(metrics, texts=texts).against_one_answer()
    assert bool(said) is warned
    if warned:
        assert f"val_accuracy {accuracy:.4f} shows no skill: the answer 'negative' for every text" in said


def test_a_champion_on_the_same_texts_is_compared() -> None:
    champion, note, checks = compared_with(SOUND, replace(SOUND, metrics={**SOUND.metrics}))
    assert champion == SOUND
    assert note == ""
    assert [(check.name, check.passed) for check in checks] == [(SAME_TEXTS, True)]


@pytest.mark.parametrize(("change", "parts"), UNSOUND)
def test_a_champion_whose_validation_decides_nothing_is_replaced(
    change: dict[str, Any], parts: list[str]
) -> None:
    # For example an accuracy of 1.0 on texts of one class: no model could beat it.
    champion, note, checks = compared_with(SOUND, replace(SOUND, **change, digest="b" * 16))
    assert (champion, checks) == (None, [])
    assert "the champion is not compared" in note
    assert all(part in note for part in parts)
    assert objections("val_accuracy", 0.001, 0.5, None, checks) == []


def test_a_champion_on_other_texts_is_not_compared_and_stops_the_promotion() -> None:
    champion, _, checks = compared_with(SOUND, replace(SOUND, digest="b" * 16, rows=60))
    assert champion is None
    (objection,) = objections("val_accuracy", 0.001, 0.99, None, checks)
    for part in (SAME_TEXTS, "other texts (60, here 48)", "cannot be compared", "--accept", "--reason"):
        assert part in objection


# Accepted checks.


def test_a_check_that_decides_nothing_is_no_objection() -> None:
    assert objections("val_accuracy", 0.001, 0.75, None, [Check("negation", None, "not checked")]) == []


@pytest.mark.parametrize(
    ("accepted", "reason", "parts"),
    [
        (["negatoin"], "a reason", ["'negatoin'", "known: same validation texts, empty text", "negation"]),
        (["negation", "x"], "a reason", ["'x'"]),
        (["negation"], "", ["--reason", "negation"]),
        (["negation"], "  ", ["--reason"]),
        ([], "a reason", ["--accept", "a reason"]),
    ],
    ids=["misspelt", "one of two", "no reason", "blank reason", "no check"],
)
def test_an_acceptance_needs_known_checks_and_a_reason(
    accepted: list[str], reason: str, parts: list[str]
) -> None:
    with pytest.raises(MoodringError) as refused:
        Rules(accepted=accepted, reason=reason)
    assert all(part in str(refused.value) for part in parts), refused.value


def test_a_reason_that_does_not_fit_into_a_tag_is_refused() -> None:
    with pytest.raises(MoodringError, match="--reason may have 5,000 characters, received 100,001"):
        Rules(accepted=["case"], reason="x" * 100_001)
