"""The result of a git revision or a DVC experiment, read from its dvc.lock."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moodring.checkout.git import commit_of, git, shallow_hint
from moodring.checkout.pipeline import LOCK, stages_in
from moodring.errors import MoodringError


@dataclass(frozen=True)
class LockedResult:
    """A result as dvc.lock has it: a model, and an evaluation of it.

    Args:
        models_md5: the MD5 of `models`.
        evaluation: the parameters of the evaluation, by their dotted names; None: there was none.
    """

    models_md5: str
    evaluation: Mapping[str, Any] | None

    def is_of(self, models_md5: str | None, evaluation: Mapping[str, str]) -> bool:
        """Whether a run has this result.

        Args:
            models_md5: of the run.
            evaluation: of the run; see `evaluation_of`.
        """
        if models_md5 != self.models_md5 or self.evaluation is None:
            return models_md5 == self.models_md5
        return bool(evaluation) and is_evaluation(evaluation, self.evaluation)


def evaluation_of(tags: Mapping[str, str]) -> dict[str, str]:
    """The parameters of an evaluation among a run's tags; empty: the run was never evaluated."""
    found = {name: value for name, value in tags.items() if name.startswith(("evaluate.", "archs."))}
    return {**found, "baseline": tags["baseline"]} if found and "baseline" in tags else found


def is_evaluation(tags: Mapping[str, str], evaluation: Mapping[str, Any]) -> bool:
    """Whether a run's tags agree with the parameters of an evaluation.

    Only parameters that both have are compared: an older run lacks those that were added later.

    Args:
        tags: of a run that was evaluated.
        evaluation: flat parameters, by their names in params.yaml.
    """
    return all(_same(tags[name], value) for name, value in evaluation.items() if name in tags)


def _same(logged: str, value: Any) -> bool:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        with contextlib.suppress(ValueError):
            return float(logged) == value  # 1 and 1.0 are the same threshold
    return logged == str(value)


def result_here(root: Path) -> str | None:
    """The MD5 of the model of the checkout's dvc.lock; None where there is none yet.

    Raises:
        MoodringError: it is damaged.
    """
    here = locked_here(root)
    return None if here is None else here.models_md5


def locked_here(root: Path) -> LockedResult | None:
    """The result of the checkout's dvc.lock; None where there is none yet.

    Raises:
        MoodringError: it is damaged.
    """
    lock = root / LOCK
    return locked_result(lock.read_text(encoding="utf-8")) if lock.is_file() else None


def results_of(root: Path, name: str) -> list[str]:
    """The MD5s of the models of an experiment or revision; see `locked_of`."""
    return sorted({result.models_md5 for result in locked_of(root, name)})


def locked_of(root: Path, name: str) -> list[LockedResult]:
    """The results of a DVC experiment of this name (there is one a baseline), or of a git revision.

    Raises:
        MoodringError: there is neither, or it holds no result, or a damaged dvc.lock.
    """
    listed = git(root, "for-each-ref", "--format=%(refname)", "refs/exps")
    refs = [ref for ref in (listed or "").split() if ref.rpartition("/")[2] == name]
    if not refs and commit_of(root, name) is None:
        raise MoodringError(
            f"{name!r} is neither an experiment nor a git revision.{shallow_hint(root)} "
            "`dvc exp list --all` and `git log` name them."
        )
    locks = [lock for ref in refs or [name] if (lock := git(root, "show", f"{ref}:./{LOCK}")) is not None]
    found = [result for lock in locks if (result := locked_result(lock)) is not None]
    if not found:
        raise MoodringError(no_result_in(name))
    return found


def no_result_in(name: str) -> str:
    """The message on a git revision or experiment without a model."""
    return f"{name!r} holds no result: it has no {LOCK} with models. Run `dvc repro` there."


def locked_result(lock: str) -> LockedResult | None:
    """The result in the text of a dvc.lock; None if it has no model.

    Raises:
        MoodringError: the text is damaged.
    """
    stages = stages_in(lock, LOCK)
    models = _md5_of(stages.get("train"), "outs")
    return None if models is None else LockedResult(models, _evaluation(stages, models))


def _md5_of(stage: dict[str, Any] | None, kind: str) -> str | None:
    """The MD5 of `models` among the outputs or dependencies of a stage."""
    files = (stage or {}).get(kind) or []
    return next((str(file["md5"]) for file in files if file["path"] == "models" and "md5" in file), None)


def _evaluation(stages: dict[str, Any], models_md5: str) -> dict[str, Any] | None:
    """The parameters of evaluation, unless dvc.lock has only the evaluation of an earlier model."""
    stage = stages.get("evaluate")
    if _md5_of(stage, "deps") != models_md5:
        return None
    params = _params(stage)
    baseline = params.get("baseline")
    of_baseline = _params(stages.get("baseline")).get(f"archs.{baseline}")
    tree = {"baseline": baseline, "evaluate": params.get("evaluate"), f"archs.{baseline}": of_baseline}
    return {name: value for key, block in tree.items() for name, value in _leaves(key, block)}


def _params(stage: dict[str, Any] | None) -> dict[str, Any]:
    files = (stage or {}).get("params") or {}
    return {name: value for block in files.values() for name, value in block.items()}


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}", inner)
    elif value is not None:
        yield name, value
