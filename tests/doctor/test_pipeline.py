"""Checks of dvc.yaml against params.yaml and the imports of the code."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from moodring.doctor.pipeline import check_pipeline
from tests.conftest import ROOT


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The files of the pipeline, to change."""
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("stages", "src/moodring"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def remove_line(root: Path, line: str) -> None:
    path = root / "dvc.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(line) == 1
    path.write_text(text.replace(line, ""), encoding="utf-8")


def test_the_committed_pipeline_is_ok() -> None:
    (finding,) = check_pipeline(ROOT, valid=True)
    assert finding.level == "ok"
    assert finding.seen.startswith("7 stages ")


def test_an_unread_parameter_and_a_missing_room_are_both_named(root: Path) -> None:
    remove_line(root, "      - train\n")
    remove_line(root, "      - src/moodring/training\n")
    parameters, code = check_pipeline(root, valid=True)
    assert parameters.level == code.level == "bad"
    assert "no stage reads train.epochs, train.batch_size, " in parameters.seen
    assert "train lacks src/moodring/training:" in code.seen


def test_unread_parameters_of_an_invalid_file_are_not_named_again(root: Path) -> None:
    remove_line(root, "      - train\n")
    assert list(check_pipeline(root, valid=False)) == []


def test_a_damaged_dvc_yaml_is_bad(root: Path) -> None:
    (root / "dvc.yaml").write_text("stages: [", encoding="utf-8")
    (finding,) = check_pipeline(root, valid=True)
    assert (finding.level, finding.about) == ("bad", "pipeline")
    assert "git diff" in finding.remedy
