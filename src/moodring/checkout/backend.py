"""Keras' backend, checked before Keras is imported and would end in a traceback."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os

from moodring.errors import MoodringError

BACKENDS = ("tensorflow", "jax", "torch")


def backend_name() -> str:
    """The backend that Keras is asked to use, be it known and installed or not."""
    return os.environ.get("KERAS_BACKEND") or BACKENDS[0]


def check_backend() -> str:
    """The backend that Keras is going to use.

    Raises:
        MoodringError: `KERAS_BACKEND` names none, or one that is not installed.
    """
    name = backend_name()
    if name not in BACKENDS:
        raise MoodringError(f"KERAS_BACKEND is {name!r}; known: {', '.join(BACKENDS)}. Correct or unset it.")
    if importlib.util.find_spec(name) is None:
        raise MoodringError(f"KERAS_BACKEND is {name!r}, which is not installed here. Install or unset it.")
    return name


def installed_version(name: str) -> str | None:
    """The version of a library, a backend or another; None where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
