"""dvc.yaml lists for each stage exactly the code and the parameters that its result depends on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from moodring.checkout.dependencies import code_of
from moodring.params.pipeline import Params

ROOT = Path(__file__).resolve().parents[1]
PIPELINE: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
STAGES: dict[str, Any] = PIPELINE["stages"]


def needed(stage: str) -> set[str]:
    """The stage's own file, and every room that its result depends on."""
    files = [file.relative_to(ROOT) for file in code_of(ROOT / "stages" / f"{stage}.py", ROOT)]
    return {Path(*file.parts[:3]).as_posix() for file in files}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_lists_exactly_the_code_that_it_imports(stage: str) -> None:
    listed = {dep for dep in STAGES[stage]["deps"] if dep.startswith(("src/", "stages/"))}
    assert listed == needed(stage)


def filled(name: str, params: Params) -> str:
    """A parameter's name with its templates replaced, as DVC does."""
    for key in ("dataset", "arch", "baseline"):
        name = name.replace(f"${{{key}}}", getattr(params, key))
    return name


def test_every_parameter_belongs_to_a_stage(params: Params) -> None:
    listed = {filled(name, params) for stage in STAGES.values() for name in stage["params"]}
    chosen = {**params.of_model(), **params.of_evaluation()}
    orphans = {key for key in chosen if not any(key == name or key.startswith(f"{name}.") for name in listed)}
    assert orphans == set()


def test_of_training_has_exactly_the_parameters_of_the_train_stage(params: Params) -> None:
    listed = [filled(name, params) for name in STAGES["train"]["params"]]
    chosen = {**params.of_model(), **params.of_evaluation()}
    expected = {key for key in chosen if any(key == name or key.startswith(f"{name}.") for name in listed)}
    assert set(params.of_training()) == expected


def test_paths_do_not_depend_on_dataset_or_architecture() -> None:
    for stage in STAGES.values():
        outputs = [stage.get(kind, []) for kind in ("outs", "metrics", "plots")]
        assert "${" not in str(outputs)


def test_dvc_caches_the_run_of_every_stage() -> None:
    # DVC has no run cache for a stage with an uncached output, except metrics and plots.
    for stage in STAGES.values():
        assert all(isinstance(output, str) for output in stage.get("outs", []))
