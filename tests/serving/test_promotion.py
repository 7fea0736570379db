"""The rules by which a model becomes the champion."""

from __future__ import annotations

from typing import Any

import pytest

from moodring.params.base import flatten
from moodring.params.file import parse_params
from moodring.params.pipeline import Params
from moodring.serving.behaviour import Check
from moodring.serving.promotion import Metric, gain, objections, same_validation_split

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


# The validation split of two models.


def logged(params: Params, **changes: Any) -> dict[str, str]:
    """The committed parameters with changes, as a run logs them."""
    tree = params.model_dump()
    for name, value in changes.items():
        *blocks, key = name.split("__")
        parent = tree
        for block in blocks:
            parent = parent[block]
        assert parent[key] != value, "the change has no effect"
        parent[key] = value
    changed = parse_params(tree, "test").of_model()
    return {name: str(value) for name, value in changed.items()}


def has_same_split(params: Params, **changes: Any) -> bool:
    one, other = logged(params), logged(params, **changes)
    assert one != other
    result, reversed_result = (
        same_validation_split(params.dataset, *pair) for pair in ((one, other), (other, one))
    )
    assert result == reversed_result
    return result


BLOCK = "datasets__rotten_tomatoes"
OWN = {
    "kind": "file",
    "path": "data/own/a.csv",
    "text": "a",
    "label": "b",
    "positive": [1],
    "negative": [0],
    "split": None,
    "test_share": 0.2,
    "split_seed": 7,
    "digest": None,
}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"seed": 8}, id="seed"),
        pytest.param({f"{BLOCK}__preprocess__validation_share": 0.2}, id="share"),
        pytest.param({f"{BLOCK}__source__split_seed": 8}, id="seed of the test split"),
        pytest.param({f"{BLOCK}__source__test_share": 0.3}, id="share of the test split"),
        pytest.param({f"{BLOCK}__source": {"kind": "imdb"}}, id="source"),
        pytest.param({f"{BLOCK}__source": OWN}, id="a file of the user"),
    ],
)
def test_another_source_seed_or_share_gives_another_validation_split(
    params: Params, change: dict[str, Any]
) -> None:
    assert not has_same_split(params, **change)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"arch": "gru"}, id="arch"),
        pytest.param({"archs__lstm__units": 32}, id="units"),
        pytest.param({"train__epochs": 99}, id="epochs"),
        pytest.param({f"{BLOCK}__preprocess__stem": "snowball"}, id="cleaning"),
        pytest.param({f"{BLOCK}__tokenize__max_tokens": 99}, id="vocabulary"),
        pytest.param({f"{BLOCK}__max_length": 99}, id="length"),
    ],
)
def test_another_model_on_the_same_texts_has_the_same_validation_split(
    params: Params, change: dict[str, Any]
) -> None:
    assert has_same_split(params, **change)


def test_the_same_parameters_have_the_same_validation_split(params: Params) -> None:
    assert same_validation_split(params.dataset, logged(params), logged(params))


def test_parameters_of_other_datasets_do_not_change_the_split(params: Params) -> None:
    every = {name: str(value) for name, value in flatten(params.model_dump())}
    other = {**every, "datasets.imdb.preprocess.validation_share": "0.9", "datasets.imdb.source.kind": "file"}
    assert every != other
    assert same_validation_split("rotten_tomatoes", every, other)
    assert not same_validation_split("imdb", every, other)


@pytest.mark.parametrize(("challenger", "champion"), [(float("nan"), 0.5), (0.5, float("nan"))])
def test_a_nan_value_prevents_promotion(challenger: float, champion: float) -> None:
    assert objections("val_loss", 0.001, challenger, champion, [GOOD])
