"""Send a result to MLflow: at the end of evaluation, and by `moodring sync`."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from moodring.corpus.arrays import VOCABULARY
from moodring.corpus.vocabulary import Vocabulary
from moodring.errors import MoodringError, warn
from moodring.io.files import read_json
from moodring.models.result import read_result
from moodring.params.pipeline import Params
from moodring.report.pages import TABLE
from moodring.serving.behaviour import Check, Pair, check_behaviour
from moodring.serving.candidates import record_validation
from moodring.serving.registry import fetch_bundled, load_model, record_model
from moodring.serving.result_files import ResultFiles
from moodring.serving.scorer import SCORER
from moodring.text.cleaner import Cleaner
from moodring.tracking import attempts
from moodring.tracking.artifacts import ArtifactError
from moodring.tracking.lifecycle import How, result_run
from moodring.tracking.runs import log_evaluation
from moodring.tracking.store import Experiment, StoreError


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
    data_sha256, result = files.data_sha256(params), read_result(files.models)
    experiment = Experiment(params.dataset)
    run, how = result_run(experiment, params, data_sha256, result, files.attempt_key(params, data_sha256))
    logged = [files.metrics, files.calibration, files.slices, files.plots]
    log_evaluation(run, metrics, params, logged, files.report, files.report / TABLE)
    record_validation(run, read_json(files.data))
    version = record_model(run, params.dataset, lambda bundle: files.write_bundle(bundle, params))
    return Published(str(run.info.run_id), version, how)


def check_served(address: str, pairs: Sequence[Pair]) -> list[Check]:
    """Run the behavioural checks on a registered model, with the vocabulary and threshold that it serves.

    Args:
        address: of the model, as `models:/NAME/VERSION`.
        pairs: the user's pairs of texts.

    Raises:
        MoodringError: the model cannot be loaded.
        StoreError: the store cannot be opened.
    """
    predict = load_model(address)
    with tempfile.TemporaryDirectory(prefix="moodring-") as directory:
        scorer = read_json(fetch_bundled(address, SCORER, directory))
        words = set(Vocabulary.load(fetch_bundled(address, VOCABULARY, directory)).words)
    cleaner = Cleaner.from_recipe(scorer["cleaning"])
    return check_behaviour(
        lambda texts: predict(texts)["score"].to_numpy(),
        lambda text: words.issuperset(cleaner(text).split()),
        scorer["threshold"],
        pairs,
    )


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
