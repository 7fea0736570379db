"""Checks the setup before a long training run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from moodring.doctor.backend import check_keras
from moodring.doctor.findings import Finding
from moodring.doctor.machine import check_code, check_disk, check_mirror, check_packages, check_python
from moodring.doctor.pipeline import check_pipeline
from moodring.doctor.repository import check_git, check_own_files, check_remote
from moodring.doctor.store import check_store
from moodring.errors import MoodringError
from moodring.params.file import load_params


def examine(root: Path) -> Iterator[Finding]:
    """Run all checks; a check comes after those that it depends on.

    Args:
        root: the checkout's root, which is the working directory.
    """
    yield check_python()
    yield check_packages()
    yield from check_code(root)
    params = None
    try:
        params = load_params(root / "params.yaml")
    except MoodringError as error:
        yield Finding("bad", "parameters", str(error), "correct params.yaml")
    yield from check_pipeline(root, valid=params is not None)
    yield from check_keras(params)
    yield from check_store(root)
    yield check_remote()
    yield check_git(root)
    yield from check_own_files(root, params)
    yield from check_mirror()
    yield check_disk(root)
