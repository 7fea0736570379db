"""The whole examination."""

from __future__ import annotations

from pathlib import Path

import pytest

from moodring.doctor.examine import examine


def test_defects_do_not_stop_the_other_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("arch: lstm\n", encoding="utf-8")
    findings = list(examine(tmp_path))
    bad = [finding.about for finding in findings if finding.level == "bad"]
    assert [about for about in bad if about not in {"python", "packages", "backend", "disk"}] == [
        "parameters",
        "pipeline",
        "DVC",
        "git",
    ]
    assert {"python", "packages", "backend", "MLflow store", "disk"} <= {
        finding.about for finding in findings
    }
    assert all(finding.remedy for finding in findings if finding.level != "ok")
