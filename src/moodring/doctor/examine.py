"""What is wrong with this setup, told before an hour of training does."""

from __future__ import annotations

import fnmatch
import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from packaging.requirements import Requirement

from moodring.checkout.backend import check_backend, installed_version
from moodring.checkout.dependencies import code_of
from moodring.checkout.git import git
from moodring.doctor.fused import obstacles
from moodring.errors import MoodringError
from moodring.params.arch import RecurrentParams
from moodring.params.base import flatten
from moodring.params.file import load_params, read_yaml
from moodring.params.pipeline import Params
from moodring.tracking.attempts import PLACE, abandoned

GIB = 2**30
LITTLE, SCARCE = 1 * GIB, 5 * GIB
SHOWN = ("dvc", "mlflow", "keras", "tensorflow", "numpy", "pandas")


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Args:
        level: ok; note: worth knowing; bad: it would hurt.
        about: what was looked at.
        seen: what was found.
        remedy: what to do; empty: nothing.
    """

    level: Literal["ok", "note", "bad"]
    about: str
    seen: str
    remedy: str = ""


def examine(root: Path) -> Iterator[Finding]:
    """Look at everything, in the order of what rests on what.

    Args:
        root: of the checkout, which is the working directory.
    """
    yield from _python()
    yield from _code(root)
    params = None
    try:
        params = load_params(root / "params.yaml")
    except MoodringError as error:
        yield Finding("bad", "parameters", str(error), "correct params.yaml")
    yield from _pipeline(root, checked=params is not None)
    yield from _backend(params)
    yield from _store(root)
    yield from _remote()
    yield from _git(root)
    yield from _mirror()
    yield from _disk(root)


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    if (3, 11) <= sys.version_info[:2] < (3, 14):
        yield Finding("ok", "python", f"{version}, {sys.executable}")
    else:
        yield Finding("bad", "python", version, "make clean-venv, then make install PYTHON=python3.13")
    try:
        required = [Requirement(line) for line in importlib.metadata.requires("moodring") or []]
    except importlib.metadata.PackageNotFoundError:
        yield Finding("bad", "packages", "moodring itself is not installed", "make install")
        return
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
        yield Finding("bad", "packages", "; ".join(wrong), "make install")
    else:
        yield Finding("ok", "packages", ", ".join(f"{name} {installed_version(name)}" for name in SHOWN))


def _code(root: Path) -> Iterator[Finding]:
    used = Path(__file__).resolve().parents[1]
    if used != (root / "src/moodring").resolve():
        yield Finding(
            "note",
            "code",
            f"the command `moodring` runs {used}, not this checkout's code",
            "make install here",
        )


def _pipeline(root: Path, checked: bool) -> Iterator[Finding]:
    try:
        stages: dict[str, Any] = read_yaml(root / "dvc.yaml").get("stages") or {}
        leaves = [name for name, _ in flatten(read_yaml(root / "params.yaml"))]
    except MoodringError as error:
        yield Finding("bad", "pipeline", str(error), "restore it: git checkout dvc.yaml params.yaml")
        return
    # What a template stands for depends on the choice; a parameter is read if any choice reads it.
    read = [
        str(name).replace("${dataset}", "*").replace("${arch}", "*")
        for stage in stages.values()
        for name in stage.get("params", [])
    ]
    unread = [
        leaf
        for leaf in leaves
        if not any(fnmatch.fnmatchcase(leaf, p) or fnmatch.fnmatchcase(leaf, f"{p}.*") for p in read)
    ]
    # A misspelt name was told already.
    if unread and checked:
        yield Finding(
            "bad",
            "parameters",
            f"no stage reads {', '.join(unread)}: changing them runs nothing again",
            "list them under the params of their stage in dvc.yaml",
        )
    short = []
    for name, stage in stages.items():
        entry = root / "stages" / f"{name}.py"
        if not entry.is_file():
            continue
        listed = [root / dep for dep in stage.get("deps", []) if isinstance(dep, str)]
        missing = [
            file for file in code_of(entry, root) if not any(dep in {file, *file.parents} for dep in listed)
        ]
        # dvc.yaml lists rooms, which are three folders deep, and each stage's own file.
        lacking = {Path(*file.relative_to(root).parts[:3]).as_posix() for file in missing}
        short += [f"{name} lacks {place}" for place in sorted(lacking)]
    if short:
        yield Finding(
            "bad",
            "code lists",
            f"{'; '.join(short)}: an edit there would restore stale results",
            "add them to the deps of the stage in dvc.yaml",
        )
    if not unread and not short:
        yield Finding("ok", "pipeline", f"{len(stages)} stages list every parameter and module they read")


def _backend(params: Params | None) -> Iterator[Finding]:
    try:
        name = check_backend()
        import keras

        devices = [str(device) for device in keras.distribution.list_devices()]
    except (MoodringError, ImportError, ValueError, RuntimeError) as error:
        yield Finding("bad", "backend", f"Keras does not start: {error}", "unset KERAS_BACKEND; make install")
        return
    gpus = [device for device in devices if device.lower().startswith(("gpu", "cuda"))]
    yield Finding("ok", "backend", f"{name} {installed_version(name)} on {', '.join(devices)}")
    if not gpus and shutil.which("nvidia-smi"):
        yield Finding(
            "note", "GPU", f"there is an NVIDIA driver, but {name} sees no GPU", "make install LOCKED=gpu"
        )
    if params is None:
        return
    if not isinstance(params.architecture, RecurrentParams):
        return  # a linear model runs on the CPU in any case
    why = obstacles(params.architecture, name)
    if why:
        yield Finding(
            "note", "fused kernel", f"not for {params.arch}: {'; '.join(why)}", "or bear slower steps"
        )
    elif gpus:
        yield Finding("ok", "fused kernel", f"{params.arch} takes it on {gpus[0]}")
    else:
        yield Finding("ok", "fused kernel", f"{params.arch} would take it on a GPU; here is none")


def _store(root: Path) -> Iterator[Finding]:
    from moodring.checkout.revisions import result_here
    from moodring.tracking.addresses import artifact_root, file_of, shown_uri, store_uri
    from moodring.tracking.lifecycle import left_running
    from moodring.tracking.listing import list_runs
    from moodring.tracking.relocation import misplaced

    local = file_of(store_uri())
    if local is not None and not local.exists():
        yield Finding("ok", "MLflow store", f"{shown_uri()}, which the first training makes")
        return
    try:
        out = misplaced()
        runs = list_runs()
        running = left_running()
    except MoodringError as error:
        yield Finding("bad", "MLflow store", str(error), "start the server, or unset MLFLOW_TRACKING_URI")
        return
    place = artifact_root() if local else "kept by the server"
    if out:
        yield Finding(
            "bad", "MLflow store", f"{shown_uri()} sends artifacts to {', '.join(out)}", "moodring relocate"
        )
    else:
        yield Finding("ok", "MLflow store", f"{shown_uri()}, {len(runs)} runs, artifacts {place}")
    if running:
        yield Finding(
            "note",
            "runs left RUNNING",
            ", ".join(running),
            "the same `dvc repro` goes on with one; `moodring sync` closes the others",
        )
    here = result_here(root)
    if here and here not in {run["models_md5"] for run in runs}:
        yield Finding("note", "present result", "it has no run in this store", "moodring sync")
    if left := abandoned():
        size = sum(file.stat().st_size for attempt in left for file in attempt.place.rglob("*"))
        yield Finding(
            "note",
            "unfinished trainings",
            f"{len(left)} in {PLACE}, {size / 2**20:.0f} MiB",
            f"run them again to go on, or rm -r {PLACE}",
        )


def _remote() -> Iterator[Finding]:
    from dvc.config import RemoteNotFoundError
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            name = repo.config["core"].get("remote")
            if not name:
                yield Finding(
                    "note",
                    "DVC remote",
                    "none: no other machine can use these results",
                    "dvc remote add --default NAME PLACE, then moodring push",
                )
                return
            remote = repo.cloud.get_remote(name)
            place, protocol = str(remote.path), remote.fs.protocol
    except RemoteNotFoundError as error:
        yield Finding("bad", "DVC remote", str(error), "dvc remote list; dvc remote default NAME")
        return
    except DvcException as error:
        yield Finding("bad", "DVC", str(error), "mend the repository: dvc doctor, dvc status")
        return
    if protocol != "local":
        yield Finding("ok", "DVC remote", f"{name}: {place}, not contacted")
    elif not Path(place).is_dir() and not _can_be_made(Path(place)):
        yield Finding(
            "bad", "DVC remote", f"{name}: {place} cannot be made", "dvc remote modify, or mount it"
        )
    elif Path(place).is_dir() and not os.access(place, os.W_OK):
        yield Finding("bad", "DVC remote", f"{name}: {place} cannot be written", "change its permissions")
    else:
        yield Finding("ok", "DVC remote", f"{name}: {place}")


def _git(root: Path) -> Iterator[Finding]:
    commit = git(root, "rev-parse", "--short", "HEAD")
    if commit is None:
        yield Finding("bad", "git", "no commit here: no run could say what made it", "git init, git commit")
        return
    branch = git(root, "symbolic-ref", "--short", "HEAD")
    if branch is None:
        branches = (git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads") or "").splitlines()
        yield Finding(
            "bad",
            "git",
            f"HEAD is detached at {commit}, as a killed `dvc exp run` leaves it: commits would be lost",
            f"git switch BRANCH; there are: {', '.join(branches) or 'none'}",
        )
    elif changed := git(root, "status", "--porcelain", "--untracked-files=no"):
        yield Finding(
            "note",
            "git",
            f"{branch} at {commit} with {len(changed.splitlines())} changed files: runs are tagged git_dirty",
            "git commit what a result is to be traced to",
        )
    else:
        yield Finding("ok", "git", f"{branch} at {commit}, clean")


def _mirror() -> Iterator[Finding]:
    mirror = os.environ.get("MOODRING_MIRROR", "")
    if mirror and "://" not in mirror and not Path(mirror).expanduser().is_dir():
        yield Finding("bad", "mirror", f"MOODRING_MIRROR is {mirror!r}, no folder", "correct or unset it")


def _disk(root: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(root).free
    seen = f"{free / GIB:.1f} GiB free"
    if free < LITTLE:
        yield Finding("bad", "disk", seen, "dvc gc --workspace, or make room")
    elif free < SCARCE:
        yield Finding("note", "disk", seen, "dvc gc --workspace drops what no present result needs")
    else:
        yield Finding("ok", "disk", seen)


def _can_be_made(folder: Path) -> bool:
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK)
