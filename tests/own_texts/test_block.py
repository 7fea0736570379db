"""The block of a dataset in the text of params.yaml."""

from __future__ import annotations

import difflib

import pytest
from dvc.utils.hydra import apply_overrides

from moodring.errors import MoodringError
from moodring.own_texts.block import dataset_block, rendered, with_dataset
from moodring.own_texts.choose import Meaning
from moodring.params.file import parse_params, parse_yaml
from tests.conftest import ROOT

COMMITTED = (ROOT / "params.yaml").read_text("utf-8")
BLOCK = dataset_block(Meaning("review", "stars", ["4", "5"], ["1", "2"]).source("data/own/reviews.csv"), 200)


def changes(before: str, after: str) -> list[str]:
    """The removed and the added lines."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in lines if line[0] in "+-" and line[:3] not in {"+++", "---"}]


def test_the_block_in_the_readme_is_what_the_command_writes() -> None:
    assert f"```yaml\n{rendered('reviews', BLOCK)}```" in (ROOT / "README.md").read_text("utf-8")


def test_only_the_choice_and_the_new_block_change() -> None:
    changed = with_dataset(COMMITTED, "reviews", BLOCK)
    assert changes(COMMITTED, changed) == [
        "-dataset: rotten_tomatoes   # a name from `datasets`",
        "+dataset: reviews   # a name from `datasets`",
        *(f"+{line}" for line in rendered("reviews", BLOCK).splitlines()),
    ]
    params = parse_params(parse_yaml(changed, "params.yaml"), "params.yaml")
    assert params.dataset == "reviews"
    assert params.data.model_dump(exclude_defaults=True) == BLOCK


def test_dvc_changes_one_line_of_the_extended_file(tmp_path) -> None:
    path = tmp_path / "params.yaml"
    changed = with_dataset(COMMITTED, "reviews", BLOCK)
    path.write_text(changed, encoding="utf-8")
    apply_overrides(path, ["seed=8"])
    assert [line[:7] for line in changes(changed, path.read_text("utf-8"))] == ["-seed: ", "+seed: "]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            "# top\ndataset: 'a b' # why\ndatasets:\n    a b: {x: 1}  # odd   spaces\n\n\n# z\nz: [ 1 ,2 ]\n",
            id="odd",
        ),
        pytest.param("datasets:\n  a:\n    x: 1\n  # a last comment\ndataset: a\n", id="the choice is below"),
        pytest.param("dataset: a\ndatasets:\n  a: 1", id="no last line break"),
        pytest.param("dataset: a\r\ndatasets:\r\n  a: 1\r\nz: 2\r\n", id="CRLF"),
        pytest.param('dataset: "a"\ndatasets:\n  a: "' + "long " * 60 + '"\nz: 1\n', id="a long line"),
        pytest.param("dataset: a\ndatasets:\n  a: &x {y: 1}\n  b: *x\nz: 1\n", id="an alias"),
        pytest.param(
            "---\ndataset: a\ndatasets:\n  a: |\n    # no comment\n\n    text\nz: 1\n", id="a block of text"
        ),
    ],
)
def test_every_other_line_of_any_layout_stays(content: str) -> None:
    changed = with_dataset(content, "reviews", BLOCK)
    added = rendered("reviews", BLOCK).splitlines()
    assert [line[1:].strip() for line in changes(content, changed) if line[0] == "+"][-len(added) :] != []
    kept = [line for line in content.splitlines() if not line.startswith("dataset:")]
    assert [line for line in changed.splitlines() if line in kept] == kept
    tree = parse_yaml(changed, "params.yaml")
    assert tree["dataset"] == "reviews"
    assert tree["datasets"]["reviews"] == BLOCK
    assert ("\r\n" in content) == (changed.count("\r\n") == changed.count("\n"))


@pytest.mark.parametrize(
    "content",
    ["dataset: a\ndatasets: {a: 1}\n", "dataset: a\ndatasets: {}\n", "{dataset: a, datasets: {a: 1}}\n"],
)
def test_an_unusual_layout_is_an_error_with_the_block(content: str) -> None:
    with pytest.raises(MoodringError) as caught:
        with_dataset(content, "reviews", BLOCK)
    assert rendered("reviews", BLOCK) in str(caught.value)


def test_a_name_that_exists_is_an_error() -> None:
    with pytest.raises(MoodringError, match="has a dataset 'imdb'; choose another name with --name"):
        with_dataset(COMMITTED, "imdb", BLOCK)


@pytest.mark.parametrize("name", ["true", "null", "1e3", "2024", "no"])
def test_names_and_values_that_yaml_would_read_as_something_else_are_quoted(name: str) -> None:
    meaning = Meaning(f"{name}: x #", "ö, ü", ["True", "yes"], ["null", "0x1"], "- s", "'o\"")
    block = dataset_block(meaning.source("data/own/a b.csv"), 10)
    tree = parse_yaml(with_dataset("dataset: a\ndatasets:\n  a: 1\n", name, block), "params.yaml")
    assert tree["dataset"] == name
    assert tree["datasets"][name] == block
