"""A DVC remote that spares another machine the work: every object of a configuration, and its run cache."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo

from moodring.errors import MoodringError


@dataclass(frozen=True)
class Pushed:
    """How many files were new to the remote: outputs, and uncached ones (metrics, plots) beside them."""

    outputs: int
    uncached: int


def push(root: Path, remote: str | None, every: bool) -> Pushed:
    """Push all that the present configuration made, or each one in the run cache.

    `dvc push --run-cache` sends the run cache's entries, but of the objects only those of the present
    dvc.lock that DVC caches: metrics and plots stay behind, and without them an entry restores nothing.

    Args:
        root: of the checkout.
        remote: DVC's name of it; None: the default one.
        every: also other configurations that were run here, queued experiments among them.

    Raises:
        MoodringError: there is no such remote, or something could not be sent.
    """
    try:
        with Repo(str(root)) as repo:
            outputs = repo.push(remote=remote, run_cache=True)
            objects = {out.hash_info for out in repo.index.outs if not out.use_cache and out.hash_info}
            if every:
                used = repo.stage_cache.get_used_objs(_entries(Path(repo.stage_cache.cache_dir)))
                objects |= {item for found in used.values() for item in found}
            with repo.lock:
                sent = repo.cloud.push(objects, remote=remote)
    except (DvcException, OSError) as error:
        raise MoodringError(
            f"cannot push: {error}. `dvc remote list` names the remotes; "
            "`dvc remote add --default NAME PLACE` adds one."
        ) from error
    if sent.failed:
        raise MoodringError(f"{len(sent.failed)} files could not be sent; run `moodring push` again")
    return Pushed(int(outputs), len(sent.transferred))


def _entries(run_cache: Path) -> list[tuple[str, str]]:
    """The run cache's entries, as DVC names them: a stage's inputs, and what they gave."""
    return sorted((path.parent.name, path.name) for path in run_cache.glob("*/*/*") if path.is_file())
