"""Copies a file to data/own, lets DVC and git track it, and adds its block; all of this or nothing."""

from __future__ import annotations

import contextlib
import filecmp
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from moodring.checkout.git import git
from moodring.datasets.load import load_raw
from moodring.errors import MoodringError
from moodring.io.files import copy_file, replacing
from moodring.io.splits import check_enough
from moodring.io.tables import POSITIVE
from moodring.own_texts.block import with_dataset
from moodring.own_texts.track import add_to_dvc, add_to_git
from moodring.params.base import OWN
from moodring.params.file import load_params, parse_params, parse_yaml
from moodring.params.pipeline import Params
from moodring.text.clean_table import clean_table
from moodring.text.cleaner import Cleaner


@dataclass(frozen=True)
class Adopted:
    """What was done.

    Args:
        rows: the number of texts.
        positive: the number of them that are positive.
        tracked: files that were added to git, from the root.
        problem: why these texts cannot decide anything yet; empty: they can.
    """

    rows: int
    positive: int
    tracked: list[str]
    problem: str = ""


def place_of(root: Path, file: Path) -> str:
    """The path from the root that a file has in data/own, or that its copy will have.

    Args:
        root: the checkout's root.
        file: an absolute path.
    """
    return (file.relative_to(root) if file.is_relative_to(root / OWN) else Path(OWN) / file.name).as_posix()


def adopt(root: Path, file: Path, name: str, block: Mapping[str, Any]) -> Adopted:
    """Make a file the chosen dataset. If a step fails, everything is as it was.

    Args:
        root: the checkout's root, which is the working directory.
        file: the absolute path of the user's file.
        name: the dataset's.
        block: its block of params.yaml. `source.path` is `place_of` the file.

    Raises:
        MoodringError: there is no git repository, another file is in the place of the copy, the file cannot
            be a dataset, or DVC or git refuses it.
    """
    if git(root, "rev-parse", "--git-dir") is None:
        raise MoodringError(f"{root} is not a git repository: run `git init` and commit the project's files")
    params, place = root / "params.yaml", block["source"]["path"]
    load_params(params)  # a mistake in it is named before anything else
    before = params.read_bytes().decode("utf-8")
    changed = with_dataset(before, name, block)
    chosen = parse_params(parse_yaml(changed, str(params)), "params.yaml with the new dataset")
    with _undone_on_failure() as undo:
        _copy(file, root / place, undo)
        table = load_raw(chosen.data.source, name)
        problem = _undecided(table, chosen)
        for written in (root / f"{place}.dvc", (root / place).parent / ".gitignore"):
            undo(_restore, written, written.read_bytes() if written.exists() else None)
        tracked = add_to_dvc(root, place)
        undo(_write, params, before)
        _write(params, changed)
        add_to_git(root, tracked)
    return Adopted(table.num_rows, table["label"].to_pylist().count(POSITIVE), tracked, problem)


def _undecided(raw: pa.Table, params: Params) -> str:
    """Why the stage `preprocess` will refuse these texts; empty: it will not."""
    cleaner = Cleaner(params.data.preprocess)
    try:
        found = clean_table(raw, cleaner, params.seed, params.dataset, lambda _: None)
        check_enough(found["texts"], params.dataset)
    except MoodringError as error:
        return str(error)
    return ""


def _copy(file: Path, target: Path, undo: Callable[..., object]) -> None:
    if file == target:
        return
    record = target.with_name(f"{target.name}.dvc")
    if record.exists() and not target.exists():
        raise MoodringError(
            f"{record} is DVC's record of a file that is not here: `dvc pull` or `dvc checkout` brings it; "
            "or rename your file"
        )
    if target.exists():
        if filecmp.cmp(file, target, shallow=False):
            return
        raise MoodringError(
            f"{target} exists and differs from {file}: rename your file, or use the one in {OWN} by its path"
        )
    try:
        copy_file(file, target)
    except OSError as error:
        raise MoodringError(f"cannot copy {file} to {target}: {error}") from error
    undo(target.unlink)


def _restore(file: Path, content: bytes | None) -> None:
    if content is None:
        file.unlink(missing_ok=True)
    else:
        file.write_bytes(content)


@contextlib.contextmanager
def _undone_on_failure() -> Iterator[Callable[..., object]]:
    """Yield a function that registers a call, which undoes a step if the block fails."""
    with contextlib.ExitStack() as stack:
        yield stack.callback
        stack.pop_all()


def _write(path: Path, content: str) -> None:
    with replacing(path) as fresh:
        fresh.write_bytes(content.encode())
