"""git: ask it, and find out which files differ from the present commit."""

from __future__ import annotations

import os
import posixpath
import subprocess
from pathlib import Path
from typing import Any

from moodring.checkout.pipeline import LOCK, PIPELINE, stages_in

NO_CODE = ("docs", "tests", "*.md")


def git(root: Path, *arguments: str) -> str | None:
    """The output of a git command in `root`; None if the command fails or git is missing."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)
    except FileNotFoundError:
        return None
    # git writes UTF-8, whatever the terminal's encoding. Strip only the end: a line of `git status` may begin
    # with a space.
    return done.stdout.decode("utf-8", "surrogateescape").rstrip() if done.returncode == 0 else None


def commit_of(root: Path, name: str) -> str | None:
    """The commit that a git revision names; None: there is no such revision."""
    return git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")


def shallow_hint(root: Path) -> str:
    """A sentence for the message on an unknown revision; empty unless the clone is shallow."""
    if git(root, "rev-parse", "--is-shallow-repository") != "true":
        return ""
    return " This clone is shallow, so older commits are missing: git fetch --unshallow."


def origin(here: Path) -> dict[str, str]:
    """What makes a run: git_commit, git_dirty, dvc_experiment and dvc_baseline, if they exist.

    Args:
        here: the checkout, or DVC's temporary copy of it.
    """
    of_dvc = {"dvc_experiment": "DVC_EXP_NAME", "dvc_baseline": "DVC_EXP_BASELINE_REV"}
    found = {name: value for name, variable in of_dvc.items() if (value := os.environ.get(variable))}
    if (commit := git(here, "rev-parse", "HEAD")) is not None:
        dirty = bool(changed_files(here, params="dvc_experiment" not in found))
        found |= {"git_commit": commit, "git_dirty": str(dirty).lower()}
    return found


def changed_files(root: Path, params: bool = True) -> list[str]:
    """The files that differ from the present commit and that a result may depend on: code, parameters, data.

    Outputs of stages and dvc.lock do not count: DVC deletes and writes them. Documentation and tests do not
    count either. A new file counts where a stage would read it, and if it is DVC's record of data.

    Args:
        root: of the checkout, or of DVC's temporary copy of it.
        params: whether params.yaml counts. In a DVC experiment it does not: `-S` changes it, the experiment
            keeps it, and the run lists every parameter.

    Returns:
        Lines of `git status --porcelain`; none without git.

    Raises:
        MoodringError: dvc.yaml or dvc.lock is damaged.
    """
    files = [root / name for name in (PIPELINE, LOCK) if (root / name).is_file()]
    stages = [
        stage for file in files for stage in stages_in(file.read_text(encoding="utf-8"), file.name).values()
    ]
    made, read = _paths(stages, "outs", "metrics", "plots"), _paths(stages, "deps") - {"."}
    uncounted = [f":(exclude,literal){path}" for path in sorted({LOCK, *made})]
    uncounted += [f":(exclude){path}" for path in (*NO_CODE, *([] if params else ["params.yaml"]))]
    places = [f":(literal){path}" for path in sorted(read)]
    status = ("status", "--porcelain")
    changed = git(root, *status, "--untracked-files=no", "--", ".", *uncounted)
    present = git(root, *status, "--untracked-files=all", "--", "*.dvc", *places, *uncounted)
    new = [line for line in (present or "").splitlines() if line.startswith("??")]
    return (changed or "").splitlines() + new


def _paths(stages: list[dict[str, Any]], *kinds: str) -> set[str]:
    """The paths inside the checkout that stages of dvc.yaml or dvc.lock list under these keys."""
    found = set()
    for stage in (stage.get("do", stage) for stage in stages):  # `do` is the body of a `foreach`
        for item in [item for kind in kinds for item in stage.get(kind, [])]:
            path = item if isinstance(item, str) else item.get("path") or next(iter(item))
            found.add(posixpath.normpath(posixpath.join(stage.get("wdir", "."), path)))
    # git refuses a path outside its repository.
    return {path for path in found if not path.startswith(("/", "..")) and ":/" not in path}
