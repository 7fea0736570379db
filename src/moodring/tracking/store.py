"""Where runs are kept: the store's address, its lock, a dataset's experiment in it."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import mlflow
from mlflow.entities import Experiment as MlflowExperiment
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from moodring.attempts import locked
from moodring.errors import MoodringError
from moodring.params import Params
from moodring.project import checkout_root

STORE = "mlflow.db"
ARTIFACTS = "mlartifacts"
RESULT_TAG = "models_md5"
# Where MLflow keeps absolute addresses of artifacts.
_ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)

_opened: set[str] = set()


class StoreError(MoodringError):
    """The MLflow store is out of reach or cannot be used."""


def store_uri() -> str:
    """Where runs go: `MLFLOW_TRACKING_URI`, else the SQLite store in the checkout's root.

    A relative SQLite path is taken from that root too, whatever the working directory is.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI", "").strip() or f"sqlite:///{STORE}"
    scheme, found, place = uri.partition("sqlite:///")
    if found and not scheme and place and not place.startswith("/"):
        return f"sqlite:///{checkout_root() / place}"
    return uri


def shown_uri() -> str:
    """The store's address as it may be printed: without a password."""
    return _without_password(store_uri())


def artifact_root() -> str:
    """The checkout's folder of artifacts, as an address."""
    return (checkout_root() / ARTIFACTS).as_uri()


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
        said = _without_password(str(error).rstrip(". "))
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
        wanted = logged(params)
        return next((run for run in runs if run.data.params == wanted), None)


def logged(params: Params) -> dict[str, str]:
    """The parameters that a run holds, as MLflow gives them back."""
    return {name: str(value) for name, value in params.of_model().items()}


def is_misplaced(experiment: MlflowExperiment) -> bool:
    """Whether the checkout's own store sends an experiment's artifacts out of the checkout."""
    file = file_of(store_uri())
    if file is None or not file.is_relative_to(checkout_root()) or experiment.name == "Default":
        return False
    return _old_root(experiment.artifact_location) not in {None, artifact_root()}


def misplaced() -> list[str]:
    """The artifact places of the checkout's own store that are not in the checkout.

    Raises:
        StoreError: the store cannot be opened.
    """
    with reaching() as client, locked_store():
        experiments = client.search_experiments()
    return sorted(item.artifact_location for item in experiments if is_misplaced(item))


def relocate() -> list[str]:
    """After the checkout was moved or copied: let the store's addresses lead into its present place.

    MLflow keeps them absolute and has no command for it. Files are left where they are.

    Returns:
        The old artifact folders.

    Raises:
        StoreError: the store cannot be opened.
    """
    old = sorted({root for place in misplaced() if (root := _old_root(place)) is not None})
    file = file_of(store_uri())
    if not old or file is None:
        return old
    with reaching(), locked_store(), contextlib.closing(sqlite3.connect(file)) as store, store:
        for table, column in _ADDRESSES:
            for root in old:
                store.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608  # names of our own
                    f"WHERE substr({column}, 1, ?) = ?",
                    (f"{artifact_root()}/", len(root) + 2, len(root) + 1, f"{root}/"),
                )
    return old


def _old_root(place: str) -> str | None:
    """The artifact folder of a checkout that an address lies in, wherever that checkout was."""
    root, found, _ = place.rpartition(f"/{ARTIFACTS}/")
    return f"{root}/{ARTIFACTS}" if found and root.startswith("file://") else None


def file_of(uri: str) -> Path | None:
    """The file of a local SQLite store; None for any other."""
    place = uri.removeprefix("sqlite:///")
    return None if place == uri else Path(place)


def _without_password(text: str) -> str:
    try:
        password = urlsplit(store_uri()).password
    except ValueError:  # no address at all
        password = None
    if not password:
        return text
    return text.replace(password, "***").replace(unquote(password), "***")
