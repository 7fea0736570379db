"""Where runs are kept: the store's address, its lock, a dataset's experiment in it."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import mlflow
from mlflow.entities import Experiment as MlflowExperiment
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from moodring.checkout.locks import locked
from moodring.checkout.root import checkout_root
from moodring.errors import MoodringError
from moodring.params.pipeline import Params
from moodring.tracking.addresses import (
    artifact_root,
    file_of,
    is_misplaced,
    shown_uri,
    store_uri,
    without_password,
)

MODELS_MD5 = "models_md5"  # the tag that ties a run to its result: the MD5 of `models` in dvc.lock
_opened: set[str] = set()


class StoreError(MoodringError):
    """The MLflow store is out of reach or cannot be used."""


@contextlib.contextmanager
def reaching() -> Iterator[mlflow.MlflowClient]:
    """Point MLflow at the store; what goes wrong with it inside the block is the user's to mend.

    Stands before `locked_store`, never inside it.

    Raises:
        StoreError: the store cannot be opened, read or written.
    """
    uri = store_uri()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It logs a traceback with each error that it raises, and the error is told here.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    try:
        mlflow.set_tracking_uri(uri)
        if uri not in _opened:
            with locked_store():
                mlflow.MlflowClient()  # makes a local store that is missing
            _opened.add(uri)
        yield mlflow.MlflowClient()
    except (MlflowException, SQLAlchemyError, sqlite3.Error, ImportError, OSError) as error:
        said = without_password(str(error).rstrip(". "))
        raise StoreError(
            f"cannot open the MLflow store {shown_uri()}: {said}. "
            "Mend it, or mend or unset MLFLOW_TRACKING_URI."
        ) from error


@contextlib.contextmanager
def locked_store() -> Iterator[None]:
    """One process of this checkout at a time, and for a local store one of this machine.

    Two that create a local store at once break it; two that look for a result's run at once both make one.
    """
    local = file_of(store_uri())
    if local is None:
        with locked(checkout_root() / ".moodring" / "store.lock"):
            yield
        return
    with locked(Path(f"{local}.lock")):
        # MLflow would try a file that is no database for minutes.
        with contextlib.closing(sqlite3.connect(local)) as store:
            store.execute("PRAGMA schema_version")
        yield


class Experiment:
    """A dataset's MLflow experiment, opened, and created where it is missing.

    Raises:
        StoreError: the store cannot be opened.
        MoodringError: the experiment is deleted, or its artifacts would go to where the checkout once was.
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
                f"the MLflow store keeps artifacts in {found.artifact_location}, out of this checkout, which "
                "was moved or copied. Run `moodring relocate`."
            )
        return str(found.experiment_id)

    def _create(self) -> MlflowExperiment:
        # MLflow's own default place is relative to the working directory, which DVC may delete.
        place = f"{artifact_root()}/{self.dataset}" if file_of(store_uri()) else None
        # So that the UI opens on training runs, not on traces.
        kind = {"mlflow.experimentKind": "custom_model_development"}
        try:
            made = self.client.create_experiment(self.dataset, artifact_location=place, tags=kind)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return self.client.get_experiment_by_name(self.dataset)  # another machine was faster
        return self.client.get_experiment(made)

    def find(self, models_md5: str, params: Params, data_sha256: str) -> Run | None:
        """The oldest finished run of a result with these parameters and data, if the store has one.

        Other parameters of an earlier stage, or other test texts, may end in the same model; they are
        another run's.
        """
        runs = self.client.search_runs(
            [self.id],
            f"tags.{MODELS_MD5} = '{models_md5}' and tags.data_sha256 = '{data_sha256}' "
            "and attributes.status = 'FINISHED'",
            order_by=["attributes.start_time ASC"],
        )
        wanted = logged(params)
        return next((run for run in runs if run.data.params == wanted), None)


def logged(params: Params) -> dict[str, str]:
    """The parameters that a run holds, as MLflow gives them back."""
    return {name: str(value) for name, value in params.of_model().items()}
