"""Checks of the MLflow store. tests/pipeline checks stores with runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from moodring.doctor.store import check_store


def test_a_checkout_before_its_first_training_is_ok(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    (finding,) = check_store(tmp_path)
    assert finding.level == "ok"
    assert str(tmp_path / "mlflow.db") in finding.seen


def test_a_file_that_is_no_store_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "mlflow.db").write_text("not a database", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (finding,) = check_store(tmp_path)
    assert finding.level == "bad"
    assert "mlflow.db" in finding.seen
