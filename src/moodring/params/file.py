"""Reads and checks params.yaml; no other module reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from moodring.errors import MoodringError
from moodring.params.pipeline import Params

# Old and new names of keys in an architecture's block.
RENAMED = {
    "embedding.dropout": "dropout.embedding",
    "embedding.spatial_dropout": "dropout.spatial",
    "recurrent_dropout": "dropout.recurrent",
    "output_dropout": "dropout.output",
    "head_dropout": "head.dropout",
    "ngrams": "blend.ngrams",
}


def load_params(path: Path) -> Params:
    """Read and check the whole parameter file.

    Raises:
        MoodringError: the file cannot be read or is not YAML; or it has an unknown name, a misspelt key, a
            missing key or a value out of range. The message names every such place and the value received.
    """
    return parse_params(read_yaml(path), str(path))


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that contains a mapping.

    Raises:
        MoodringError: the file cannot be read or does not contain a mapping.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise MoodringError(f"cannot read {path}: {error}. Run from the project's root.") from error
    except UnicodeDecodeError as error:
        raise MoodringError(f"cannot read {path}: {error}. Save it as UTF-8.") from error
    return parse_yaml(content, str(path))


def parse_yaml(content: str, origin: str) -> dict[str, Any]:
    """Parse YAML that contains a mapping; `origin` names it in the message.

    Raises:
        MoodringError: it is not YAML or contains no mapping.
    """
    try:
        # YAML 1.2, with the parser that DVC uses for params.yaml.
        tree = YAML(typ="safe", pure=True).load(content)
    except YAMLError as error:
        raise MoodringError(f"{origin} is not valid YAML: {error}") from error
    if not isinstance(tree, dict):
        raise MoodringError(f"{origin} must contain a mapping of parameters, received: {tree!r:.80}")
    return tree


def parse_params(tree: dict[str, Any], origin: str) -> Params:
    """Check a tree of parameters; `origin` names it in the message.

    Raises:
        MoodringError: as `load_params`.
    """
    try:
        return Params.model_validate(tree)
    except ValidationError as error:
        problems = "\n".join(f"  {_describe(problem)}" for problem in error.errors())
        raise MoodringError(f"{origin} is not valid:\n{problems}") from None


def _describe(problem: Any) -> str:
    # pydantic's places contain a block's kind (datasets.imdb.source.imdb.path, archs.lstm.recurrent.cell).
    # If a value may have one of two types, they also contain the type.
    parts = [str(part) for part in problem["loc"]]
    if parts[:1] == ["archs"]:
        del parts[2:3]
    if "frozen_epochs" in parts:
        del parts[parts.index("frozen_epochs") + 1 :]
    place = ".".join(part for before, part in zip(["", *parts], parts, strict=False) if before != "source")
    message = str(problem["msg"]).removeprefix("Value error, ")
    kind = problem["type"]
    if kind == "extra_forbidden":
        received = f"{place}: unknown key, received: {problem['input']!r:.80}"
        if parts[:1] == ["archs"] and (renamed := RENAMED.get(".".join(parts[2:]))):
            return f"{received}; it is now archs.{parts[1]}.{renamed}"
        return f"{received}; is it misspelt?"
    if kind == "missing":
        return f"{place}: missing"
    if kind == "value_error" and not place:
        return message
    return f"{place}: {message}, received: {problem['input']!r:.80}"
