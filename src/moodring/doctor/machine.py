"""Checks of the machine: Python, packages, the code in use, the mirror and the disk."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

from moodring.checkout.backend import installed_version
from moodring.doctor.findings import Finding

GIB = 2**30
LITTLE, SCARCE = 1 * GIB, 5 * GIB  # bytes of free disk space: below them the finding is bad, or a note
# `dvc gc --workspace` would also remove what `moodring push --all` sends.
CLEAN = "moodring push --all, then dvc gc --all-commits --all-experiments"
SHOWN = ("dvc", "mlflow", "keras", "tensorflow", "numpy", "pandas")


def check_python() -> Finding:
    """The version of Python."""
    version = platform.python_version()
    if (3, 11) <= sys.version_info[:2] < (3, 14):
        return Finding("ok", "python", f"{version}, {sys.executable}")
    return Finding("bad", "python", version, "run make clean-venv, then make install PYTHON=python3.13")


def check_packages() -> Finding:
    """The installed packages, compared with the requirements of moodring's own metadata."""
    try:
        required = [Requirement(line) for line in importlib.metadata.requires("moodring") or []]
    except importlib.metadata.PackageNotFoundError:
        return Finding("bad", "packages", "moodring itself is not installed", "make install")
    wrong = []
    for requirement in required:
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        installed = installed_version(requirement.name)
        if installed is None:
            wrong.append(f"{requirement.name} is missing")
        elif not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement.name} is {installed}, wanted {requirement.specifier}")
    if wrong:
        return Finding("bad", "packages", "; ".join(wrong), "make install")
    return Finding("ok", "packages", ", ".join(f"{name} {installed_version(name)}" for name in SHOWN))


def check_code(root: Path) -> Iterator[Finding]:
    """A note if the command runs the code of another checkout."""
    used = Path(__file__).resolve().parents[1]
    if used != (root / "src/moodring").resolve():
        yield Finding(
            "note",
            "code",
            f"the command `moodring` runs {used}, not this checkout's code",
            "run make install in this checkout",
        )


def check_mirror() -> Iterator[Finding]:
    """A finding if `MOODRING_MIRROR` is a path and no directory is there."""
    mirror = os.environ.get("MOODRING_MIRROR", "")
    if mirror and "://" not in mirror and not Path(mirror).expanduser().is_dir():
        yield Finding(
            "bad", "mirror", f"MOODRING_MIRROR is {mirror!r}, which is no directory", "correct or unset it"
        )


def check_disk(root: Path) -> Finding:
    """The free disk space of the checkout."""
    free = shutil.disk_usage(root).free
    seen = f"{free / GIB:.1f} GiB free"
    if free < LITTLE:
        return Finding("bad", "disk", seen, f"delete files that you do not need, or {CLEAN}")
    if free < SCARCE:
        return Finding("note", "disk", seen, CLEAN)
    return Finding("ok", "disk", seen)
