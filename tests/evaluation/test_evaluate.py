"""Metrics, with values computed by hand, and the tables for the plots."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from moodring.evaluation.calibration import LOWEST
from moodring.evaluation.curves import by_length, confusion, histogram, precision_recall, roc
from moodring.evaluation.evaluate import Evaluation, Scored, evaluate, most_confident_mistakes
from moodring.evaluation.metrics import calibration, calibration_error, flat_metrics
from moodring.evaluation.slices import LENGTH_GROUPS, quantile_codes
from moodring.params.evaluation import EvaluateParams
from tests.conftest import texts_with_lengths

PARAMS = EvaluateParams(threshold=0.5, bins=10, calibration="none", mistakes=20)


def arrays(labels: list[int], scores: list[float]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(labels, dtype=np.int8), np.array(scores, dtype=np.float32)


def random_scores(rows: int = 5000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores that correlate with them, and lengths with many equal values."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, rows).astype(np.int8)
    scores = np.clip(rng.normal(0.35 + 0.3 * labels, 0.25), 0, 1).astype(np.float32)
    return labels, scores, rng.poisson(12, rows)


def evaluated(
    labels: np.ndarray, scores: np.ndarray, lengths: np.ndarray, params: EvaluateParams = PARAMS
) -> Evaluation:
    """Evaluate with a baseline that labels every text positive. Calibrate on the same rows."""
    scored, baseline = Scored(labels, scores), np.full(len(labels), 0.75, np.float32)
    return evaluate(scored, scored, baseline, texts_with_lengths(lengths), params)


FOUR = arrays([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accuracy", 0.75),  # only 0.35 is wrong
        ("log_loss", -math.log(0.9 * 0.6 * 0.35 * 0.8) / 4),
        ("roc_auc", 3 / 4),  # of the four pairs only (0.4, 0.35) is in the wrong order
        ("average_precision", 1 / 2 * 1 + 1 / 2 * 2 / 3),
        ("f1", 2 / 3),  # precision 1, recall 1/2
        ("brier", (0.1**2 + 0.4**2 + 0.65**2 + 0.2**2) / 4),
        ("calibration_error", (0.1 + 0.4 + 0.65 + 0.2) / 4),  # each score is alone in its bin
        ("rows", 4),
    ],
)
def test_metrics_of_four_texts_equal_values_computed_by_hand(name: str, value: float):
    assert flat_metrics(*FOUR, PARAMS)[name] == pytest.approx(value, abs=1e-6)


def test_metrics_of_many_texts_equal_those_of_scikit_learn():
    labels, scores, _ = random_scores()
    exact, predicted = scores.astype(float), scores >= 0.5
    expected = {
        "accuracy": reference.accuracy_score(labels, predicted),
        "log_loss": reference.log_loss(labels, exact),
        "roc_auc": reference.roc_auc_score(labels, exact),
        "average_precision": reference.average_precision_score(labels, exact),
        "f1": reference.f1_score(labels, predicted),
        "brier": np.mean((exact - labels) ** 2),
    }
    found = flat_metrics(labels, scores, PARAMS)
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_metric_names_are_fixed():
    assert list(flat_metrics(*FOUR, PARAMS)) == [
        "accuracy",
        "accuracy_low",
        "accuracy_high",
        "log_loss",
        "roc_auc",
        "average_precision",
        "f1",
        "brier",
        "calibration_error",
        "rows",
    ]


@pytest.mark.parametrize(
    ("correct", "rows", "low", "high"),
    # Wilson's interval in closed form, z = 1.959964.
    [(8, 10, 0.490162, 0.943318), (1, 2, 0.094531, 0.905469), (10, 10, 0.722467, 1.0)],
)
def test_accuracy_has_wilsons_interval(correct: int, rows: int, low: float, high: float):
    labels = [i % 2 for i in range(rows)]
    scores = [float(label if i < correct else 1 - label) for i, label in enumerate(labels)]
    found = flat_metrics(*arrays(labels, scores), PARAMS)
    assert found["accuracy"] == correct / rows
    assert (found["accuracy_low"], found["accuracy_high"]) == pytest.approx((low, high), abs=2e-6)


def test_f1_without_a_predicted_positive_is_0():
    assert flat_metrics(*arrays([0, 1], [0.1, 0.2]), PARAMS)["f1"] == 0


def test_scores_of_exactly_0_and_1_give_finite_metrics():
    labels, scores = arrays([0, 0, 1, 1], [0, 1, 0, 1])
    found = evaluated(labels, scores, np.array([1, 2, 3, 4]))
    assert all(math.isfinite(value) for value in found.metrics.values())
    assert found.metrics["log_loss"] > 10
    for table in found.tables.values():
        assert np.isfinite(table.select_dtypes("number").to_numpy()).all()


@pytest.mark.parametrize(
    ("labels", "scores", "error"),
    [
        ([0, 0, 0, 1, 0, 1, 1, 1], [0.25] * 4 + [0.75] * 4, 0),
        ([0, 1, 0, 1], [0.9] * 4, 0.4),
        ([0, 0, 0, 1, 1, 1] + [1] * 4, [0.2] * 6 + [0.9] * 4, (6 * 0.3 + 4 * 0.1) / 10),
        ([0, 1], [0.0, 1.0], 0),
        ([0, 1], [1.0, 0.0], 1),
    ],
    ids=["perfect", "overconfident", "two bins", "all correct", "all wrong"],
)
def test_calibration_error_is_the_mean_gap_of_all_rows(labels: list[int], scores: list[float], error: float):
    assert calibration_error(*arrays(labels, scores), bins=10) == pytest.approx(error, abs=1e-6)


def test_calibration_has_a_row_for_each_bin_with_texts():
    table = calibration(*arrays([0, 1, 1, 1], [0.11, 0.19, 0.5, 1.0]), bins=10)
    assert table.to_dict("list") == {
        "score": [0.15, 0.5, 1.0],
        "positive_share": [0.5, 1.0, 1.0],
        "rows": [2, 1, 1],
    }


def test_confusion_counts_every_pair_of_labels():
    counts = confusion(*arrays([0, 0, 0, 0, 1, 1, 1, 0, 0, 0], [0.9, *[0.1] * 6, 0.6, 0.7, 0.2]), 0.5)
    assert counts.to_numpy().tolist() == [
        ["negative", "negative", 4],
        ["negative", "positive", 3],
        ["positive", "negative", 3],
        ["positive", "positive", 0],
    ]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
def test_a_score_at_the_threshold_is_positive(threshold: float):
    labels, scores = arrays([0, 1], [threshold / 2, threshold])
    assert confusion(labels, scores, threshold)["rows"].tolist() == [1, 0, 0, 1]
    assert flat_metrics(labels, scores, PARAMS.model_copy(update={"threshold": threshold}))["accuracy"] == 1


def length_groups(labels: np.ndarray, scores: np.ndarray, lengths: np.ndarray) -> pd.DataFrame:
    return by_length(labels, scores, lengths, quantile_codes(lengths, LENGTH_GROUPS), 0.5)


def test_length_groups_contain_every_text_once():
    labels, scores, lengths = random_scores()
    groups = length_groups(labels, scores, lengths)
    assert len(groups) == LENGTH_GROUPS
    assert groups["rows"].sum() == 5000
    assert groups["shortest"].iloc[0] == lengths.min()
    assert groups["longest"].iloc[-1] == lengths.max()
    assert (groups["shortest"].to_numpy()[1:] > groups["longest"].to_numpy()[:-1]).all()
    for row in groups.itertuples():
        assert row.rows == ((lengths >= row.shortest) & (lengths <= row.longest)).sum()


def test_the_weighted_mean_of_the_group_accuracies_is_the_accuracy():
    labels, scores, lengths = random_scores()
    groups = length_groups(labels, scores, lengths)
    weighted = (groups["accuracy"] * groups["rows"]).sum() / groups["rows"].sum()
    assert weighted == pytest.approx(((scores >= 0.5) == labels).mean(), abs=1e-6)


@pytest.mark.parametrize("lengths", [[7, 7, 7, 7], [0, 0, 0, 9], [1, 2, 3, 4]])
def test_few_different_lengths_give_few_groups(lengths: list[int]):
    groups = length_groups(*FOUR, np.array(lengths))
    assert groups["rows"].sum() == 4
    assert len(groups) == len(set(lengths))


@pytest.mark.parametrize(
    ("curve", "first", "last"),
    [(roc, (0, 0), (1, 1)), (precision_recall, (0, 1), (1, pytest.approx(0.5, abs=0.05)))],
)
def test_a_long_curve_has_fewer_points_and_the_same_end_points(curve, first, last):
    labels, scores, _ = random_scores()
    table = curve(labels, scores)
    assert 100 < len(table) <= 201
    assert tuple(table.iloc[0]) == first
    assert tuple(table.iloc[-1]) == last
    assert table.iloc[:, 0].is_monotonic_increasing


def test_a_short_curve_keeps_every_point():
    assert roc(*FOUR).to_numpy().tolist() == [[0, 0], [0, 0.5], [0.5, 0.5], [0.5, 1], [1, 1]]


def test_the_histogram_counts_the_scores_of_each_class():
    table = histogram(*arrays([0, 0, 1, 1], [0.0, 0.06, 0.06, 1.0]))
    assert table.groupby("label").size().to_dict() == {"negative": 20, "positive": 20}
    found = {(row.label, row.score): row.rows for row in table.itertuples() if row.rows}
    assert found == {
        ("negative", 0.025): 1,
        ("negative", 0.075): 1,
        ("positive", 0.075): 1,
        ("positive", 0.975): 1,
    }


def test_slices_can_be_written_as_json():
    labels, scores, lengths = random_scores()
    slices = evaluated(labels, scores, lengths).slices
    assert json.loads(json.dumps(slices, allow_nan=False)) == slices
    assert sum(slices["confusion"].values()) == sum(group["rows"] for group in slices["by_length"]) == 5000
    assert set(slices["confusion"]) == {
        f"{actual}_as_{predicted}"
        for actual in ("negative", "positive")
        for predicted in ("negative", "positive")
    }


CALIBRATED = PARAMS.model_copy(update={"calibration": "temperature"})


def test_scores_are_calibrated_before_they_are_evaluated():
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 1.5, 4000)
    labels = (rng.uniform(size=4000) < 1 / (1 + np.exp(-logits))).astype(np.int8)
    overconfident = (1 / (1 + np.exp(-3 * logits))).astype(np.float32)
    found = evaluated(labels, overconfident, np.ones(4000, np.int64), CALIBRATED)
    plain = evaluated(labels, overconfident, np.ones(4000, np.int64))
    assert found.metrics["temperature"] == pytest.approx(3, rel=0.1)
    assert found.metrics["calibration_error_before"] == plain.metrics["calibration_error"] > 0.1
    assert found.metrics["calibration_error"] < 0.03
    assert (
        found.metrics["calibration_error"] == flat_metrics(labels, found.scores, PARAMS)["calibration_error"]
    )
    assert found.metrics["log_loss"] < plain.metrics["log_loss"]
    assert found.metrics["accuracy"] == plain.metrics["accuracy"]
    pd.testing.assert_frame_equal(found.tables["calibration"], calibration(labels, found.scores, 10))


def test_the_temperature_is_fitted_on_the_validation_split():
    labels, scores, lengths = random_scores()
    # The validation split's scores are right in 9 of 10 texts, but not confident.
    right = np.arange(len(labels)) % 10 > 0
    held_out = Scored(labels, np.where(right == (labels == 1), 0.7, 0.3).astype(np.float32))
    found = evaluate(Scored(labels, scores), held_out, scores, texts_with_lengths(lengths), CALIBRATED)
    expected = math.log(0.7 / 0.3) / math.log(0.9 / 0.1)
    assert found.metrics["temperature"] == pytest.approx(expected, rel=1e-3)
    assert found.calibration.temperature == found.metrics["temperature"]
    assert found.metrics["calibration_error"] > found.metrics["calibration_error_before"]


def test_a_temperature_at_its_bound_is_not_applied():
    labels, scores, lengths = random_scores()
    held_out = Scored(labels, np.where(labels == 1, 0.6, 0.4).astype(np.float32))
    found = evaluate(Scored(labels, scores), held_out, scores, texts_with_lengths(lengths), CALIBRATED)
    assert found.metrics["temperature"] == 1
    assert found.calibration.fitted == pytest.approx(LOWEST, rel=0.01)
    np.testing.assert_array_equal(found.scores, scores)


def test_scores_without_calibration_do_not_change():
    labels, scores, lengths = random_scores()
    found = evaluated(labels, scores, lengths)
    np.testing.assert_array_equal(found.scores, scores)
    assert found.metrics["temperature"] == 1
    assert found.metrics["calibration_error"] == found.metrics["calibration_error_before"]


def test_the_baseline_is_evaluated_on_the_same_texts_and_slices():
    labels, scores, lengths = random_scores()
    found = evaluated(labels, scores, lengths)
    assert found.metrics["baseline_accuracy"] == pytest.approx(labels.mean(), abs=1e-6)
    assert found.metrics["gain"] == pytest.approx(found.metrics["accuracy"] - labels.mean(), abs=1e-6)
    for name, groups in found.tables["slices"].groupby("name"):
        shares = groups["rows"] / 5000
        assert shares.sum() == 1, name
        for column in ("accuracy", "baseline_accuracy"):
            assert (groups[column] * shares).sum() == pytest.approx(found.metrics[column], abs=1e-5)


MISTAKEN = arrays([0, 1, 0, 1, 0, 1], [0.875, 0.25, 0.625, 0.125, 0.2, 0.45])


def mistakes(count: int, threshold: float = 0.5) -> list[tuple[str, str, float, float]]:
    params = PARAMS.model_copy(update={"mistakes": count, "threshold": threshold})
    baseline = np.linspace(0, 1, 6, dtype=np.float32)
    table = most_confident_mistakes(*MISTAKEN, baseline, list("abcdef"), params)
    return list(table.itertuples(index=False, name=None))


def test_mistakes_have_the_largest_error_first_and_equal_errors_in_text_order():
    assert mistakes(3) == [
        ("a", "negative", 0.875, 0.0),
        ("d", "positive", 0.125, 0.6),
        ("b", "positive", 0.25, 0.2),
    ]


def test_only_wrong_labels_are_mistakes_at_any_threshold():
    assert [row[0] for row in mistakes(20)] == ["a", "d", "b", "c", "f"]
    assert [row[0] for row in mistakes(20, threshold=0.22)] == ["a", "d", "c"]
    assert mistakes(0) == []
