"""Pushes all objects of a configuration and the run cache, so that another machine need not train."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo

from moodring.errors import MoodringError


@dataclass(frozen=True)
class Pushed:
    """Numbers of files that were new to the remote: outputs, and uncached outputs (metrics, plots)."""

    outputs: int
    uncached: int


def push(root: Path, remote: str | None, every: bool) -> Pushed:
    """Push all outputs of the present configuration, or of every configuration in the run cache.

    `dvc push --run-cache` sends all entries of the run cache, but only those objects that DVC caches for the
    present dvc.lock. It does not send metrics and plots, and without them DVC cannot restore an entry.

    Args:
        root: the checkout's root.
        remote: DVC's name of the remote; None: the default remote.
        every: push every configuration that ran here, including queued experiments.

    Raises:
        MoodringError: there is no such remote, or a file could not be sent.
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
            f"cannot push: {error}. `dvc remote list` lists the remotes; "
            "`dvc remote add --default NAME PLACE` adds one."
        ) from error
    if sent.failed:
        raise MoodringError(f"{len(sent.failed)} files could not be sent; run `moodring push` again")
    return Pushed(int(outputs), len(sent.transferred))


def _entries(run_cache: Path) -> list[tuple[str, str]]:
    """The run cache's entries as DVC names them: key of a stage's inputs, key of its outputs."""
    return sorted((path.parent.name, path.name) for path in run_cache.glob("*/*/*") if path.is_file())
