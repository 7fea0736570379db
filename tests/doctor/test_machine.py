"""Checks of Python, packages, code, mirror and disk."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from moodring.doctor.machine import GIB, check_code, check_disk, check_mirror, check_packages, check_python
from tests.conftest import ROOT


class Usage(NamedTuple):
    """As `shutil.disk_usage` returns it, in bytes."""

    total: int
    used: int
    free: int


def test_a_supported_python_is_ok() -> None:
    assert check_python().level == "ok"


def test_an_old_python_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    finding = check_python()
    assert finding.level == "bad"
    assert "make install" in finding.remedy


def test_missing_and_old_packages_are_named_in_one_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    required = ["no-such-package>=1", "numpy<1", "no-such-extra>=1; extra == 'dev'"]
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: required)
    finding = check_packages()
    assert finding.level == "bad"
    assert "no-such-package is missing" in finding.seen
    assert "wanted <1" in finding.seen
    assert "no-such-extra" not in finding.seen


def test_the_code_of_another_checkout_is_noted(tmp_path: Path) -> None:
    assert list(check_code(ROOT)) == []
    (finding,) = check_code(tmp_path)
    assert finding.level == "note"
    assert str(ROOT / "src/moodring") in finding.seen


@pytest.mark.parametrize("mirror", ["", "https://example.org/mirror", "."])
def test_a_usable_mirror_gives_no_finding(monkeypatch: pytest.MonkeyPatch, mirror: str) -> None:
    monkeypatch.setenv("MOODRING_MIRROR", mirror)
    assert list(check_mirror()) == []


def test_a_missing_mirror_is_bad(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MOODRING_MIRROR", str(tmp_path / "absent"))
    (finding,) = check_mirror()
    assert finding.level == "bad"
    assert "absent" in finding.seen


@pytest.mark.parametrize(("free", "level"), [(0.5, "bad"), (3, "note"), (20, "ok")])
def test_a_nearly_full_disk_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: float, level: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(0, 0, int(free * GIB)))
    finding = check_disk(tmp_path)
    assert finding.level == level
    assert finding.seen == f"{free:.1f} GiB free"
