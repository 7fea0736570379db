"""The pipeline: the stages in DVC's files, and its state in the working directory."""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from moodring.errors import MoodringError

LOCK = "dvc.lock"
PIPELINE = "dvc.yaml"


def stages_in(text: str | bytes, origin: str) -> dict[str, Any]:
    """The stages in the text of a dvc.yaml or dvc.lock, by name.

    Args:
        text: its content.
        origin: its name in the message, perhaps with the name of a revision.

    Raises:
        MoodringError: the text is damaged.
    """
    rebuilt = f" Or rename it and run `dvc repro`, which writes {LOCK} again." if LOCK in origin else ""
    try:
        # The parser that DVC uses: YAML 1.2.
        tree = YAML(typ="safe", pure=True).load(text)
        stages = tree.get("stages") if isinstance(tree, dict) else None
        return {str(name): dict(stage) for name, stage in (stages or {}).items()}
    except (YAMLError, AttributeError, TypeError, ValueError) as error:
        raise MoodringError(f"{origin} is not valid YAML: {error}. Correct it.{rebuilt}") from error


def stale_stages() -> list[str]:
    """The stages that `dvc repro` would run, and the changed files that DVC tracks; sorted.

    Raises:
        MoodringError: DVC cannot read the repository.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            return sorted(repo.status())
    except DvcException as error:
        raise MoodringError(f"DVC cannot read the pipeline's state: {error}. Try `dvc status`.") from error


def refuse_stale(stale: list[str]) -> None:
    """Stop a command that needs an up-to-date result.

    Raises:
        MoodringError: a stage is stale.
    """
    if stale:
        raise MoodringError(f"the result is not up to date: {', '.join(stale)} changed. Run `dvc repro`.")
