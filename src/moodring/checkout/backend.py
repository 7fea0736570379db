"""Checks Keras' backend before Keras is imported: a wrong one would end in a traceback."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os

from moodring.errors import MoodringError

BACKENDS = ("tensorflow", "jax", "torch")


def backend_name() -> str:
    """The requested backend; it may be unknown or not installed."""
    return os.environ.get("KERAS_BACKEND") or BACKENDS[0]


def check_backend() -> str:
    """The backend that Keras will use.

    Raises:
        MoodringError: `KERAS_BACKEND` is unknown, or names a backend that is not installed.
    """
    name = backend_name()
    if name not in BACKENDS:
        raise MoodringError(f"KERAS_BACKEND is {name!r}; known: {', '.join(BACKENDS)}. Correct or unset it.")
    if importlib.util.find_spec(name) is None:
        raise MoodringError(f"KERAS_BACKEND is {name!r}, which is not installed here. Install or unset it.")
    return name


def installed_version(name: str) -> str | None:
    """The version of a library; None if it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
