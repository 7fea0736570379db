"""The verdict on a result, which the terminal shows."""

from __future__ import annotations

from pathlib import Path

from moodring.evaluation.calibration import Calibration
from moodring.evaluation.verdict import closing_lines, notes_on, verdict
from moodring.params.pipeline import Params

METRICS = {
    "accuracy": 0.762685,
    "rows": 2562,
    "gain": -0.022248,
    "gain_low": -0.037685,
    "gain_high": -0.006777,
    "mcnemar_p": 0.005557,
}


def test_the_verdict_names_the_accuracy_and_the_baseline(params: Params) -> None:
    chosen = params.model_copy(update={"dataset": "twitter", "arch": "gru", "baseline": "nbsvm"})
    assert verdict(chosen, METRICS) == (
        "twitter, gru: 76.3% of 2,562 test texts are correct, "
        "2.2 points below nbsvm (0.7 to 3.8, p = 0.0056)."
    )


def test_the_baseline_is_not_compared_with_itself(params: Params) -> None:
    chosen = params.model_copy(update={"dataset": "imdb", "arch": "nbsvm", "baseline": "nbsvm"})
    same = {**METRICS, "gain": 0.0, "gain_low": 0.0, "gain_high": 0.0, "mcnemar_p": 1.0}
    assert verdict(chosen, same) == "imdb, nbsvm: 76.3% of 2,562 test texts are correct, the baseline."


def test_the_closing_lines_name_the_report_and_the_next_commands(params: Params) -> None:
    lines = closing_lines(params, METRICS, Path("report")).splitlines()
    assert len(lines) == 3
    assert lines[1] == "Report: report/index.html"
    for command in ("moodring compare", "make ui", "moodring predict"):
        assert command in lines[2]
    assert len(lines[2]) <= 100


def test_small_splits_and_the_calibration_are_named_after_the_verdict(params: Params) -> None:
    notes = notes_on(Calibration("temperature", 1.0, 0.25), {"train": 9, "validation": 48, "test": 60})
    lines = closing_lines(params, METRICS, Path("report"), notes).splitlines()
    assert lines[1:4] == [
        "The validation split has 48 texts: the 95 % interval of an accuracy of 80 % is 67 to 89 %.",
        "The test split has 60 texts: the 95 % interval of an accuracy of 80 % is 68 to 88 %.",
        "The scores are not rescaled: the fitted temperature 0.25 is at the bound of the search.",
    ]
    assert len(lines) == 6
    large = {"train": 9, "validation": 2500, "test": 25_000}
    (only,) = notes_on(Calibration("temperature", 1.382196, 1.382196, 0.475112, 0.464947), large)
    assert only == (
        "The scores are rescaled by temperature 1.382: log loss out of fold 0.465 instead of 0.475."
    )
    assert all(len(line) <= 100 for line in [*lines[1:], only])
