"""Finds the checkout, even if DVC runs a stage in a temporary copy of it."""

from __future__ import annotations

import os
from pathlib import Path

from moodring.errors import MoodringError

# `dvc exp run --temp` and `--queue` run stages below this path, in copies that DVC deletes afterwards.
_TEMPORARY = (".dvc", "tmp", "exps")


def checkout_root() -> Path:
    """The root of the user's checkout: `DVC_ROOT`, or else the nearest parent directory with `.dvc`.

    In one of DVC's temporary copies it is the original checkout.
    """
    inside = Path(os.environ.get("DVC_ROOT") or _nearest_dvc_root(Path.cwd())).resolve()
    parts = inside.parts
    for start in range(len(parts) - len(_TEMPORARY)):
        if parts[start : start + len(_TEMPORARY)] == _TEMPORARY:
            return Path(*parts[:start])
    return inside


def in_checkout(path: str) -> Path:
    """Resolve a user's path: `~` is the home directory, and a relative path starts at the root."""
    return checkout_root() / os.path.expanduser(path)  # noqa: PTH111  # Path.expanduser raises for an unknown user


def find_file(name: str) -> Path:
    """Find a user's file by its path from the project's root.

    Raises:
        MoodringError: the file does not exist.
    """
    # The working directory comes first: a temporary copy has its own version of the file.
    for path in (Path.cwd() / name, in_checkout(name)):
        if path.is_file():
            return path
    raise MoodringError(f"there is no file {name!r}; paths are relative to the project's root")


def _nearest_dvc_root(start: Path) -> Path:
    return next((place for place in (start, *start.parents) if (place / ".dvc").is_dir()), start)
