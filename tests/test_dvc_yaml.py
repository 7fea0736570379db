"""dvc.yaml lists for each stage exactly the code and the parameters that its result depends on."""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import Any

import pytest
import yaml

from moodring.params import Params

ROOT = Path(__file__).resolve().parents[1]
PIPELINE: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
STAGES: dict[str, Any] = PIPELINE["stages"]

# Modules that a stage uses and that cannot change what it writes: how errors look, where the checkout is,
# and what is told to MLflow, the served model included.
NO_RESULT = {"errors", "project", "tracking", "pyfunc_model", "publishing", "serving"}


@functools.cache
def imported(file: Path) -> frozenset[Path]:
    """The project's own modules that a file imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {path for name in names if (path := module_file(name)) is not None}
    return frozenset(found)


def module_file(name: str) -> Path | None:
    place = ROOT / "src" / Path(*name.split("."))
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file() and name.startswith("moodring."):
            return path
    return None


def needed(stage: str) -> set[str]:
    """Every module that the stage's result depends on, as dvc.yaml would list it."""
    seen: set[Path] = set()
    waiting = [ROOT / "stages" / f"{stage}.py"]
    while waiting:
        file = waiting.pop()
        if file in seen or file.stem in NO_RESULT:
            continue
        seen.add(file)
        waiting += imported(file)
    relative = {file.relative_to(ROOT) for file in seen}
    package = Path("src/moodring/datasets")
    return {(package if package in file.parents else file).as_posix() for file in relative}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_lists_exactly_the_code_that_it_imports(stage: str) -> None:
    listed = {dep for dep in STAGES[stage]["deps"] if dep.startswith(("src/", "stages/"))}
    assert listed == needed(stage)


def test_every_parameter_belongs_to_a_stage(params: Params) -> None:
    listed = {
        name.replace("${dataset}", params.dataset).replace("${arch}", params.arch)
        for stage in STAGES.values()
        for name in stage["params"]
    }
    chosen = {**params.of_model(), **params.of_evaluation()}
    orphans = {key for key in chosen if not any(key == name or key.startswith(f"{name}.") for name in listed)}
    assert orphans == set()


def test_a_model_directory_names_exactly_the_parameters_of_its_stage(params: Params) -> None:
    listed = [
        name.replace("${dataset}", params.dataset).replace("${arch}", params.arch)
        for name in STAGES["train"]["params"]
    ]
    chosen = {**params.of_model(), **params.of_evaluation()}
    expected = {key for key in chosen if any(key == name or key.startswith(f"{name}.") for name in listed)}
    assert set(params.of_training()) == expected


def test_paths_do_not_depend_on_dataset_or_architecture() -> None:
    for stage in STAGES.values():
        outputs = [stage.get(kind, []) for kind in ("outs", "metrics", "plots")]
        assert "${" not in str(outputs)


def test_dvc_caches_every_stages_run() -> None:
    # DVC keeps no run cache for a stage with an uncached output that is neither metric nor plot.
    for stage in STAGES.values():
        assert all(isinstance(output, str) for output in stage.get("outs", []))
