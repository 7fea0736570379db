"""The store's addresses."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mlflow.entities import Experiment as MlflowExperiment

from moodring.checkout.root import checkout_root

STORE = "mlflow.db"
ARTIFACTS = "mlartifacts"


def store_uri() -> str:
    """The store's address: `MLFLOW_TRACKING_URI`, or by default the SQLite store in the checkout's root.

    A relative SQLite path is relative to that root, not to the working directory.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI", "").strip() or f"sqlite:///{STORE}"
    scheme, found, place = uri.partition("sqlite:///")
    if found and not scheme and place and not place.startswith("/"):
        return f"sqlite:///{checkout_root() / place}"
    return uri


def shown_uri() -> str:
    """The store's address without its password, for messages."""
    return without_password(store_uri())


def artifact_root() -> str:
    """The checkout's folder of artifacts, as an address."""
    return (checkout_root() / ARTIFACTS).as_uri()


def file_of(uri: str) -> Path | None:
    """The file of a local SQLite store; None for any other."""
    place = uri.removeprefix("sqlite:///")
    return None if place == uri else Path(place)


def without_password(text: str) -> str:
    """A text with the password of the store's address replaced by stars."""
    try:
        password = urlsplit(store_uri()).password
    except ValueError:  # not an address
        password = None
    if not password:
        return text
    return text.replace(password, "***").replace(unquote(password), "***")


def is_misplaced(experiment: MlflowExperiment) -> bool:
    """Whether the checkout's own store sends an experiment's artifacts out of the checkout."""
    file = file_of(store_uri())
    if file is None or not file.is_relative_to(checkout_root()) or experiment.name == "Default":
        return False
    return old_artifact_root(experiment.artifact_location) not in {None, artifact_root()}


def old_artifact_root(place: str) -> str | None:
    """The artifact folder of a checkout that an address lies in, wherever that checkout was."""
    root, found, _ = place.rpartition(f"/{ARTIFACTS}/")
    return f"{root}/{ARTIFACTS}" if found and root.startswith("file://") else None
