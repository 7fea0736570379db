"""MLflow: one run a pipeline result. With `pyfunc_model.py`, the only module that knows MLflow.

A result is known by the digest of its model directory. Training tags its run with it; evaluation finds
the run by it, or makes one from the files where the store has none (a fresh clone, another store).
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import json
import logging
import os
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

# Read when mlflow is imported.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")  # MLflow's own 7 take minutes

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunStatus, RunTag
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from moodring.errors import MoodringError
from moodring.files import tree_sha256
from moodring.params import Params
from moodring.project import checkout_root
from moodring.results import Result

if TYPE_CHECKING:
    import pandas as pd

STORE = "mlflow.db"
ARTIFACTS = "mlartifacts"
RESULT_TAG = "result_sha256"
BUNDLE_TAG = "bundle_sha256"
MAX_RUNS = 5000
PACKAGE = Path(__file__).parent
REQUIREMENTS = (
    "keras",
    "mlflow",
    "nltk",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "ruamel.yaml",
    "tensorflow",
)


def store_uri() -> str:
    """Where runs go: `MLFLOW_TRACKING_URI`, else the SQLite store in the checkout's root.

    A relative SQLite path is taken from that root too, whatever the working directory is.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI", "").strip() or f"sqlite:///{STORE}"
    scheme, found, place = uri.partition("sqlite:///")
    if found and not scheme and place and not place.startswith("/"):
        return f"sqlite:///{checkout_root() / place}"
    return uri


def artifact_root() -> str:
    """The checkout's folder of artifacts, as an address."""
    return (checkout_root() / ARTIFACTS).as_uri()


@contextlib.contextmanager
def _store() -> Iterator[str]:
    """Point MLflow at the store; what goes wrong with it inside the block is the user's to mend."""
    uri = store_uri()
    for name in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(name).setLevel(logging.WARNING)
    mlflow.set_tracking_uri(uri)
    try:
        yield uri
    except (MlflowException, SQLAlchemyError, sqlite3.Error, ImportError, OSError) as error:
        raise MoodringError(
            f"cannot open the MLflow store {uri}: {str(error).rstrip('. ')}. "
            "Mend it, or mend or unset MLFLOW_TRACKING_URI."
        ) from error


class Experiment:
    """A dataset's MLflow experiment, opened, and created where it is missing.

    Raises:
        MoodringError: the store cannot be opened.
    """

    def __init__(self, dataset: str) -> None:
        self.dataset = dataset
        with _store() as uri, _lock(uri):
            self.client = mlflow.MlflowClient()
            self.id = self._find_or_create(uri)

    def _find_or_create(self, uri: str) -> str:
        if (found := self.client.get_experiment_by_name(self.dataset)) is not None:
            if found.lifecycle_stage != "active":
                raise MoodringError(
                    f"the MLflow experiment {self.dataset!r} is deleted in {uri}; restore it: "
                    f"mlflow experiments restore --experiment-id {found.experiment_id}"
                )
            return str(found.experiment_id)
        # MLflow's own default place is relative to the working directory, which DVC may delete.
        place = f"{artifact_root()}/{self.dataset}" if uri.startswith("sqlite:") else None
        # So that the UI opens on training runs, not on traces.
        kind = {"mlflow.experimentKind": "custom_model_development"}
        return str(self.client.create_experiment(self.dataset, artifact_location=place, tags=kind))

    def find(self, digest: str, params: Params, data_sha256: str) -> Run | None:
        """The oldest finished run of a result with these parameters and data, if the store has one.

        Other parameters of an earlier stage, or other test texts, may end in the same model; they are
        another run's.
        """
        runs = self.client.search_runs(
            [self.id],
            f"tags.{RESULT_TAG} = '{digest}' and tags.data_sha256 = '{data_sha256}' "
            "and attributes.status = 'FINISHED'",
            order_by=["attributes.start_time ASC"],
        )
        wanted = _logged(params)
        return next((run for run in runs if run.data.params == wanted), None)


@dataclass(frozen=True)
class Recorded:
    """The run of a result; `restored` says that it was just rebuilt from the result's files."""

    run_id: str
    restored: bool


class TrainingRun:
    """A run that is under way: made with its parameters, its data and the tags that lead back."""

    def __init__(
        self, experiment: Experiment, params: Params, data_sha256: str, tags: dict[str, str] | None = None
    ) -> None:
        self._experiment = experiment
        self._client = experiment.client
        self._params = params
        self._data_sha256 = data_sha256
        self.finished = False
        leading = {**_origin(), "dataset": params.dataset, "arch": params.arch, "data_sha256": data_sha256}
        name = os.environ.get("DVC_EXP_NAME") or params.arch
        run = self._client.create_run(experiment.id, tags={**leading, **(tags or {})}, run_name=name)
        self.run_id = str(run.info.run_id)
        logged = [Param(key, value) for key, value in _logged(params).items()]
        self._client.log_batch(self.run_id, params=logged)
        source = json.dumps({"path": "data/corpus", "sha256": data_sha256})
        data = Dataset(params.dataset, data_sha256[:32], "dvc", source)
        used = DatasetInput(data, [InputTag("mlflow.data.context", "training")])
        self._client.log_inputs(self.run_id, [used])

    def log_epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """Log an epoch's metrics at its number."""
        now = _now()
        logged = [Metric(name, value, now, epoch) for name, value in metrics.items()]
        self._client.log_batch(self.run_id, metrics=logged)

    def fail(self) -> None:
        """End the run as FAILED."""
        self._client.set_terminated(self.run_id, RunStatus.to_string(RunStatus.FAILED))

    def finish(self, result: Result) -> str:
        """End the run as that of `result` and return the id of the result's run.

        Where an earlier run already holds this very result, this run is deleted and that one's id
        returned: a result has one run.
        """
        if (earlier := self._experiment.find(result.digest, self._params, self._data_sha256)) is not None:
            self._client.delete_run(self.run_id)
        else:
            for name, value in result.summary.items():
                self._client.log_metric(self.run_id, name, float(value))
            self._client.set_tag(self.run_id, "model_sha256", result.model_sha256)
            self._client.set_tag(self.run_id, RESULT_TAG, result.digest)
            self._client.set_terminated(self.run_id, RunStatus.to_string(RunStatus.FINISHED))
        self.finished = True
        return str(earlier.info.run_id) if earlier else self.run_id


@contextlib.contextmanager
def training_run(params: Params, data_sha256: str) -> Iterator[TrainingRun]:
    """Open a run for a training; it ends FAILED unless `finish` was called.

    Raises:
        MoodringError: the store cannot be opened.
    """
    with _failing_unless_finished(TrainingRun(Experiment(params.dataset), params, data_sha256)) as run:
        yield run


@contextlib.contextmanager
def _failing_unless_finished(run: TrainingRun) -> Iterator[TrainingRun]:
    try:
        yield run
    finally:
        if not run.finished:
            run.fail()


def record_evaluation(
    params: Params,
    data_sha256: str,
    result: Result,
    metrics: dict[str, float | int],
    files: list[Path],
    write_bundle: Callable[[Path], None],
) -> Recorded:
    """Put test metrics, files and the served model into the result's run.

    The run is the one that training made, or one rebuilt from the result's files and tagged `restored`.
    Doing it again changes nothing but what changed: the model is logged and registered again only where
    its bundle differs, as by another threshold.

    Args:
        params: the parameters; those of evaluation alone become tags, since a run's may be set anew.
        data_sha256: of the corpus.
        result: what was evaluated.
        metrics: of the test split, flat; logged with the prefix `test_`.
        files: files and directories that are logged under `metrics`.
        write_bundle: writes into a directory all that scoring raw text needs.

    Raises:
        MoodringError: the store cannot be opened.
    """
    experiment = Experiment(params.dataset)
    client = experiment.client
    found = experiment.find(result.digest, params, data_sha256)
    restored = found is None
    if found is None:
        rebuilt = TrainingRun(experiment, params, data_sha256, {"restored": "true"})
        with _failing_unless_finished(rebuilt):
            for row in result.history.to_dict("records"):
                epoch = int(row.pop("epoch"))
                rebuilt.log_epoch(epoch, {str(name): float(value) for name, value in row.items()})
            rebuilt.finish(result)
        found = client.get_run(rebuilt.run_id)
    run_id, now = str(found.info.run_id), _now()
    values = {f"test_{name}": float(value) for name, value in metrics.items()}
    changed = [
        Metric(name, value, now, 0) for name, value in values.items() if found.data.metrics.get(name) != value
    ]
    tags = [RunTag(name, str(value)) for name, value in params.of_evaluation().items()]
    client.log_batch(run_id, metrics=changed, tags=tags)
    for path in files:
        if path.is_dir():
            client.log_artifacts(run_id, str(path), f"metrics/{path.name}")
        else:
            client.log_artifact(run_id, str(path), "metrics")
    with tempfile.TemporaryDirectory(prefix="moodring-") as room:
        write_bundle(bundle := Path(room) / "bundle")
        if found.data.tags.get(BUNDLE_TAG) != (digest := tree_sha256(bundle)):
            _log_model(client, found, bundle, f"moodring-{params.dataset}")
            client.set_tag(run_id, BUNDLE_TAG, digest)
    return Recorded(run_id, restored)


def list_runs() -> list[dict[str, Any]]:
    """Every run of the store's active experiments that Moodring made, newest first.

    Each has: experiment (DVC's name or None), commit, dirty, dataset, arch, status, test_accuracy,
    run_id, model_version, restored.

    Raises:
        MoodringError: the store cannot be opened.
    """
    with _store() as uri, _lock(uri):
        client = mlflow.MlflowClient()
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        runs = client.search_runs(experiments, "tags.data_sha256 != ''", max_results=MAX_RUNS)
        versions = {version.run_id: int(version.version) for version in client.search_model_versions()}
    return [
        {
            "experiment": run.data.tags.get("dvc_experiment"),
            "commit": run.data.tags.get("git_commit"),
            "dirty": run.data.tags.get("git_dirty") == "true",
            "dataset": run.data.tags.get("dataset"),
            "arch": run.data.tags.get("arch"),
            "status": run.info.status,
            "test_accuracy": run.data.metrics.get("test_accuracy"),
            "run_id": run.info.run_id,
            "model_version": versions.get(run.info.run_id),
            "restored": run.data.tags.get("restored") == "true",
        }
        for run in runs
    ]


def load_model(address: str) -> Callable[[list[str]], pd.DataFrame]:
    """The `predict` of a logged model, by its MLflow address or directory.

    Raises:
        MoodringError: there is no such model, or its files are gone.
    """
    with _store() as uri:
        try:
            model = mlflow.pyfunc.load_model(address)
        except (MlflowException, OSError) as error:
            raise MoodringError(
                f"cannot load the model {address!r} with the MLflow store {uri}: {str(error).rstrip('. ')}. "
                "Name one of `moodring runs`, as models:/moodring-DATASET/VERSION."
            ) from error
    return cast("Callable[[list[str]], pd.DataFrame]", model.predict)


def _log_model(client: mlflow.MlflowClient, run: Run, bundle: Path, registered_name: str) -> None:
    # MLflow has no hint for a table and says so; the file's own docstring says what comes back.
    logging.getLogger("mlflow.models.signature").setLevel(logging.WARNING)
    try:
        with mlflow.start_run(run_id=run.info.run_id):
            mlflow.pyfunc.log_model(
                name="model",
                python_model=str(PACKAGE / "pyfunc_model.py"),
                artifacts={"bundle": str(bundle)},
                code_paths=[str(PACKAGE)],
                pip_requirements=[f"{name}=={importlib.metadata.version(name)}" for name in REQUIREMENTS],
                registered_model_name=registered_name,
            )
    finally:
        # start_run opened the finished run again: whatever happened here, its training ended well, then.
        client.set_terminated(run.info.run_id, RunStatus.to_string(RunStatus.FINISHED), run.info.end_time)


def _logged(params: Params) -> dict[str, str]:
    return {name: str(value) for name, value in params.of_model().items()}


def _origin() -> dict[str, str]:
    """Tags that lead from a run back to git and DVC."""
    tags = {"mlflow.source.name": "dvc repro", "mlflow.source.type": "LOCAL"}
    if (commit := _git("rev-parse", "HEAD")) is not None:
        tags |= {"mlflow.source.git.commit": commit, "git_commit": commit}
        tags["git_dirty"] = str(bool(_git("status", "--porcelain", "--untracked-files=no"))).lower()
    for tag, variable in (("dvc_experiment", "DVC_EXP_NAME"), ("dvc_baseline", "DVC_EXP_BASELINE_REV")):
        if value := os.environ.get(variable):
            tags[tag] = value
    return tags


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@contextlib.contextmanager
def _lock(uri: str) -> Iterator[None]:
    """One process at a time opens a local store: two that create it at once break it."""
    place = uri.removeprefix("sqlite:///")
    if place == uri:
        yield
        return
    path = Path(f"{place}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        # MLflow would try a file that is no database for minutes.
        with contextlib.closing(sqlite3.connect(place)) as store:
            store.execute("PRAGMA schema_version")
        yield


def _now() -> int:
    return time.time_ns() // 1_000_000
