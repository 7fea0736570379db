"""Files written whole or not at all, and their digests."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moodring.errors import MoodringError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it onto `path` when the block ends well.

    The block may write a file or make a directory there. When it raises, what it wrote is removed and
    whatever stood at `path` stays untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    room = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        fresh = room / path.name
        yield fresh
        if fresh.is_dir() and path.is_dir():
            # A directory cannot be renamed onto a full one: the old one steps aside first.
            path.replace(room / "old")
        fresh.replace(path)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented UTF-8 JSON in its own key order, ending in a newline."""
    with replacing(path) as fresh:
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        fresh.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """The content of a JSON file that a stage wrote.

    Raises:
        MoodringError: it is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MoodringError(f"cannot read {path}: {error}. Run `dvc repro` to make it.") from error


def copy_file(source: Path, target: Path) -> None:
    """Copy a file's content, whole or not at all."""
    with replacing(target) as fresh:
        shutil.copyfile(source, fresh)
