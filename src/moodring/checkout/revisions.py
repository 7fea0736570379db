"""The result of a git revision or a DVC experiment: the MD5 of `models` in its dvc.lock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from moodring.checkout.git import git
from moodring.errors import MoodringError

LOCK = "dvc.lock"


def result_here(root: Path) -> str | None:
    """The result of the checkout's dvc.lock; None where there is none yet.

    Raises:
        MoodringError: it is damaged.
    """
    lock = root / LOCK
    return models_md5(lock.read_text(encoding="utf-8")) if lock.is_file() else None


def results_of(root: Path, name: str) -> list[str]:
    """The results of a DVC experiment of this name (there is one a baseline), or of a git revision.

    Raises:
        MoodringError: there is neither, or it holds no result, or a damaged dvc.lock.
    """
    listed = git(root, "for-each-ref", "--format=%(refname)", "refs/exps")
    refs = [ref for ref in (listed or "").split() if ref.rpartition("/")[2] == name]
    if not refs and git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}") is None:
        raise MoodringError(
            f"{name!r} is neither an experiment nor a git revision; `dvc exp list --all` and `git log` "
            "name them"
        )
    locks = [lock for ref in refs or [name] if (lock := git(root, "show", f"{ref}:./{LOCK}")) is not None]
    found = {md5 for lock in locks if (md5 := models_md5(lock)) is not None}
    if not found:
        raise MoodringError(f"{name!r} holds no result: its {LOCK} has no models")
    return sorted(found)


def models_md5(lock: str) -> str | None:
    """The MD5 of `models` in the text of a dvc.lock; None if it has none.

    Raises:
        MoodringError: the text is damaged.
    """
    try:
        tree: dict[str, Any] = YAML(typ="safe", pure=True).load(lock) or {}
    except YAMLError as error:
        raise MoodringError(
            f"{LOCK} is not valid YAML: {error}. Rename it and run `dvc repro`, which writes it again"
        ) from error
    outs = tree.get("stages", {}).get("train", {}).get("outs", [])
    return next((str(out["md5"]) for out in outs if out["path"] == "models"), None)
