"""Checks of the repository: the state of git, and the DVC remote."""

from __future__ import annotations

import os
from pathlib import Path

from moodring.checkout.git import git
from moodring.doctor.findings import Finding


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
            f"git switch BRANCH; branches: {', '.join(branches) or 'none'}",
        )
    if changed := git(root, "status", "--porcelain", "--untracked-files=no"):
        return Finding(
            "note",
            "git",
            f"{branch} at {commit} with {len(changed.splitlines())} changed files: runs are tagged git_dirty",
            "git commit, so that a run's commit has the code of the run",
        )
    return Finding("ok", "git", f"{branch} at {commit}, clean")


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
