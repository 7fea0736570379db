"""A result as compared: its figures, curves and scores, read from its files. What is missing is None."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from moodring.collecting.parts import HISTORY, Read, curves_in, numbers, scored_in, slices_in, table_in
from moodring.collecting.records import Files, Record
from moodring.evaluation.evaluate import Scored
from moodring.evaluation.metrics import Labels, Scores, wilson
from moodring.params.base import flatten

THRESHOLD, BINS = 0.5, 10  # where a result does not say them


@dataclass(frozen=True)
class Result:
    """A result; each has one row.

    Args:
        names: of the experiments, revisions and runs that have this result; at least one.
        identity: equal results have equal ones; see `Record.identity`.
        params: the parameters that it depends on, by their dotted names in params.yaml.
        test: the finite numbers of metrics/test.json.
        train: the finite numbers of metrics/train.json.
        raw: the MD5 of the table with its raw texts.
        scored: labels and calibrated scores of its test texts.
        baseline_scores: the baseline's scores of the same texts.
        curves: the data of the plots `CURVES`, by name.
        history: a row an epoch, with the columns `HISTORY`.
        slices: a row a group, with the columns `SLICES` and perhaps more.
        record: what DVC recorded; None for a run whose result is not here.
        when: the start of its training, or the time of its commit.
        minutes: duration of its training.
        here: it is the working directory's.
        texts: what identifies its test texts; None: unknown.
    """

    names: tuple[str, ...]
    identity: str
    params: Mapping[str, Any]
    test: Mapping[str, float]
    train: Mapping[str, float]
    raw: str | None = None
    scored: Scored | None = None
    baseline_scores: Scores | None = None
    curves: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    history: pd.DataFrame | None = None
    slices: pd.DataFrame | None = None
    record: Record | None = None
    when: datetime | None = None
    minutes: float | None = None
    here: bool = False
    texts: str | None = None

    @property
    def name(self) -> str:
        """The first of its names."""
        return self.names[0]

    @property
    def dataset(self) -> str:
        """The dataset's name."""
        return str(self.params.get("dataset", "?"))

    @property
    def arch(self) -> str:
        """The architecture's name."""
        return str(self.params.get("arch", "?"))

    @property
    def baseline(self) -> str:
        """The baseline's name."""
        return str(self.params.get("baseline", "baseline"))

    @property
    def validation(self) -> float | None:
        """Validation accuracy at the kept epoch. It decides the order."""
        return self.train.get("best_val_accuracy")

    @property
    def accuracy(self) -> float | None:
        """Test accuracy."""
        return self.test.get("accuracy")

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the test accuracy (Wilson 1927)."""
        if {"accuracy_low", "accuracy_high"} <= set(self.test):
            return self.test["accuracy_low"], self.test["accuracy_high"]
        if self.accuracy is None or self.test.get("rows", 0) < 1:
            return None
        rows = int(self.test["rows"])
        return wilson(round(self.accuracy * rows), rows)

    @property
    def scores(self) -> Scores:
        """The calibrated scores of its test texts; shape (texts,), none if they are missing."""
        return np.zeros(0, np.float32) if self.scored is None else self.scored.scores

    @property
    def labels(self) -> Labels:
        """The labels of its test texts; shape (texts,), none if they are missing."""
        return np.zeros(0, np.int8) if self.scored is None else self.scored.labels

    @property
    def right(self) -> NDArray[np.bool_] | None:
        """True where it is right; shape (texts,)."""
        return None if self.scored is None else self._right(self.scores)

    @property
    def baseline_right(self) -> NDArray[np.bool_] | None:
        """True where its baseline is right; shape (texts,)."""
        return None if self.baseline_scores is None else self._right(self.baseline_scores)

    def _right(self, scores: Scores) -> NDArray[np.bool_]:
        right: NDArray[np.bool_] = (scores >= self.params.get("evaluate.threshold", THRESHOLD)) == self.labels
        return right


def read_recorded(record: Record, files: Files) -> Result:
    """Read a recorded result."""

    def read(path: str) -> bytes | None:
        return files.read(record, path)

    params = dict(flatten(record.params))
    scored = scored_in(read("data/scores.parquet"))
    baseline = scored_in(read("data/baseline.parquet"))
    same = scored is not None and baseline is not None and np.array_equal(scored.labels, baseline.labels)
    return Result(
        names=(record.name,),
        identity=str(record.identity),
        params=params,
        test=numbers(read("metrics/test.json")),
        train=numbers(read("metrics/train.json")),
        raw=record.md5s.get("data/raw.parquet"),
        scored=scored,
        baseline_scores=baseline.scores if same and baseline is not None else None,
        curves=curves_in(scored, int(params.get("evaluate.bins", BINS)), read),
        history=table_in(read("metrics/history.csv"), HISTORY),
        slices=slices_in(read("metrics/slices.json")),
        record=record,
        when=record.when,
    )


def read_logged(
    name: str,
    identity: str,
    params: Mapping[str, Any],
    train: Mapping[str, float],
    history: pd.DataFrame | None,
    read: Read,
) -> Result:
    """Read a result of which only its MLflow run is here; it has no scores.

    Args:
        name: the run's.
        identity: the run's id.
        params: the run's, with dataset, arch and baseline.
        train: best_val_accuracy and weights, as far as they are known.
        history: a row an epoch.
        read: gives the content of the run's artifact by its path.
    """
    return Result(
        names=(name,),
        identity=identity,
        params=params,
        test=numbers(read("metrics/test.json")),
        train=train,
        curves=curves_in(None, BINS, read),
        history=history,
        slices=slices_in(read("metrics/slices.json")),
    )
