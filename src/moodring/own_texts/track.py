"""Lets DVC track a file, and gives git what DVC writes about it."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from moodring.checkout.git import git
from moodring.errors import MoodringError


def add_to_dvc(root: Path, place: str) -> list[str]:
    """Run `dvc add` on a file, unless git tracks the file; returns the paths for git, from the root.

    Raises:
        MoodringError: DVC refuses the file.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    if git(root, "ls-files", "--error-unmatch", "--", place) is not None:
        return []
    record = f"{place}.dvc"
    if git(root, "check-ignore", "--", record) is not None:
        rule = shlex.join(["git", "check-ignore", "--verbose", record])
        raise MoodringError(
            f"git ignores {record}, by which DVC would track the file. `{rule}` names the rule: remove it"
        )
    try:
        with Repo(str(root)) as repo:
            repo.scm_context.quiet = True  # no advice to run `git add`: `add_to_git` runs it
            files = [Path(stage.path) for stage in repo.add(str(root / place))]
    except (DvcException, OSError) as error:
        raise MoodringError(f"DVC cannot track {place}: {_plain(error)}. `dvc status` says more.") from error
    written = [*files, *(file.with_name(".gitignore") for file in files)]
    return [os.path.relpath(file, root) for file in written if file.exists()]


def add_to_git(root: Path, paths: list[str]) -> None:
    """Run `git add`.

    Raises:
        MoodringError: git refuses a file.
    """
    if paths and git(root, "add", "--", *paths) is None:
        raise MoodringError(f"git cannot add {', '.join(paths)}. `git status` says more.")


def _plain(error: Exception) -> str:
    """DVC's message without colours and without its last full stop."""
    return re.sub(r"\x1b\[[\d;]*m", "", str(error)).rstrip(". \n")
