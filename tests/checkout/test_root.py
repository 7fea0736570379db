"""The checkout's root, also from DVC's temporary copies."""

from __future__ import annotations

from pathlib import Path

import pytest

from moodring.checkout.root import checkout_root


@pytest.mark.parametrize("copy", [".dvc/tmp/exps/tmpX", ".dvc/tmp/exps/standalone/tmpX"])
def test_in_dvcs_temporary_copy_the_root_is_the_original_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy: str
) -> None:
    (tmp_path / copy / ".dvc").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / copy)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / copy))
    assert checkout_root() == tmp_path


def test_in_a_temporary_copy_no_variable_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".dvc/tmp/exps/tmpX/.dvc").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / ".dvc/tmp/exps/tmpX")
    assert checkout_root() == tmp_path


def test_dvc_root_comes_before_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here/.dvc").mkdir(parents=True)
    (tmp_path / "there/.dvc").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "there"))
    assert checkout_root() == tmp_path / "there"


def test_without_dvc_root_the_root_is_the_nearest_parent_with_dvc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "near/.dvc").mkdir(parents=True)
    (tmp_path / "near/a/b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "near/a/b")
    assert checkout_root() == tmp_path / "near"
