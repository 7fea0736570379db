"""Keras' backend: check it before Keras is imported, and import it without start-up messages."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Iterator

from moodring.errors import MoodringError

BACKENDS = ("tensorflow", "jax", "torch")
LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# TensorFlow writes these lines on a machine without a GPU or with more instructions than it was built for.
STARTUP = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|.*\] (Could not find cuda drivers|failed call to cuInit|oneDNN custom operations are on"
    rb"|This TensorFlow binary is optimized)"
    rb"|To enable the following instructions"
)


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


def import_keras() -> None:
    """Import Keras without TensorFlow's start-up messages; they are shown if the user set `LOG_LEVEL`."""
    if backend_name() != "tensorflow" or os.environ.get(LOG_LEVEL) or "tensorflow" in sys.modules:
        import keras

        return
    os.environ[LOG_LEVEL] = "2"  # later messages: errors only
    with _stderr_without(STARTUP):
        import tensorflow as tf

        tf.config.list_physical_devices()  # looks for a GPU, and writes a message if there is none
        import keras  # noqa: F401


@contextlib.contextmanager
def _stderr_without(pattern: re.Pattern[bytes]) -> Iterator[None]:
    """Drop the lines that match from everything that the process writes to stderr, C++ libraries included."""
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            written.seek(0)
            for line in written:
                if not pattern.match(line):
                    os.write(2, line)


def installed_version(name: str) -> str | None:
    """The version of a library; None if it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
