"""The state of the pipeline in the working directory, by DVC."""

from __future__ import annotations

from moodring.errors import MoodringError


def stale_stages() -> list[str]:
    """The stages, and the files that DVC tracks, that `dvc repro` would bring up to date; sorted.

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
    """Stop a command that needs the present result.

    Raises:
        MoodringError: a stage is stale.
    """
    if stale:
        raise MoodringError(f"there is no present result: {', '.join(stale)} changed. Run `dvc repro`.")
