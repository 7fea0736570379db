"""Asking git, which a checkout may lack."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git(root: Path, *arguments: str) -> str | None:
    """What a git command prints in `root`; None where it fails or there is no git."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    # Only at the end: a line of `git status` may begin with a space.
    return done.stdout.rstrip() if done.returncode == 0 else None
