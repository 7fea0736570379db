"""The files of runs and models: log them, and report those that cannot be written."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from mlflow import MlflowClient

from moodring.errors import MoodringError


class ArtifactError(MoodringError):
    """The store answers, but a file of a run or of a model cannot be written."""


@contextlib.contextmanager
def writing_artifacts() -> Iterator[None]:
    """Turn errors of the file system inside the block into errors for the user.

    Raises:
        ArtifactError: a file cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:  # of a server
            raise
        place = f"{error.filename}: " if error.filename else ""
        raise ArtifactError(
            f"cannot write the run's files: {place}{os.strerror(error.errno)}. Give this user write "
            "permission or free some space, then run `moodring sync`."
        ) from error


def log_files(client: MlflowClient, run_id: str, path: Path, place: str | None) -> None:
    """Log a file, or all files of a directory. A second call replaces the files of the first.

    `log_artifacts` would keep the mode of each file, and DVC makes its files read-only: a second call could
    not overwrite them. `log_artifact` replaces a file.

    Args:
        client: of the store.
        run_id: of the run.
        path: a file or a directory.
        place: the directory among the run's artifacts; None: their root.

    Raises:
        ArtifactError: a file cannot be written.
    """
    with writing_artifacts():
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                inside = file.relative_to(path).parent.as_posix()
                client.log_artifact(run_id, str(file), place if inside == "." else f"{place}/{inside}")
