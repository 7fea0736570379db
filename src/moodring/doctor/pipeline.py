"""Checks of dvc.yaml: each stage lists the parameters and the code that it reads."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from moodring.checkout.dependencies import code_of
from moodring.doctor.findings import Finding
from moodring.errors import MoodringError
from moodring.params.base import flatten
from moodring.params.file import read_yaml

NO_STAGE = ["behaviour"]  # only `moodring promote` reads these parameters


def check_pipeline(root: Path, valid: bool) -> Iterator[Finding]:
    """Compare the lists of dvc.yaml with params.yaml and with the imports of the code.

    Args:
        root: the checkout's root.
        valid: params.yaml is valid. If it is not, no finding about unread parameters is given: the
            error of params.yaml already names its unknown keys.
    """
    try:
        stages: dict[str, Any] = read_yaml(root / "dvc.yaml").get("stages") or {}
        leaves = [name for name, _ in flatten(read_yaml(root / "params.yaml"))]
    except MoodringError as error:
        yield Finding("bad", "pipeline", str(error), "correct it; `git diff` shows what changed in it")
        return
    unread = _unread(leaves, stages)
    if unread and valid:
        yield Finding(
            "bad",
            "parameters",
            f"no stage reads {', '.join(unread)}: after a change of them no stage would run",
            "list them under the params of their stage in dvc.yaml",
        )
    missing = [entry for name, stage in stages.items() for entry in _missing_code(root, name, stage)]
    if missing:
        yield Finding(
            "bad",
            "code lists",
            f"{'; '.join(missing)}: after an edit there the stage would not run",
            "add them to the deps of the stage in dvc.yaml",
        )
    if not unread and not missing:
        yield Finding("ok", "pipeline", f"{len(stages)} stages list every parameter and module they read")


def _unread(leaves: list[str], stages: dict[str, Any]) -> list[str]:
    """The parameters that no stage reads, by dotted names."""
    # A template's value depends on the choice. A parameter is read if any choice reads it.
    read = [
        str(name).replace("${dataset}", "*").replace("${arch}", "*")
        for stage in stages.values()
        for name in stage.get("params", [])
    ]
    read += NO_STAGE
    return [
        leaf
        for leaf in leaves
        if not any(fnmatch.fnmatchcase(leaf, p) or fnmatch.fnmatchcase(leaf, f"{p}.*") for p in read)
    ]


def _missing_code(root: Path, name: str, stage: dict[str, Any]) -> list[str]:
    """The directories or files of code that a stage imports and does not list: `STAGE lacks PATH`."""
    entry = root / "stages" / f"{name}.py"
    if not entry.is_file():
        return []
    listed = [root / dep for dep in stage.get("deps", []) if isinstance(dep, str)]
    files = [file for file in code_of(entry, root) if not any(dep in {file, *file.parents} for dep in listed)]
    # dvc.yaml lists each stage's own file, and rooms, whose paths have three parts.
    places = {Path(*file.relative_to(root).parts[:3]).as_posix() for file in files}
    return [f"{name} lacks {place}" for place in sorted(places)]
