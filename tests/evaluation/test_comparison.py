"""The paired comparison of two models, with values computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from moodring.evaluation.comparison import compare, describe


def compared(both: int, won: int, lost: int, neither: int) -> dict[str, float]:
    """Compare on texts that both models, only the model, only the baseline, or neither labels correctly."""
    model = [1] * both + [1] * won + [0] * lost + [0] * neither
    rival = [1] * both + [0] * won + [1] * lost + [0] * neither
    labels = np.arange(len(model), dtype=np.int8) % 2
    scores, baseline = (
        np.where(np.array(each) == 1, labels, 1 - labels).astype(np.float32) for each in (model, rival)
    )
    return compare(labels, scores, baseline, 0.5)


def test_the_gain_is_the_difference_of_the_accuracies():
    found = compared(both=60, won=20, lost=5, neither=15)
    assert found["baseline_accuracy"] == 0.65
    assert found["gain"] == 0.15


def test_the_interval_is_that_of_agresti_and_min():
    found = compared(both=60, won=20, lost=5, neither=15)
    # Each of the four cells gets half a text: 20.5 and 5.5 of 102.
    middle = 15 / 102
    reach = 1.959964 * math.sqrt(26 / 102 - middle**2) / math.sqrt(102)
    assert found["gain_low"] == pytest.approx(middle - reach, abs=1e-6)
    assert found["gain_high"] == pytest.approx(middle + reach, abs=1e-6)


@pytest.mark.parametrize(
    ("won", "lost", "p"),
    [(5, 0, 2 / 32), (0, 5, 2 / 32), (4, 1, 2 * 6 / 32), (3, 3, 1), (0, 0, 1)],
)
def test_p_is_that_of_the_exact_binomial_test_of_the_different_texts(won: int, lost: int, p: float):
    assert compared(10, won, lost, 10)["mcnemar_p"] == pytest.approx(p, abs=1e-6)


def test_a_model_has_no_gain_over_itself():
    found = compared(both=10, won=0, lost=0, neither=10)
    assert (found["gain"], found["mcnemar_p"]) == (0, 1)
    assert found["gain_low"] == -found["gain_high"] < 0


def test_swapping_the_two_models_changes_only_the_sign():
    one, other = compared(9, 7, 2, 3), compared(9, 2, 7, 3)
    assert one["gain"] == -other["gain"]
    assert (one["gain_low"], one["gain_high"]) == (-other["gain_high"], -other["gain_low"])
    assert one["mcnemar_p"] == other["mcnemar_p"]


def test_the_interval_of_one_text_is_between_minus_1_and_1():
    found = compared(both=0, won=1, lost=0, neither=0)
    assert -1 <= found["gain_low"] < found["gain_high"] <= 1


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((700, 60, 20, 220), "4.0 points above nbsvm (2.2 to 5.7, p < 0.001)"),
        ((700, 20, 60, 220), "4.0 points below nbsvm (2.2 to 5.7, p < 0.001)"),
        ((700, 40, 20, 240), "2.0 points above nbsvm (0.5 to 3.5, p = 0.013)"),
        ((700, 40, 38, 222), "not shown to differ from nbsvm (+0.2 points, -1.5 to 1.9, p = 0.91)"),
    ],
)
def test_describe_gives_the_comparison_in_words(counts: tuple[int, int, int, int], expected: str):
    assert describe(compared(*counts), "nbsvm") == expected
