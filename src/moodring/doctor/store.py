"""Checks of the MLflow store: its address, its runs, and trainings that did not finish."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from moodring.doctor.findings import Finding
from moodring.errors import MoodringError
from moodring.tracking.attempts import PLACE, abandoned


def check_store(root: Path) -> Iterator[Finding]:
    """The MLflow store, its runs, and the present result's run.

    Args:
        root: the checkout's root.
    """
    from moodring.checkout.revisions import locked_here
    from moodring.tracking.addresses import artifact_root, file_of, given_uri, shown_uri, store_uri
    from moodring.tracking.lifecycle import left_running
    from moodring.tracking.listing import list_runs
    from moodring.tracking.relocation import misplaced

    try:
        local = file_of(store_uri())
    except MoodringError as error:
        yield Finding("bad", "MLflow store", str(error), "correct or unset MLFLOW_TRACKING_URI")
        return
    if local is not None and not local.exists():
        yield Finding("ok", "MLflow store", f"{shown_uri()}; the first training creates it")
        return
    try:
        out = misplaced()
        runs = list_runs()
        running = left_running()
    except MoodringError as error:
        remedy = (
            "start the server, or unset MLFLOW_TRACKING_URI" if given_uri() else "do what the message says"
        )
        yield Finding("bad", "MLflow store", str(error), remedy)
        return
    place = f"in {artifact_root()}" if local else "on the server"
    if out:
        yield Finding(
            "bad", "MLflow store", f"{shown_uri()} keeps artifacts in {', '.join(out)}", "moodring relocate"
        )
    else:
        yield Finding("ok", "MLflow store", f"{shown_uri()}, {len(runs)} runs, artifacts {place}")
    if running:
        yield Finding(
            "note",
            "runs left RUNNING",
            ", ".join(running),
            "the same `dvc repro` continues one; `moodring sync` closes the others",
        )
    here = locked_here(root)
    if here and not any(here.is_of(run["models_md5"], run["evaluation"]) for run in runs):
        yield Finding("note", "present result", "it has no run in this store", "moodring sync")
    yield from _unfinished_trainings()


def _unfinished_trainings() -> Iterator[Finding]:
    if left := abandoned():
        size = sum(file.stat().st_size for attempt in left for file in attempt.place.rglob("*"))
        yield Finding(
            "note",
            "unfinished trainings",
            f"{len(left)} in {PLACE}, {size / 2**20:.0f} MiB",
            f"run them again to continue them, or delete them: rm -r {PLACE}",
        )
