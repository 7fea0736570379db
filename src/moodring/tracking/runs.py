"""A result's run: opened by training, completed by evaluation, found again or rebuilt from the files."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunStatus, RunTag
from mlflow.exceptions import MlflowException

from moodring.checkout.git import git
from moodring.errors import warn
from moodring.models.result import Result
from moodring.params.pipeline import Params
from moodring.tracking.attempts import Attempt
from moodring.tracking.signals import signals_deferred
from moodring.tracking.store import MODELS_MD5, Experiment, StoreError, locked_store, logged, reaching

ATTEMPT_TAG = "attempt"


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
        with signals_deferred(), reaching(), locked_store():
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
        now = now_ms()
        try:
            with signals_deferred(), reaching():
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
            with signals_deferred(), reaching():
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
            with signals_deferred(), reaching(), locked_store():
                earlier = self._experiment.find(result.models_md5, self._params, self._data_sha256)
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
        now = now_ms()
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
        tags = [RunTag("model_sha256", result.model_sha256), RunTag(MODELS_MD5, result.models_md5)]
        self._client.log_batch(self.run_id, tags=tags)
        if run.info.status != "FINISHED":
            self._client.set_terminated(self.run_id, RunStatus.to_string(RunStatus.FINISHED))


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


def now_ms() -> int:
    """The time in milliseconds since 1970, as MLflow counts it."""
    return time.time_ns() // 1_000_000
