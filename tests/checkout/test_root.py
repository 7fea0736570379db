"""The checkout's root, also from DVC's temporary copies."""

from __future__ import annotations

from pathlib import Path

import pytest

from moodring.checkout.root import checkout_root, own_file
from moodring.errors import MoodringError


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


OWN = "data/own/my reviews.csv"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with an own file, as the working directory."""
    (tmp_path / ".dvc").mkdir()
    write(tmp_path / OWN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("text,label\n", encoding="utf-8")


def refusal(name: str) -> str:
    with pytest.raises(MoodringError) as caught:
        own_file(name)
    return str(caught.value)


def test_an_own_file_is_found_from_any_directory_of_the_checkout(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout / "data")
    assert own_file(OWN) == checkout / OWN


@pytest.mark.parametrize("copy", [".dvc/tmp/exps/tmpX", ".dvc/tmp/exps/standalone/tmpX"])
@pytest.mark.parametrize("variable", [".", "copy", None])
def test_in_a_temporary_copy_only_a_file_of_the_copy_is_found(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, copy: str, variable: str | None
) -> None:
    (checkout / copy / ".dvc").mkdir(parents=True)
    monkeypatch.chdir(checkout / copy)
    if variable:
        monkeypatch.setenv("DVC_ROOT", str(checkout / (copy if variable == "copy" else variable)))
    message = refusal(OWN)
    assert f"`dvc add '{OWN}'`" in message
    assert f"`git add '{OWN}.dvc' data/own/.gitignore`" in message
    write(checkout / copy / OWN)
    assert own_file(OWN) == checkout / copy / OWN


def test_a_missing_file_and_a_directory_are_named(checkout: Path) -> None:
    (checkout / "data/own/shop").mkdir()
    assert "no file 'data/own/none.csv'" in refusal("data/own/none.csv")
    assert "'data/own/shop' is a directory" in refusal("data/own/shop")


def test_a_file_in_a_linked_directory_is_refused(checkout: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere/deep/a.csv")
    (checkout / "data/own/shop").symlink_to(tmp_path / "elsewhere")
    message = refusal("data/own/shop/deep/a.csv")
    assert "data/own/shop, which is a link" in message
    assert "Copy the file to data/own/" in message


def test_a_linked_file_and_a_linked_data_own_are_read(checkout: Path, tmp_path: Path) -> None:
    # DVC reads them too: cache.type symlink makes links of all its files.
    write(tmp_path / "elsewhere/a.csv")
    (checkout / "data/own/a.csv").symlink_to(tmp_path / "elsewhere/a.csv")
    assert own_file("data/own/a.csv").is_file()
    (checkout / "data/own").rename(tmp_path / "disk")
    (checkout / "data/own").symlink_to(tmp_path / "disk")
    assert own_file("data/own/a.csv").is_file()


@pytest.mark.parametrize(
    ("place", "rule"),
    [(".dvcignore", "*.csv"), ("data/own/.dvcignore", "my*"), (".dvcignore", "/data/own/\n!/data/own/none")],
)
def test_a_file_that_dvc_ignores_is_refused(checkout: Path, place: str, rule: str) -> None:
    (checkout / place).write_text(f"{rule}\n", encoding="utf-8")
    message = refusal(OWN)
    assert f"DVC ignores {OWN}" in message
    assert f"`dvc check-ignore --details '{OWN}'`" in message
