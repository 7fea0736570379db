"""The pipeline's state in the working directory, as DVC reports it."""

from __future__ import annotations

from moodring.errors import MoodringError


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
