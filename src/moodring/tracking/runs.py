"""A result's run in MLflow: what training and evaluation log."""

from __future__ import annotations

import json
import time
from pathlib import Path

from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunStatus, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_LOGGED_ARTIFACTS

from moodring.checkout.git import origin
from moodring.checkout.locks import signals_deferred
from moodring.errors import warn
from moodring.mlflow_ui.names import metric_name, metrics_and_tags, run_name, source_tags
from moodring.models.result import Result
from moodring.params.pipeline import Params
from moodring.tracking.artifacts import log_files
from moodring.tracking.attempts import Attempt
from moodring.tracking.store import (
    MODELS_MD5,
    TRAINED_IN,
    Experiment,
    StoreError,
    locked_store,
    logged,
    reaching,
)

ATTEMPT_TAG = "attempt"


class ResultRun:
    """The run of a training, from its first epoch to its result.

    Args:
        experiment: the dataset's.
        params: every parameter that the result depends on is logged.
        data_sha256: of the corpus, and of the vectors if there are any.
        attempt: its id finds the run that a killed process left; that run continues.
        corpus_sha256: of the corpus alone, the digest that MLflow shows; None: there are no vectors.
    """

    def __init__(
        self,
        experiment: Experiment,
        params: Params,
        data_sha256: str,
        attempt: Attempt,
        corpus_sha256: str | None = None,
    ) -> None:
        self._experiment = experiment
        self._client = experiment.client
        self._params = params
        self._data_sha256 = data_sha256
        self._corpus_sha256 = corpus_sha256 or data_sha256
        self._out_of_reach = False
        self._times: tuple[int | None, int | None] = None, None  # of the start and the end; None: now
        self.attempt = attempt
        self.run_id: str | None = None
        self.continued = False
        self.ended = False

    def open(self, continued: dict[str, str], created: dict[str, str]) -> None:
        """Continue the attempt's run or create one, with parameters, data and the tags of git and DVC.

        Args:
            continued: tags for a run that an earlier process left.
            created: tags for a new run.

        Raises:
            StoreError: the store cannot be written.
        """
        # Locked: two processes that log the same data at the same time make each other fail.
        with signals_deferred(), reaching(), locked_store():
            if (left := self._left()) is not None:
                self.run_id, self.continued = str(left.info.run_id), True
                if left.info.status != "FINISHED":
                    # Tag it with the current commit and experiment: this process finishes the run.
                    made_by = source_tags(origin(Path.cwd()))
                    self._client.update_run(
                        self.run_id, status="RUNNING", name=run_name(self._params.arch, made_by)
                    )
                    continued = {**made_by, **continued}
                self._client.log_batch(self.run_id, tags=[RunTag(*tag) for tag in continued.items()])
            else:
                self.run_id = self._create(created)
            # Also for a continued run: its process may have been killed before it logged them.
            params = [Param(*pair) for pair in logged(self._params).items()]
            self._client.log_batch(self.run_id, params=params)
            self._log_data()

    def open_again(self, trained: Run) -> None:
        """Create a run for another evaluation of a model, with the duration of the run of its training.

        Raises:
            StoreError: the store cannot be written.
        """
        kept = {name: value for name, value in trained.data.tags.items() if name in {"restored", "resumed"}}
        duration = trained.info.end_time - trained.info.start_time
        self._times = (end := now_ms()) - duration, end
        self.open(continued={}, created={**kept, TRAINED_IN: str(trained.info.run_id)})

    def _log_data(self) -> None:
        source = json.dumps({"path": "data/corpus", "sha256": self._corpus_sha256})
        data = Dataset(self._params.dataset, self._corpus_sha256[:32], "dvc", source)
        used = DatasetInput(data, [InputTag("mlflow.data.context", "training")])
        try:
            self._client.log_inputs(self.run_id, [used])
        except MlflowException:
            # Another machine may have written the same data to the server at the same time.
            self._client.log_inputs(self.run_id, [used])

    def _left(self) -> Run | None:
        if not self.attempt.again:
            return None
        wanted = f"tags.{ATTEMPT_TAG} = '{self.attempt.id}'"
        return next(iter(self._client.search_runs([self._experiment.id], wanted)), None)

    def _create(self, tags: dict[str, str]) -> str:
        made_by = {
            **source_tags(origin(Path.cwd())),
            "dataset": self._params.dataset,
            "arch": self._params.arch,
            "data_sha256": self._data_sha256,
            ATTEMPT_TAG: self.attempt.id,
        }
        name = run_name(self._params.arch, made_by)
        run = self._client.create_run(self._experiment.id, self._times[0], {**made_by, **tags}, name)
        return str(run.info.run_id)

    def log_epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """Log an epoch's metrics with its number as step. A store that fails does not end the training."""
        if self._out_of_reach:
            return
        now = now_ms()
        try:
            with signals_deferred(), reaching():
                batch = [Metric(metric_name(name), value, now, epoch) for name, value in metrics.items()]
                self._client.log_batch(self.run_id, metrics=batch)
        except StoreError as error:
            self._out_of_reach = True
            warn(f"{error} Training continues; its end sends the epochs that the store missed.")

    def fail(self) -> None:
        """End the run as FAILED. A later training of the same result continues it."""
        if self.run_id is None or self.ended:
            return
        try:
            with signals_deferred(), reaching():
                self._client.set_terminated(self.run_id, RunStatus.to_string(RunStatus.FAILED))
        except StoreError as error:
            warn(f"{error} The run {self.run_id} may still be RUNNING; `moodring sync` closes it.")

    def finish(self, result: Result, of_evaluation: bool = False) -> str:
        """Log the result, end the run and return the id of the result's run.

        Epochs that the store missed are logged. A result has one run: if an earlier run has the same result,
        this run is deleted and the earlier run's id is returned.

        Args:
            result: the result.
            of_evaluation: an earlier run must have the same evaluation too.

        Raises:
            StoreError: the store cannot be written.
        """
        try:
            with signals_deferred(), reaching(), locked_store():
                wanted = result.models_md5, self._params, self._data_sha256
                earlier = self._experiment.find(*wanted)
                if earlier is None and not of_evaluation:
                    earlier = next(iter(self._experiment.trained(*wanted)), None)
                if earlier is not None and earlier.info.run_id != self.run_id:
                    self._client.delete_run(self.run_id)
                    self.run_id = str(earlier.info.run_id)
                else:
                    self._complete(result, of_evaluation)
        except StoreError:
            self.ended = True  # the result is complete all the same
            raise
        self.ended = True
        assert self.run_id is not None  # noqa: S101  # `open` was called before
        return self.run_id

    def _complete(self, result: Result, of_evaluation: bool) -> None:
        run = self._client.get_run(self.run_id)
        now = now_ms()
        values, tags = metrics_and_tags({metric_name(name): value for name, value in result.summary.items()})
        metrics = [
            Metric(name, value, now, 0) for name, value in values.items() if name not in run.data.metrics
        ]
        for column in result.history.columns.drop("epoch"):
            name = metric_name(column)
            known = {metric.step for metric in self._client.get_metric_history(self.run_id, name)}
            metrics += [
                Metric(name, float(value), now, int(epoch))
                for epoch, value in zip(result.history["epoch"], result.history[column], strict=True)
                if epoch not in known
            ]
        for start in range(0, len(metrics), 1000):  # MLflow's limit for a batch
            self._client.log_batch(self.run_id, metrics=metrics[start : start + 1000])
        tags |= {"model_sha256": result.model_sha256, MODELS_MD5: result.models_md5}
        if of_evaluation:
            tags |= {name: str(value) for name, value in self._params.of_evaluation().items()}
        self._client.log_batch(self.run_id, tags=[RunTag(*tag) for tag in tags.items()])
        if run.info.status != "FINISHED":
            self._client.set_terminated(self.run_id, RunStatus.to_string(RunStatus.FINISHED), self._times[1])


def log_evaluation(
    run: Run, metrics: dict[str, float | int], params: Params, files: list[Path], report: Path, table: Path
) -> None:
    """Log an evaluation to its run; a second call replaces the first.

    Args:
        run: the result's run.
        metrics: of the test split, logged with the prefix `test_`; see `names.metrics_and_tags`.
        params: those of evaluation are logged as tags.
        files: logged under `metrics`.
        report: the report's directory, logged under its name.
        table: JSON in pandas' `split` form; MLflow shows it as a table.

    Raises:
        StoreError: the store cannot be written.
        ArtifactError: a file cannot be written.
    """
    now = now_ms()
    values, counts = metrics_and_tags({f"test_{name}": value for name, value in metrics.items()})
    changed = [
        Metric(name, value, now, 0) for name, value in values.items() if run.data.metrics.get(name) != value
    ]
    # `log_table` sets this tag too, but it would append the rows to those of an earlier call.
    tables = {MLFLOW_LOGGED_ARTIFACTS: json.dumps([{"path": table.name, "type": "table"}])}
    judged = {name: str(value) for name, value in params.of_evaluation().items()}
    tags = [RunTag(*tag) for tag in {**judged, **counts, **tables}.items()]
    # A run of an older version gets the short names too, so that it compares with later runs.
    logs = [Param(*pair) for pair in logged(params).items()]
    placed = [(path, f"metrics/{path.name}" if path.is_dir() else "metrics") for path in files]
    with reaching() as client:
        client.log_batch(run.info.run_id, metrics=changed, tags=tags, params=logs)
        for path, place in (*placed, (report, report.name), (table, None)):
            log_files(client, str(run.info.run_id), path, place)


def now_ms() -> int:
    """Milliseconds since 1970, MLflow's unit of time."""
    return time.time_ns() // 1_000_000
