"""Send a result to MLflow: at the end of evaluation, and by `moodring sync`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlflow.entities import Run, RunTag

from moodring.errors import MoodringError, warn
from moodring.evaluation.verdict import verdict
from moodring.io.files import read_json
from moodring.io.splits import describe_small
from moodring.mlflow_ui.descriptions import champion_note, result_note
from moodring.mlflow_ui.names import registered_name
from moodring.models.result import Result, read_result
from moodring.params.pipeline import Params
from moodring.report.pages import TABLE
from moodring.serving.registry import describe_version, record_model
from moodring.serving.result_files import ResultFiles
from moodring.tracking import attempts
from moodring.tracking.artifacts import ArtifactError
from moodring.tracking.lifecycle import How, result_run
from moodring.tracking.runs import log_evaluation
from moodring.tracking.store import Experiment, StoreError, reaching

VALIDATION_TAG, SMALL_TAG = "validation", "small_splits"


@dataclass(frozen=True)
class Published:
    """A result's place in the store.

    Args:
        run_id: of its run.
        version: of its registered model.
        how: the run was found, or completed after training had lost the store, or restored from the files, or
            made for another evaluation of a model whose training has a run.
    """

    run_id: str
    version: int
    how: How


def check_store(files: ResultFiles, params: Params) -> None:
    """Fail before the evaluation if the store cannot be opened.

    If this result's training lost the store, warn only: the result is completed now and sent later.

    Raises:
        StoreError: the store cannot be opened.
    """
    try:
        Experiment(params.dataset)
    except StoreError as error:
        if not attempts.is_left(files.attempt_key(params, files.data_sha256(params))):
            raise
        warn(str(error))


def publish(files: ResultFiles, params: Params) -> Published:
    """Complete the result's run from its files, or make the run if there is none.

    A second call updates only what changed.

    Raises:
        MoodringError: a file is missing or damaged.
        StoreError: the store cannot be opened.
        ArtifactError: the store can be opened, but a file of the run or model cannot be written.
    """
    metrics = read_json(files.metrics)
    corpus_sha256, result = files.corpus_sha256(), read_result(files.models)
    data_sha256 = files.data_sha256(params, corpus_sha256)
    experiment = Experiment(params.dataset)
    key = files.attempt_key(params, data_sha256)
    run, how = result_run(experiment, params, data_sha256, result, key, corpus_sha256)
    logged = [files.metrics, files.calibration, files.slices, files.plots]
    log_evaluation(run, metrics, params, logged, files.report, files.report / TABLE)
    record_validation(run, read_json(files.data))
    version = record_model(run, params.dataset, lambda bundle: files.write_bundle(bundle, params))
    describe(experiment, str(run.info.run_id), version, verdict(params, metrics), metrics, result)
    return Published(str(run.info.run_id), version, how)


def describe(
    experiment: Experiment, run_id: str, version: int, said: str, metrics: Mapping[str, float], result: Result
) -> None:
    """Describe the run, its version and the experiment; a second call updates the descriptions."""
    values = {**result.summary, **{f"test_{name}": value for name, value in metrics.items()}}
    model = registered_name(experiment.dataset)
    note = result_note(said, values, f"models:/{model}/{version}")
    describe_version(run_id, model, version, note, champion_note(experiment.dataset))
    experiment.describe(run_id, said, note)


def record_validation(run: Run, data: Mapping[str, Any]) -> None:
    """Tag a result's run with what it was validated on, and with a sentence for each small split.

    Args:
        run: the result's run.
        data: the content of metrics/data.json; an older one says nothing about this, then there is no tag.

    Raises:
        StoreError: the store cannot be written.
    """
    if "validation_digest" not in data:
        return
    validation = {
        "rows": data["rows"]["validation"],
        "texts": data["texts"]["validation"],
        "digest": data["validation_digest"],
    }
    tags = {VALIDATION_TAG: json.dumps(validation)}
    if small := describe_small(data["rows"]):
        tags[SMALL_TAG] = " ".join(small)
    changed = [RunTag(name, text) for name, text in tags.items() if run.data.tags.get(name) != text]
    with reaching() as client:
        client.log_batch(run.info.run_id, tags=changed)


def publish_or_warn(files: ResultFiles, params: Params) -> None:
    """As `publish`, but a store that fails is a warning.

    Raises:
        MoodringError: a file is missing or damaged, or a file of the run cannot be written.
    """
    try:
        publish(files, params)
    except ArtifactError as error:
        # DVC keeps no result of a stage that fails, so there is nothing to sync.
        raise MoodringError(str(error).replace("`moodring sync`", "`dvc repro` again")) from error
    except StoreError as error:
        warn(f"{error} The result is complete; run `moodring sync` later to send its run.")
