"""Checks of the repository: the state of git, and the DVC remote."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from moodring.checkout.git import changed_files, git
from moodring.checkout.root import own_file
from moodring.doctor.findings import Finding
from moodring.errors import MoodringError
from moodring.params.base import OWN, in_own
from moodring.params.data import FileSource
from moodring.params.pipeline import Params


def check_git(root: Path) -> Finding:
    """Whether a run can name the commit that made it.

    Args:
        root: the checkout's root.
    """
    commit = git(root, "rev-parse", "--short", "HEAD")
    if commit is None:
        return Finding(
            "bad", "git", "there is no commit, so a run cannot name its code", "git init, git commit"
        )
    branch = git(root, "symbolic-ref", "--short", "HEAD")
    if branch is None:
        branches = (git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads") or "").splitlines()
        return Finding(
            "bad",
            "git",
            f"HEAD is detached at {commit}, for example by a killed `dvc exp run`: commits would be lost",
            f"git branch NAME keeps commits that were made here; then git switch BRANCH; branches: "
            f"{', '.join(branches) or 'none'}",
        )
    lines = (git(root, "status", "--porcelain", "--untracked-files=all") or "").splitlines()
    untracked = sum(line.startswith("??") for line in lines)
    changed, relevant = len(lines) - untracked, changed_files(root)
    if not lines:
        return Finding("ok", "git", f"{branch} at {commit}, clean")
    tagged = ": runs are tagged git_dirty" if relevant else ", of which no result depends on any"
    found = [f"{changed} changed files{tagged}"] if changed else []
    found += [f"{untracked} untracked files: no commit has them"] if untracked else []
    return Finding(
        "note",
        "git",
        f"{branch} at {commit} with {', and '.join(found)}",
        "git add and git commit, so that a run's commit has the code of the run",
    )


def check_own_files(root: Path, params: Params | None) -> Iterator[Finding]:
    """Findings about files in data/own: chosen ones that no stage can read, and any that nothing tracks.

    Args:
        root: the checkout's root, which is the working directory.
        params: None: params.yaml is not valid; then the chosen files are not checked.
    """
    for name in [] if params is None else _chosen_files(params):
        try:
            own_file(name)
        except MoodringError as error:
            yield Finding("bad", "own files", str(error), "moodring new FILE makes a dataset of a file")
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            outputs = {Path(out.fs_path) for out in repo.index.outs if out.fs_path}
    except DvcException:
        return  # another check reports it
    in_git = set((git(root, "ls-files", "-z", "--", str(OWN)) or "").split("\0"))
    alone = [
        file.relative_to(root).as_posix()
        for file in sorted((root / OWN).rglob("*"))
        if file.is_file() and file.suffix != ".dvc" and file.name != ".gitignore"
        if not outputs & {file, *file.parents}
    ]
    if alone := [file for file in alone if file not in in_git]:
        yield Finding(
            "note",
            "own files",
            f"neither DVC nor git tracks {', '.join(alone)}: no other machine has them, and queued "
            "experiments refuse them",
            f"{shlex.join(['dvc', 'add', *alone])}; then git add the files that it names",
        )


def _chosen_files(params: Params) -> list[str]:
    source = params.data.source
    names = [source.path] if isinstance(source, FileSource) else []
    return names + [name for name in (params.architecture.embedding.vectors,) if in_own(name)]


def check_remote() -> Finding:
    """The default DVC remote of the working directory; a remote on another machine is not contacted."""
    from dvc.config import RemoteNotFoundError
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            name = repo.config["core"].get("remote")
            if not name:
                return Finding(
                    "note",
                    "DVC remote",
                    "none: no other machine can use these results",
                    "dvc remote add --default NAME PLACE, then moodring push",
                )
            remote = repo.cloud.get_remote(name)
            place, protocol = str(remote.path), remote.fs.protocol
    except RemoteNotFoundError as error:
        return Finding("bad", "DVC remote", str(error), "dvc remote list; dvc remote default NAME")
    except ImportError as error:
        return Finding("bad", "DVC remote", str(error), "install the package that the message names")
    except DvcException as error:
        return Finding("bad", "DVC", str(error), "repair the repository; see dvc doctor and dvc status")
    if protocol != "local":
        return Finding("ok", "DVC remote", f"{name}: {place}, not contacted")
    return _local_remote(name, Path(place))


def _local_remote(name: str, place: Path) -> Finding:
    if not place.is_dir() and not _can_be_created(place):
        return Finding(
            "bad", "DVC remote", f"{name}: {place} cannot be created", "dvc remote modify, or mount it"
        )
    if place.is_dir() and not os.access(place, os.W_OK):
        return Finding("bad", "DVC remote", f"{name}: {place} cannot be written", "change its permissions")
    return Finding("ok", "DVC remote", f"{name}: {place}")


def _can_be_created(directory: Path) -> bool:
    nearest = next(place for place in (directory, *directory.parents) if place.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK)
