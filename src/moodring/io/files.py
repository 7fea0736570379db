"""Writes files completely or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moodring.errors import FULL, MoodringError, no_space


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it onto `path` when the block succeeds.

    The block may write a file or create a directory there. If it raises, the temporary file is removed and
    the old content of `path` is unchanged.

    Raises:
        MoodringError: the disk is full.
    """
    directory = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        directory = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        fresh = directory / path.name
        yield fresh
        if fresh.is_dir() and path.is_dir():
            # A directory cannot be renamed onto one that is not empty: move the old one away first.
            path.replace(directory / "old")
        fresh.replace(path)
    except OSError as error:
        if error.errno in FULL:
            raise MoodringError(no_space(error, path)) from error
        raise
    finally:
        if directory is not None:
            shutil.rmtree(directory, ignore_errors=True)


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented UTF-8 JSON; keys keep their order and the file ends in a newline."""
    with replacing(path) as fresh:
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        fresh.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file that a stage wrote.

    Raises:
        MoodringError: the file is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MoodringError(f"cannot read {path}: {error}. Run `dvc repro` to make it.") from error


def copy_file(source: Path, target: Path) -> None:
    """Copy a file's content, completely or not at all."""
    with replacing(target) as fresh:
        shutil.copyfile(source, fresh)
