"""The MLflow runs of results: when and how long each was trained, and the results that only a run has."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from moodring.collecting.parts import HISTORY
from moodring.collecting.records import Files, Record, md5_of
from moodring.collecting.results import Result, read_logged, read_recorded
from moodring.errors import MoodringError
from moodring.tracking.addresses import store_is_missing
from moodring.tracking.listing import download_artifacts, list_runs, run_history, run_params, runs_named
from moodring.tracking.store import MODELS_MD5, StoreError

METRICS = "metrics"
OF_TRAINING = {"loss": ("loss", "train_loss"), "accuracy": ("accuracy", "train_accuracy")}


class Runs:
    """The runs of the store, the newest first; none of a store that cannot be read: `problem` says why."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self.runs: list[dict[str, Any]] = []
        if store_is_missing():
            self.problem = "There is no MLflow store, so the minutes are unknown."
            return
        try:
            self.runs = list_runs()
        except StoreError as error:
            self.problem = f"The minutes are unknown: {error}"

    def of(self, record: Record | None) -> list[dict[str, Any]]:
        """The finished runs of a recorded model, the oldest first."""
        md5 = None if record is None else record.md5s.get("models")
        found = [run for run in self.runs if md5 is not None and run[MODELS_MD5] == md5]
        return [run for run in reversed(found) if run["status"] == "FINISHED"]

    def named(self, name: str) -> list[dict[str, Any]]:
        """The runs that a name means which is no experiment or revision of this checkout."""
        return runs_named(name, self.runs)


def started(run: dict[str, Any]) -> datetime:
    """The start of a run."""
    return datetime.fromtimestamp(run["started"], UTC)


def result_of(run: dict[str, Any], known: list[Record], files: Files) -> Result:
    """The result of a run: from the files of this checkout, or else from the run's artifacts.

    Args:
        run: one of `Runs`.
        known: the records of this checkout.
        files: of this checkout.

    Raises:
        MoodringError: the run has no result.
        StoreError: the store cannot be read.
    """
    run_id, name = run["run_id"], f"{run['name']} {run['run_id'][:8]}"
    if run["status"] != "FINISHED" or run[MODELS_MD5] is None:
        raise MoodringError(f"the run {name} has no result: its status is {run['status']}")
    with tempfile.TemporaryDirectory() as directory:
        artifacts = download_artifacts(run_id, METRICS, Path(directory))

        def read(path: str) -> bytes | None:
            file = None if artifacts is None else artifacts / Path(path).relative_to(METRICS)
            return file.read_bytes() if file is not None and file.is_file() else None

        record = _record_of(run[MODELS_MD5], read("metrics/test.json"), known, files)
        if record is not None:
            return replace(read_recorded(record, files), names=(name,))
        figures = {"best_val_accuracy": run["validation_accuracy"], "weights": run["weights"]}
        train = {key: value for key, value in figures.items() if value is not None}
        logged = read_logged(name, run_id, run_params(run_id), train, _history(run_id), read)
        return replace(logged, when=started(run), minutes=run["minutes"])


def _record_of(models_md5: str, test: bytes | None, known: list[Record], files: Files) -> Record | None:
    """The record of a model; of several evaluations, the one that wrote these test metrics."""
    same = [record for record in known if record.md5s.get("models") == models_md5]
    for record in [*same, *files.ran_before(models_md5)]:
        if test is None or record.md5s.get("metrics/test.json") == md5_of(test):
            return record
    return None


def _history(run_id: str) -> pd.DataFrame | None:
    """A run's metrics by epoch; None: it has not all of them."""
    logged = run_history(run_id)
    names = {column: OF_TRAINING.get(column, (column,)) for column in HISTORY if column != "epoch"}
    columns = {
        column: next((logged[name] for name in known if name in logged), {})
        for column, known in names.items()
    }
    epochs = sorted(set.intersection(*(set(values) for values in columns.values())))
    table = pd.DataFrame({"epoch": epochs, **{name: [v[e] for e in epochs] for name, v in columns.items()}})
    return None if table.empty else table
