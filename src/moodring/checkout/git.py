"""Runs git, which may be missing."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git(root: Path, *arguments: str) -> str | None:
    """The output of a git command in `root`; None if the command fails or git is missing."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    # Strip only the end: a line of `git status` may begin with a space.
    return done.stdout.rstrip() if done.returncode == 0 else None
