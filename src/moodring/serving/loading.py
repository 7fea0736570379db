"""Load a logged model, or a file of its bundle."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

import mlflow
from mlflow.pyfunc import PyFuncModel
from sqlalchemy.exc import SQLAlchemyError

from moodring.checkout.root import checkout_root
from moodring.errors import MoodringError
from moodring.serving.logged_models import BUNDLE
from moodring.tracking.addresses import shown_uri
from moodring.tracking.store import reaching

if TYPE_CHECKING:
    import pandas as pd

_copies: list[tempfile.TemporaryDirectory[str]] = []


def _copy_place(place: Path) -> str | None:
    """A directory for a copy of a model's files; None: MLflow can read them where they are.

    MLflow decodes `%` in the path of a model's files, and then does not find them.
    """
    if "%" not in f"{checkout_root()}{place.resolve()}":
        return None
    _copies.append(directory := tempfile.TemporaryDirectory(prefix="moodring-"))  # until the process ends
    return directory.name


def load_model(address: str) -> Callable[[list[str]], pd.DataFrame]:
    """The `predict` of a logged model, by its MLflow address or directory.

    Raises:
        MoodringError: as `loaded`.
        StoreError: the store cannot be opened.
    """
    return cast("Callable[[list[str]], pd.DataFrame]", loaded(address).predict)


def loaded(address: str) -> PyFuncModel:
    """A logged model, by its MLflow address or directory.

    Raises:
        MoodringError: there is no such model, or its files are missing.
        StoreError: the store cannot be opened.
    """
    place = Path(address)
    local = f"{place.resolve().as_uri()}/" if place.is_dir() else address
    with reaching():
        try:
            return mlflow.pyfunc.load_model(local, dst_path=_copy_place(place))
        except (MoodringError, SQLAlchemyError, sqlite3.Error):
            raise
        except Exception as error:  # each storage, such as s3://, has its own errors
            raise MoodringError(
                f"cannot load the model {address!r} with the MLflow store {shown_uri()}: "
                f"{str(error).rstrip('. ')}. {_remedy(error)}"
            ) from error


def _remedy(error: Exception) -> str:
    """What to do about a model that cannot be loaded."""
    if isinstance(error, ImportError):
        return "Install the Python package of the model's storage, for example boto3 for s3://."
    return (
        "Choose a version that `moodring runs` lists, as models:/moodring-DATASET/VERSION or "
        "models:/moodring-DATASET@champion. If its files are missing, `moodring sync` in a checkout of its "
        "result logs it again."
    )


def fetch_bundled(address: str, name: str, directory: str) -> Path:
    """Fetch a file of a registered model's bundle into a directory.

    Args:
        address: of a model that `load_model` loaded.
        name: of the file.
        directory: where to.

    Raises:
        StoreError: the store cannot be opened, or the file is missing.
    """
    with reaching():
        place = f"{address}/artifacts/{BUNDLE}/{name}"
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=place, dst_path=directory))
