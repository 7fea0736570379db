"""The store's addresses."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from moodring.checkout.root import checkout_root

STORE = "mlflow.db"
ARTIFACTS = "mlartifacts"


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
    except ValueError:  # no address at all
        password = None
    if not password:
        return text
    return text.replace(password, "***").replace(unquote(password), "***")
