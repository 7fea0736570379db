"""params.schema.json, and the changes that DVC's -S writes into params.yaml."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides

from moodring.params.base import flatten
from moodring.params.file import load_params, parse_params, read_yaml
from moodring.params.schema import PATH, schema_text
from tests.conftest import ROOT

TREE = read_yaml(ROOT / "params.yaml")
LEAVES = flatten(TREE)


def test_the_committed_schema_is_current() -> None:
    assert (ROOT / PATH).read_text(encoding="utf-8") == schema_text(), "run `make schema`"


def test_the_first_line_names_the_schema_for_editors() -> None:
    first = (ROOT / "params.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema={PATH}"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copy(ROOT / "params.yaml", tmp_path))


def changed_lines(copy: Path) -> list[str]:
    before = (ROOT / "params.yaml").read_text(encoding="utf-8").splitlines()
    after = copy.read_text(encoding="utf-8").splitlines()
    assert len(before) == len(after)
    return [new for old, new in zip(before, after, strict=True) if old != new]


def test_dvc_changes_one_line_of_the_file(copy: Path) -> None:
    apply_overrides(copy, ["seed=8"])
    assert [line.partition("#")[0].strip() for line in changed_lines(copy)] == ["seed: 8"]


@pytest.mark.parametrize(("name", "value"), LEAVES, ids=[name for name, _ in LEAVES])
def test_dvc_sets_each_leaf_and_no_other(copy: Path, name: str, value: Any) -> None:
    # No leaf has this value. It need not be valid to show that DVC writes it.
    apply_overrides(copy, [f"{name}=other"])
    after = dict(flatten(read_yaml(copy)))
    assert after == {**dict(LEAVES), name: "other"}
    assert len(changed_lines(copy)) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("archs.lstm.recurrent_dropout", "archs.lstm.dropout.recurrent"),
        ("archs.lstm.output_dropout", "archs.lstm.dropout.output"),
        ("archs.lstm.head_dropout", "archs.lstm.head.dropout"),
        ("archs.lstm.ngrams", "archs.lstm.blend.ngrams"),
        ("archs.lstm.embedding.dropout", "archs.lstm.dropout.embedding"),
        ("archs.lstm.embedding.spatial_dropout", "archs.lstm.dropout.spatial"),
    ],
)
def test_the_error_for_a_renamed_key_has_the_new_name(copy: Path, old: str, new: str) -> None:
    tree = read_yaml(copy)
    *parents, key = old.split(".")
    place = tree
    for parent in parents:
        place = place[parent]
    place[key] = 0.2
    with pytest.raises(Exception, match=rf"{old}: .*0\.2.*{new}"):
        parse_params(tree, "params.yaml")


def test_the_committed_parameters_are_valid() -> None:
    load_params(ROOT / "params.yaml")
