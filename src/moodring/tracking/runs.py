"""A result's run: opened by training, completed by evaluation, found again or rebuilt from the files."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Literal

from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunStatus, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_LOGGED_ARTIFACTS

from moodring.attempts import Attempt, abandoned, claimed, is_left
from moodring.git import git
from moodring.params import Params
from moodring.results import Result
from moodring.tracking.store import RESULT_TAG, Experiment, StoreError, locked_store, logged, reaching

ATTEMPT_TAG = "attempt"
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
How = Literal["found", "completed", "restored"]


class ResultRun:
    """The run of a result in the making.

    Args:
        experiment: the dataset's.
        params: all that the result depends on is logged.
        data_sha256: of the corpus, and of given vectors.
        attempt: ties the run to what a killed process left; a run of its id is taken up again.
    """

    def __init__(self, experiment: Experiment, params: Params, data_sha256: str, attempt: Attempt) -> None:
        self._experiment = experiment
        self._client = experiment.client
        self._params = params
        self._data_sha256 = data_sha256
        self._out_of_reach = False
        self.attempt = attempt
        self.run_id: str | None = None
        self.taken_up = False
        self.ended = False

    def open(self, taken_up: dict[str, str], made: dict[str, str]) -> None:
        """Take the attempt's run up, or make one, with parameters, data and the tags that lead back.

        Args:
            taken_up: tags of a run that an earlier process left.
            made: tags of a new one.

        Raises:
            StoreError: the store cannot be written.
        """
        # Locked: two that log the same data at once break each other's writing.
        with _undisturbed(), reaching(), locked_store():
            if (left := self._left()) is not None:
                self.run_id, self.taken_up = str(left.info.run_id), True
                if left.info.status != "FINISHED":
                    # Whoever ends it is whom it leads back to: the same code, perhaps in another experiment.
                    self._client.update_run(self.run_id, status="RUNNING", name=self._name())
                    taken_up = {**_origin(), **taken_up}
                self._client.log_batch(self.run_id, tags=[RunTag(*tag) for tag in taken_up.items()])
            else:
                self.run_id = self._create(made)
            # Again for a run that was taken up: its process may have been killed right before.
            params = [Param(*pair) for pair in logged(self._params).items()]
            self._client.log_batch(self.run_id, params=params)
            self._log_data()

    def _log_data(self) -> None:
        source = json.dumps({"path": "data/corpus", "sha256": self._data_sha256})
        data = Dataset(self._params.dataset, self._data_sha256[:32], "dvc", source)
        used = DatasetInput(data, [InputTag("mlflow.data.context", "training")])
        try:
            self._client.log_inputs(self.run_id, [used])
        except MlflowException:
            # On a server another machine may have been faster; the data are there then.
            self._client.log_inputs(self.run_id, [used])

    def _left(self) -> Run | None:
        if not self.attempt.again:
            return None
        wanted = f"tags.{ATTEMPT_TAG} = '{self.attempt.id}'"
        return next(iter(self._client.search_runs([self._experiment.id], wanted)), None)

    def _create(self, tags: dict[str, str]) -> str:
        leading = {
            **_origin(),
            "dataset": self._params.dataset,
            "arch": self._params.arch,
            "data_sha256": self._data_sha256,
            ATTEMPT_TAG: self.attempt.id,
        }
        run = self._client.create_run(self._experiment.id, tags={**leading, **tags}, run_name=self._name())
        return str(run.info.run_id)

    def _name(self) -> str:
        return os.environ.get("DVC_EXP_NAME") or self._params.arch

    def log_epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """Log an epoch's metrics at its number; a store that is out of reach ends no training."""
        if self._out_of_reach:
            return
        now = _now()
        try:
            with _undisturbed(), reaching():
                batch = [Metric(name, value, now, epoch) for name, value in metrics.items()]
                self._client.log_batch(self.run_id, metrics=batch)
        except StoreError as error:
            self._out_of_reach = True
            warn(f"{error} Training goes on; what the store missed is sent at its end.")

    def fail(self) -> None:
        """End the run as FAILED; a later training of the same result takes it up."""
        if self.run_id is None or self.ended:
            return
        try:
            with _undisturbed(), reaching():
                self._client.set_terminated(self.run_id, RunStatus.to_string(RunStatus.FAILED))
        except StoreError as error:
            warn(f"{error} Its run {self.run_id} may be left RUNNING; `moodring sync` closes it.")

    def finish(self, result: Result) -> str:
        """End the run as that of `result` and return the id of the result's run.

        Epochs that the store missed are logged. Where an earlier run already holds this very result,
        this run is deleted and that one's id returned: a result has one run.

        Raises:
            StoreError: the store cannot be written.
        """
        try:
            with _undisturbed(), reaching(), locked_store():
                earlier = self._experiment.find(result.digest, self._params, self._data_sha256)
                if earlier is not None and earlier.info.run_id != self.run_id:
                    self._client.delete_run(self.run_id)
                    self.run_id = str(earlier.info.run_id)
                else:
                    self._complete(result)
        except StoreError:
            self.ended = True  # the result stands all the same
            raise
        self.ended = True
        assert self.run_id is not None  # noqa: S101  # `open` came before
        return self.run_id

    def _complete(self, result: Result) -> None:
        run = self._client.get_run(self.run_id)
        now = _now()
        metrics = [
            Metric(name, float(value), now, 0)
            for name, value in result.summary.items()
            if name not in run.data.metrics
        ]
        for name in result.history.columns.drop("epoch"):
            known = {metric.step for metric in self._client.get_metric_history(self.run_id, name)}
            metrics += [
                Metric(name, float(value), now, int(epoch))
                for epoch, value in zip(result.history["epoch"], result.history[name], strict=True)
                if epoch not in known
            ]
        for start in range(0, len(metrics), 1000):  # MLflow's limit of one batch
            self._client.log_batch(self.run_id, metrics=metrics[start : start + 1000])
        tags = [RunTag("model_sha256", result.model_sha256), RunTag(RESULT_TAG, result.digest)]
        self._client.log_batch(self.run_id, tags=tags)
        if run.info.status != "FINISHED":
            self._client.set_terminated(self.run_id, RunStatus.to_string(RunStatus.FINISHED))


@contextlib.contextmanager
def training_run(params: Params, data_sha256: str, key: str) -> Iterator[ResultRun]:
    """Open a training's run; it ends FAILED unless it is finished, also on Ctrl-C and SIGTERM.

    A run that a killed process left is taken up where it is this attempt's, tagged `resumed`, and closed
    where it is another's.

    Args:
        params: the parameters.
        data_sha256: of the corpus, and of given vectors.
        key: of the attempt; see `attempts.key_of`.

    Raises:
        StoreError: the store cannot be opened.
    """
    experiment = Experiment(params.dataset)
    with claimed(key) as attempt:
        close_abandoned()
        with _ending(ResultRun(experiment, params, data_sha256, attempt)) as run:
            run.open(taken_up={"resumed": "true"}, made={})
            yield run


def finish_training(run: ResultRun, result: Result) -> str | None:
    """Finish a training's run once its files stand, and forget its attempt.

    Returns:
        The id of the result's run, or None where the store is out of reach: then the attempt stays, and
        evaluation or `moodring sync` completes the run from the result's files.
    """
    try:
        run_id = run.finish(result)
    except StoreError as error:
        warn(f"{error} The result is whole; `moodring sync` sends its run {run.run_id} later.")
        return None
    run.attempt.discard()
    return run_id


def result_run(
    experiment: Experiment, params: Params, data_sha256: str, result: Result, key: str
) -> tuple[Run, How]:
    """A result's run: found, completed where its training could not, or restored from the files.

    Args:
        experiment: the dataset's.
        params: the parameters.
        data_sha256: of the corpus, and of given vectors.
        result: whose run is wanted.
        key: of the attempt that may have been left.

    Raises:
        StoreError: the store cannot be written.
    """
    with reaching() as client:
        found = experiment.find(result.digest, params, data_sha256)
        if found is not None and not is_left(key):
            return found, "found"
        with claimed(key) as attempt, _ending(ResultRun(experiment, params, data_sha256, attempt)) as run:
            run.open(taken_up={}, made={"restored": "true"})
            run_id = run.finish(result)
            attempt.discard()
        how: How = "found" if found else "completed" if run.taken_up else "restored"
        return client.get_run(run_id), how


def close_abandoned() -> list[str]:
    """End the runs that killed processes of this checkout left RUNNING, as KILLED; their ids.

    Raises:
        StoreError: the store cannot be opened.
    """
    closed = left_running()
    with reaching() as client:
        for run_id in closed:
            client.set_terminated(run_id, RunStatus.to_string(RunStatus.KILLED))
    return closed


def left_running() -> list[str]:
    """The ids of the runs that killed processes of this checkout left RUNNING.

    Raises:
        StoreError: the store cannot be opened.
    """
    left = {attempt.id for attempt in abandoned()}
    if not left:
        return []
    with reaching() as client:
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        running = client.search_runs(
            experiments, f"tags.{ATTEMPT_TAG} != '' and attributes.status = 'RUNNING'"
        )
    return [str(run.info.run_id) for run in running if run.data.tags[ATTEMPT_TAG] in left]


def log_evaluation(
    run: Run, metrics: dict[str, float | int], params: Params, files: list[Path], report: Path, table: Path
) -> None:
    """Put what evaluation found into a run; doing it again replaces it.

    Args:
        run: the result's.
        metrics: of the test split, logged with the prefix `test_`.
        params: evaluation's are logged as tags.
        files: logged under `metrics`.
        report: directory of the report, logged under its name.
        table: JSON in pandas' `split` form, logged so that MLflow shows it as a table.

    Raises:
        StoreError: the store cannot be written.
    """
    now = _now()
    values = {f"test_{name}": float(value) for name, value in metrics.items()}
    changed = [
        Metric(name, value, now, 0) for name, value in values.items() if run.data.metrics.get(name) != value
    ]
    # What `log_table` sets; that itself would add the rows to those of an earlier time.
    tables = {MLFLOW_LOGGED_ARTIFACTS: json.dumps([{"path": table.name, "type": "table"}])}
    tags = [RunTag(name, str(value)) for name, value in {**params.of_evaluation(), **tables}.items()]
    with reaching() as client:
        client.log_batch(run.info.run_id, metrics=changed, tags=tags)
        for path in files:
            if path.is_dir():
                client.log_artifacts(run.info.run_id, str(path), f"metrics/{path.name}")
            else:
                client.log_artifact(run.info.run_id, str(path), "metrics")
        client.log_artifacts(run.info.run_id, str(report), report.name)
        client.log_artifact(run.info.run_id, str(table))


def warn(message: str) -> None:
    """Tell the user of something that ends nothing."""
    print(f"warning: {message}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Put off what would end the process: cut in the middle, a transaction may keep the store locked."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


@contextlib.contextmanager
def _ending(run: ResultRun) -> Iterator[ResultRun]:
    """End the run as FAILED unless it was finished, also when the process is asked to end."""

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise SystemExit(128 + number)

    asked = (signal.SIGTERM, signal.SIGHUP) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, end) for number in asked}
    try:
        yield run
    finally:
        run.fail()
        for number, handler in before.items():
            signal.signal(number, handler)


def _origin() -> dict[str, str]:
    """Tags that lead from a run back to git and DVC."""
    here = Path.cwd()
    tags = {"mlflow.source.name": "dvc repro", "mlflow.source.type": "LOCAL"}
    if (commit := git(here, "rev-parse", "HEAD")) is not None:
        tags |= {"mlflow.source.git.commit": commit, "git_commit": commit}
        tags["git_dirty"] = str(bool(git(here, "status", "--porcelain", "--untracked-files=no"))).lower()
    for tag, variable in (("dvc_experiment", "DVC_EXP_NAME"), ("dvc_baseline", "DVC_EXP_BASELINE_REV")):
        if value := os.environ.get(variable):
            tags[tag] = value
    return tags


def _now() -> int:
    return time.time_ns() // 1_000_000
