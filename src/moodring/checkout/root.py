"""Finds the checkout, even if DVC runs a stage in a temporary copy of it."""

from __future__ import annotations

import os
import shlex
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


def own_file(name: str) -> Path:
    """Find a user's file in data/own by its path from the root of the checkout or of DVC's copy of it.

    DVC runs a stage again only for files that it sees. A file that it does not see is refused: an edit of it
    would change no result.

    Raises:
        MoodringError: there is no such file, or DVC does not see it.
    """
    # Not DVC_ROOT: in a temporary copy it may be the original checkout.
    root = _nearest_dvc_root(Path.cwd()).resolve()
    path = root / name
    if path.is_dir():
        raise MoodringError(f"{name!r} is a directory; name a file in it")
    if not path.is_file():
        if not (checkout_root() / name).is_file():
            raise MoodringError(f"there is no file {name!r}; paths are relative to the project's root")
        tracked = shlex.join(["git", "add", f"{name}.dvc", str(Path(name).with_name(".gitignore"))])
        raise MoodringError(
            f"{name} is not in DVC's copy of the checkout: `dvc exp run --temp` and `--queue` copy only "
            f"files that DVC or git tracks. Run `{shlex.join(['dvc', 'add', name])}`, then `{tracked}`"
        )
    for parent in list(path.relative_to(root).parents)[:-3]:  # without data/own, data and the root
        if (root / parent).is_symlink():
            raise MoodringError(
                f"{name} is in {parent}, which is a link: DVC does not notice a change of a file there. "
                "Copy the file to data/own/"
            )
    if _ignored(root, path):
        rule = shlex.join(["dvc", "check-ignore", "--details", name])
        raise MoodringError(
            f"DVC ignores {name}, so it does not notice a change of it. `{rule}` names the rule: remove it, "
            "or rename the file"
        )
    return path


def _ignored(root: Path, path: Path) -> bool:
    """Whether a rule of a file `.dvcignore` hides a file from DVC."""
    from dvc.fs import localfs
    from dvc.ignore import DvcIgnoreFilter

    return bool(DvcIgnoreFilter(localfs, str(root)).is_ignored_file(str(path)))


def _nearest_dvc_root(start: Path) -> Path:
    return next((place for place in (start, *start.parents) if (place / ".dvc").is_dir()), start)
