"""Adds the block of a dataset to the text of params.yaml; every other line stays as it is."""

from __future__ import annotations

import contextlib
import io
import re
import textwrap
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from moodring.errors import MoodringError
from moodring.params.file import parse_yaml

COMMENTS = {
    "text": "the column with the text",
    "label": "the column with the label",
    "positive": "the values of the label that mean positive",
}
COLUMN = 24  # of the comments
ONE_LINE = {"tokenize"}  # not the lists: `dvc exp run -S` writes them with an element a line
DEFAULTS: dict[str, Any] = {
    "preprocess": {
        "html": "space",
        "lowercase": True,
        "emoticons": "keep",
        "pattern": "keras",
        "stop_words": "keep",
        "stem": "none",
        "validation_share": 0.1,
    },
    "tokenize": {"max_tokens": 20000, "min_count": 2, "oov": "mark"},
}


def dataset_block(source: Mapping[str, Any], max_length: int) -> dict[str, Any]:
    """The block of a dataset with the usual settings.

    Args:
        source: its block `source`.
        max_length: the number of tokens that a model reads.
    """
    return {"source": dict(source), **DEFAULTS, "max_length": max_length}


def rendered(name: str, block: Mapping[str, Any], indent: int = 2) -> str:
    """The block as lines of YAML, to be inserted below `datasets:`.

    Args:
        name: the dataset's.
        block: its block.
        indent: the number of spaces before the name.
    """
    yaml = YAML()
    yaml.width = 10_000  # one line for each key
    stream = io.StringIO()
    yaml.dump({name: _commented(block, indent + 4)}, stream)
    return textwrap.indent(stream.getvalue(), " " * indent)


def with_dataset(content: str, name: str, block: Mapping[str, Any]) -> str:
    """The text of params.yaml with another dataset, which is the chosen one.

    Args:
        content: the text.
        name: the new dataset's.
        block: its block.

    Raises:
        MoodringError: the file has this dataset, or the block must be added by hand.
    """
    tree = YAML().load(content)
    datasets = tree["datasets"]
    if name in datasets:
        raise MoodringError(f"params.yaml has a dataset {name!r}; choose another name with --name")
    expected = parse_yaml(content, "params.yaml")
    expected["datasets"][name] = dict(block)
    expected["dataset"] = name
    indent = datasets.lc.key(next(iter(datasets)))[1] if datasets and not datasets.fa.flow_style() else 2
    lines = rendered(name, block, indent)
    changed = _inserted(_chosen(content, tree, name), tree, lines)
    with contextlib.suppress(MoodringError):
        if parse_yaml(changed, "params.yaml") == expected:
            return changed
    raise MoodringError(
        f"the layout of params.yaml is too unusual to add a block to it. Write `dataset: {name}`, and below "
        f"`datasets:` this block, yourself:\n{lines}"
    )


def _chosen(content: str, tree: CommentedMap, name: str) -> str:
    """Replace the value of `dataset`."""
    row, column = tree.lc.value("dataset")
    lines = content.splitlines(keepends=True)
    value = re.compile(r"'[^']*'|\"[^\"]*\"|[^\s#]+")
    lines[row] = lines[row][:column] + value.sub(_scalar(name), lines[row][column:], count=1)
    return "".join(lines)


def _inserted(content: str, tree: CommentedMap, block: str) -> str:
    """Insert lines after the last dataset."""
    ending = "\r\n" if "\r\n" in content else "\n"
    lines = content.splitlines(keepends=True)
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += ending
    names = list(tree)
    following = names[names.index("datasets") + 1 :]
    row = tree.lc.key(following[0])[0] if following else len(lines)
    # Blank lines and comments before the next key belong to it.
    while row and (not lines[row - 1].strip() or lines[row - 1].startswith("#")):
        row -= 1
    return "".join([*lines[:row], block.replace("\n", ending), *lines[row:]])


def _scalar(text: str) -> str:
    """A string as YAML, in quotation marks if it would be read as something else."""
    return text if YAML(typ="safe", pure=True).load(text) == text else f'"{text}"'


def _commented(block: Mapping[str, Any], indent: int) -> CommentedMap:
    """The block with comments, and with some values on one line."""
    result = CommentedMap()
    for key, value in block.items():
        result[key] = value
        if isinstance(value, Mapping):
            result[key] = _commented(value, indent)
        if key in ONE_LINE:
            result[key].fa.set_flow_style()
        if key in COMMENTS:
            result.yaml_add_eol_comment(COMMENTS[key], key, column=COLUMN)
    return result
