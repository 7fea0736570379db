"""Fitting recovers a known temperature; applying a temperature divides the logits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import log_loss

from moodring.errors import MoodringError
from moodring.evaluation.calibration import (
    HIGHEST,
    LOWEST,
    Calibration,
    apply_temperature,
    calibrate,
    fit_temperature,
    read_calibration,
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
    write_calibration(
        tmp_path / "calibration.json", Calibration("temperature", 1.234567, 1.234567, 0.52, 0.51)
    )
    assert read_temperature(tmp_path / "calibration.json") == 1.234567
    assert json.loads((tmp_path / "calibration.json").read_text()) == {
        "method": "temperature",
        "temperature": 1.234567,
        "fitted": 1.234567,
        "log_loss_before": 0.52,
        "log_loss_after": 0.51,
        "applied": True,
    }
    assert read_calibration(tmp_path / "calibration.json").temperature == 1.234567
    assert read_calibration(tmp_path / "calibration.json").log_loss_after == 0.51


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


# A temperature is applied only where it helps on texts that it was not fitted to.


@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_a_temperature_that_lowers_the_log_loss_out_of_fold_is_applied_as_it_was_fitted(factor: float):
    labels, logits = random_labels(1000)
    scores = sigmoid(factor * logits)
    found = calibrate("temperature", labels, scores)
    assert found.temperature == found.fitted == fit_temperature(labels, scores)
    assert found.applied
    assert found.log_loss_before is not None
    assert found.log_loss_after is not None
    assert found.log_loss_after < found.log_loss_before
    for part in (f"rescaled by temperature {found.temperature:.3f}", f"{found.log_loss_after:.3f}"):
        assert part in found.describe()


@pytest.mark.parametrize("seed", range(40))
def test_a_temperature_is_applied_exactly_where_the_log_loss_out_of_fold_falls(seed: int):
    # 48 texts and scores that are nearly calibrated: sometimes a temperature helps, sometimes not.
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, 48)
    labels = (rng.uniform(size=48) < 1 / (1 + np.exp(-logits))).astype(np.int8)
    scores = sigmoid(logits)
    found = calibrate("temperature", labels, scores)
    assert found == calibrate("temperature", labels, scores)
    assert found.log_loss_before == pytest.approx(log_loss(labels, scores, labels=[0, 1]), abs=1e-5)
    assert found.log_loss_before is not None
    assert found.log_loss_after is not None
    assert found.applied == (found.log_loss_after < found.log_loss_before)
    assert found.temperature == (found.fitted if found.applied else 1.0)
    assert ("not rescaled" in found.describe()) != found.applied


def test_some_small_splits_get_no_temperature_although_a_fit_lowers_their_own_log_loss():
    applied = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        logits = rng.normal(0, 1.5, 48)
        labels = (rng.uniform(size=48) < 1 / (1 + np.exp(-logits))).astype(np.int8)
        applied.append(calibrate("temperature", labels, sigmoid(logits)).applied)
    assert 5 < sum(applied) < 35


FIVE = np.array([0, 1] * 5, np.int8)


@pytest.mark.parametrize(
    ("labels", "scores", "reason"),
    [
        pytest.param(FIVE, np.where(FIVE == 1, 0.6, 0.4), "at the bound of the search", id="all right"),
        pytest.param(FIVE, np.where(FIVE == 1, 0.4, 0.6), "at the bound of the search", id="all wrong"),
        pytest.param(FIVE, np.where(FIVE == 1, 1.0, 0.0), "", id="all right with scores 0 and 1"),
        pytest.param(FIVE, np.full(10, 0.5), "", id="constant"),
        pytest.param(FIVE, np.full(10, 0.9), "at the bound of the search", id="constant and confident"),
        pytest.param(FIVE[:9], np.linspace(0.1, 0.9, 9), "fewer than 5 texts of a class", id="four positive"),
        pytest.param(np.zeros(80, np.int8), np.linspace(0.1, 0.9, 80), "fewer than 5", id="one class"),
    ],
)
def test_texts_that_determine_no_temperature_leave_the_scores_unchanged(
    labels: np.ndarray, scores: np.ndarray, reason: str
):
    found = calibrate("temperature", labels, scores.astype(np.float32))
    assert found.temperature == 1.0
    assert not found.applied
    assert found.describe().startswith("The scores are not rescaled: ")
    assert reason in found.describe()


def test_no_calibration_is_written_without_values_that_do_not_exist(tmp_path: Path):
    found = calibrate("none", FIVE, np.linspace(0.1, 0.9, 10).astype(np.float32))
    write_calibration(tmp_path / "calibration.json", found)
    content = json.loads((tmp_path / "calibration.json").read_text())
    assert content == {"method": "none", "temperature": 1.0, "applied": False}
    assert found.describe() == "The scores are not rescaled: evaluate.calibration is none."
