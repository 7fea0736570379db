"""The MLflow store: open it, lock it, and find a dataset's experiment in it."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import mlflow
from mlflow.entities import Experiment as MlflowExperiment
from mlflow.entities import Run, RunTag
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from moodring.checkout.locks import locked
from moodring.checkout.revisions import evaluation_of, is_evaluation
from moodring.checkout.root import checkout_root
from moodring.errors import MoodringError, warn
from moodring.mlflow_ui.descriptions import NOTE, VERDICT, experiment_note, note_tags
from moodring.mlflow_ui.names import short_names
from moodring.mlflow_ui.saved_view import VIEW, is_current, runs_page, view
from moodring.params.pipeline import Params
from moodring.tracking.addresses import (
    REGISTRY_VARIABLE,
    VARIABLE,
    artifact_root,
    file_of,
    is_misplaced,
    remedy,
    shown_uri,
    store_uri,
    without_password,
)

# The tag that identifies a run's result: the MD5 of `models` in dvc.lock.
MODELS_MD5 = "models_md5"
# The tag of a run that has another evaluation of a model: the run of the model's training.
TRAINED_IN = "trained_in"
KIND = "mlflow.experimentKind"
# SQLAlchemy adds the statement, which may be long, and the address of a page on the error.
ADDED = re.compile(r"\n(?=\[SQL: |\(Background on this error at: )")
_opened: set[str] = set()


class StoreError(MoodringError):
    """The MLflow store cannot be reached or used."""


@contextlib.contextmanager
def reaching() -> Iterator[mlflow.MlflowClient]:
    """Point MLflow at the store, and turn its errors inside the block into errors for the user.

    Enter this before `locked_store`, never inside it.

    Raises:
        StoreError: the store cannot be opened, read or written.
    """
    uri = store_uri()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It logs a traceback with each error that it raises; the message below reports the error.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    try:
        _point_mlflow_at(uri)
        if uri not in _opened:
            with locked_store():
                mlflow.MlflowClient()  # creates a local store that is missing
            _opened.add(uri)
        yield mlflow.MlflowClient()
    except (MlflowException, SQLAlchemyError, sqlite3.Error, ImportError, OSError) as error:
        said = without_password(" ".join(ADDED.split(str(error))[0].split()).rstrip(". "))
        raise StoreError(f"cannot open the MLflow store {shown_uri()}: {said}. {remedy(said)}") from error


def _point_mlflow_at(uri: str) -> None:
    """Let MLflow keep runs and models in one store.

    A registry elsewhere would be found only while `MLFLOW_REGISTRY_URI` is set.
    """
    given = os.environ.get(VARIABLE)
    registry = os.environ.pop(REGISTRY_VARIABLE, None)
    if registry and registry not in {uri, given}:
        warn(
            f"{REGISTRY_VARIABLE} is ignored: models are registered in the store of their runs, {shown_uri()}"
        )
    mlflow.set_tracking_uri(uri)
    # MLflow sets the variable for its child processes. It must stay as the user set it.
    if given is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = given


@contextlib.contextmanager
def locked_store() -> Iterator[None]:
    """Let one process of this checkout in at a time; for a local store, one process of this machine.

    Two processes that create a local store at the same time break it. Two that look for a result's run at the
    same time both make one.
    """
    local = file_of(store_uri())
    if local is None:
        with locked(checkout_root() / ".moodring" / "store.lock"):
            yield
        return
    with locked(Path(f"{local}.lock")):
        # MLflow would retry for minutes to open a file that is not a database.
        with contextlib.closing(sqlite3.connect(local)) as store:
            store.execute("PRAGMA schema_version")
        yield


class Experiment:
    """A dataset's MLflow experiment. It is created if it is missing.

    Raises:
        StoreError: the store cannot be opened.
        MoodringError: the experiment is deleted, or its artifacts would go to the checkout's former place.
    """

    def __init__(self, dataset: str) -> None:
        self.dataset = dataset
        with reaching() as client, locked_store():
            self.client = client
            self.id = self._find_or_create()

    def _find_or_create(self) -> str:
        found = self.client.get_experiment_by_name(self.dataset) or self._create()
        if found.lifecycle_stage != "active":
            raise MoodringError(
                f"the MLflow experiment {self.dataset!r} is deleted in {shown_uri()}; restore it: "
                f"mlflow experiments restore --experiment-id {found.experiment_id}"
            )
        if is_misplaced(found):
            raise MoodringError(
                f"the MLflow store keeps artifacts in {found.artifact_location}, outside this checkout: the "
                "checkout was moved or copied. Run `moodring relocate`."
            )
        complete(self.client, found)
        return str(found.experiment_id)

    def _create(self) -> MlflowExperiment:
        # MLflow's default place is relative to the working directory, which DVC may delete.
        place = f"{artifact_root()}/{self.dataset}" if file_of(store_uri()) else None
        try:
            made = self.client.create_experiment(self.dataset, artifact_location=place)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return self.client.get_experiment_by_name(self.dataset)  # another machine created it first
        return self.client.get_experiment(made)

    def find(self, models_md5: str, params: Params, data_sha256: str) -> Run | None:
        """Find the run of a result: of this model and this evaluation.

        If no run has this evaluation, it is the run of this model that was never evaluated.

        Returns:
            The run; None: the store has none, or only runs of other evaluations of the model.
        """
        runs = self.trained(models_md5, params, data_sha256)
        judged = [run for run in runs if evaluation_of(run.data.tags)]
        same = [run for run in judged if is_evaluation(run.data.tags, params.of_evaluation())]
        return next(iter([*same, *(run for run in runs if run not in judged)]), None)

    def claim(self, models_md5: str, params: Params, data_sha256: str) -> Run | None:
        """Find the run of a result as `find`; tag it, so that another evaluation does not take it too."""
        with locked_store():
            found = self.find(models_md5, params, data_sha256)
            if found is None or evaluation_of(found.data.tags):
                return found
            tags = [RunTag(name, str(value)) for name, value in params.of_evaluation().items()]
            self.client.log_batch(found.info.run_id, tags=tags)
        return self.client.get_run(found.info.run_id)

    def trained(self, models_md5: str, params: Params, data_sha256: str) -> list[Run]:
        """The finished runs of a model with these parameters and data, the oldest first.

        Other parameters of an earlier stage or other test texts may give the same model. These are other
        results.
        """
        runs = self.client.search_runs(
            [self.id],
            f"tags.{MODELS_MD5} = '{models_md5}' and tags.data_sha256 = '{data_sha256}' "
            "and attributes.status = 'FINISHED'",
            order_by=["attributes.start_time ASC"],
        )
        wanted = logged(params)
        # A run that only has another evaluation of an earlier run's model comes after it.
        found = [run for run in runs if short_names(run.data.params) == wanted]
        return sorted(found, key=lambda run: TRAINED_IN in run.data.tags)

    def describe(self, run_id: str, verdict: str, note: str) -> None:
        """Give a run its verdict and description; name the best run in the experiment's description.

        A description that a person wrote stays.

        Raises:
            StoreError: the store cannot be written.
        """
        with reaching() as client, locked_store():
            tags = {VERDICT: verdict, **note_tags(client.get_run(run_id).data.tags, note)}
            client.log_batch(run_id, tags=[RunTag(*tag) for tag in tags.items()])
            finished = "tags.data_sha256 != '' and attributes.status = 'FINISHED'"
            order = ["metrics.best_val_accuracy DESC", "metrics.best_val_loss ASC"]
            tested = f"{finished} and metrics.test_accuracy >= 0"
            best = next(iter(client.search_runs([self.id], tested, order_by=order, max_results=1)), None)
            experiment = client.get_experiment(self.id)
            for name, value in note_tags(experiment.tags, _note(experiment, best)).items():
                client.set_experiment_tag(self.id, name, value)


def complete(client: mlflow.MlflowClient, experiment: MlflowExperiment) -> None:
    """Give an experiment its saved view, its kind and a description, if it lacks them as older ones do."""
    # With this kind the UI opens with training runs, not with traces.
    wanted = {} if KIND in experiment.tags else {KIND: "custom_model_development"}
    if not is_current(experiment.tags.get(VIEW)):
        wanted[VIEW] = view(experiment.creation_time or 0)
    if NOTE not in experiment.tags:
        wanted |= note_tags(experiment.tags, _note(experiment, None))
    for name, value in wanted.items():
        client.set_experiment_tag(experiment.experiment_id, name, value)


def _note(experiment: MlflowExperiment, best: Run | None) -> str:
    shown = None
    if best is not None:
        accuracy = f"{best.data.metrics['test_accuracy']:.1%} of the test texts are correct."
        address = f"#/experiments/{experiment.experiment_id}/runs/{best.info.run_id}"
        shown = address, best.data.tags.get(VERDICT, accuracy)
    return experiment_note(experiment.name, runs_page(experiment.experiment_id), shown)


def logged(params: Params) -> dict[str, str]:
    """The parameters of a run, with short names, in the form in which MLflow returns them."""
    return short_names({name: str(value) for name, value in params.of_model().items()})
