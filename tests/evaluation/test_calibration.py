"""Fitting recovers a known temperature; applying a temperature divides the logits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from moodring.errors import MoodringError
from moodring.evaluation.calibration import (
    HIGHEST,
    LOWEST,
    apply_temperature,
    fit_temperature,
    read_temperature,
    write_calibration,
)


def random_labels(rows: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Random labels with known probabilities, and the logits of these probabilities."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, rows)
    return (rng.uniform(size=rows) < 1 / (1 + np.exp(-logits))).astype(np.int8), logits


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


@pytest.mark.parametrize("factor", [0.3, 0.8, 1, 2.5])
def test_the_temperature_is_the_factor_of_the_logits(factor: float):
    labels, logits = random_labels()
    assert fit_temperature(labels, sigmoid(factor * logits)) == pytest.approx(factor, rel=0.05)


def test_no_other_temperature_has_a_lower_log_loss():
    labels, logits = random_labels(500)
    scores = sigmoid(1.7 * logits)

    def loss(temperature: float) -> float:
        applied = apply_temperature(scores, temperature).astype(float)
        return float(-np.log(np.where(labels == 1, applied, 1 - applied)).mean())

    best = fit_temperature(labels, scores)
    assert all(loss(best) <= loss(best * factor) for factor in (0.5, 0.9, 0.98, 1.02, 1.1, 2))


def test_a_second_fit_gives_the_same_temperature():
    labels, logits = random_labels(500)
    assert len({fit_temperature(labels, sigmoid(logits)) for _ in range(3)}) == 1


@pytest.mark.parametrize(
    ("labels", "scores", "bound"),
    [([0, 1], [0.4, 0.6], LOWEST), ([1, 0], [0.4, 0.6], HIGHEST), ([0, 1], [0.0, 1.0], LOWEST)],
    ids=["all correct", "all wrong", "all correct with scores 0 and 1"],
)
def test_the_temperature_is_within_its_bounds(labels: list[int], scores: list[float], bound: float):
    found = fit_temperature(np.array(labels, np.int8), np.array(scores, np.float32))
    assert LOWEST <= found <= HIGHEST
    if scores[0] != 0:
        assert found == pytest.approx(bound, rel=0.01)


def test_a_temperature_divides_the_logits():
    scores = sigmoid(np.array([-3, -1, 0, 2, 4]))
    np.testing.assert_allclose(
        apply_temperature(scores, 2), sigmoid(np.array([-1.5, -0.5, 0, 1, 2])), rtol=1e-6
    )
    assert apply_temperature(scores, 2).dtype == np.float32


def test_a_temperature_of_1_changes_no_score():
    scores = np.array([0, 1e-30, 0.3, 1 - 2**-24, 1], np.float32)
    np.testing.assert_array_equal(apply_temperature(scores, 1.0), scores)


def test_scores_of_0_and_1_remain_valid_scores():
    for temperature in (LOWEST, 3.0, HIGHEST):
        applied = apply_temperature(np.array([0, 1], np.float32), temperature)
        assert np.isfinite(applied).all()
        assert 0 <= applied[0] < 0.5 < applied[1] <= 1


def test_a_read_temperature_equals_the_written_one(tmp_path: Path):
    write_calibration(tmp_path / "calibration.json", "temperature", 1.234567)
    assert read_temperature(tmp_path / "calibration.json") == 1.234567
    assert json.loads((tmp_path / "calibration.json").read_text())["method"] == "temperature"


@pytest.mark.parametrize(
    ("content", "received"),
    [
        ("[]", "None"),
        ("{}", "None"),
        ('{"temperature": "1.5"}', "'1.5'"),
        ('{"temperature": true}', "True"),
        ('{"temperature": 0}', "0.0"),
        ('{"temperature": -2.5}', "-2.5"),
        ('{"temperature": Infinity}', "inf"),
        ('{"temperature": NaN}', "nan"),
    ],
)
def test_a_temperature_that_is_not_a_positive_number_is_an_error(tmp_path: Path, content: str, received: str):
    (tmp_path / "calibration.json").write_text(content)
    with pytest.raises(MoodringError, match=rf"positive number, received: {received}\. Run `dvc repro`"):
        read_temperature(tmp_path / "calibration.json")
