"""The verdict on a result in a sentence, and what to look at next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from moodring.evaluation.calibration import Calibration
from moodring.evaluation.comparison import describe
from moodring.io.splits import describe_small
from moodring.params.pipeline import Params

NEXT = 'Next: `moodring compare` compares results, `make ui` opens MLflow, `moodring predict "..."` scores.'


def verdict(params: Params, metrics: Mapping[str, float]) -> str:
    """One sentence: dataset, architecture, test accuracy, and the comparison with the baseline.

    Args:
        params: they give the names of dataset, architecture and baseline.
        metrics: the content of metrics/test.json.
    """
    correct = f"{metrics['accuracy']:.1%} of {metrics['rows']:,} test texts are correct"
    compared = "the baseline" if params.arch == params.baseline else describe(metrics, params.baseline)
    return f"{params.dataset}, {params.arch}: {correct}, {compared}."


def closing_lines(
    params: Params, metrics: Mapping[str, float], report: Path, notes: Sequence[str] = ()
) -> str:
    """The last lines of an evaluation, each of at most 100 columns if the names are short.

    Args:
        params: of the result.
        metrics: the content of metrics/test.json.
        report: the directory of the report.
        notes: sentences on how exact the result is; see `notes_on`.
    """
    return "\n".join([verdict(params, metrics), *notes, f"Report: {report / 'index.html'}", NEXT])


def notes_on(calibration: Calibration, rows: Mapping[str, int]) -> list[str]:
    """Sentences on how exact a result is: its small splits, and its calibration.

    Args:
        calibration: of the scores.
        rows: number of texts by split.
    """
    return [*describe_small(rows), calibration.describe()]
