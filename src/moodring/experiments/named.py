"""Named experiments: files with changes of params.yaml, in the form of DVC's `-S`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from moodring.errors import MoodringError
from moodring.params.base import flatten
from moodring.params.file import parse_params, read_yaml

PLACE = "experiments"
_HYDRA_WORDS = {"true", "false", "null", "nan", "inf"}


def overrides(root: Path, name: str) -> list[str]:
    """A named experiment's settings as `KEY=VALUE`, after a check.

    Raises:
        MoodringError: there is no such experiment, or params.yaml with its settings is not valid.
    """
    settings = settings_of(root, name)
    base = read_yaml(root / "params.yaml")
    parse_params(merged(base, settings), f"params.yaml with {PLACE}/{name}.yaml")
    return assignments(base, settings)


def names_of(root: Path) -> list[str]:
    """The names of a checkout's experiments, sorted."""
    return sorted(path.stem for path in (root / PLACE).glob("*.yaml"))


def settings_of(root: Path, name: str) -> dict[str, Any]:
    """A named experiment's settings, as in its file.

    Raises:
        MoodringError: there is no such experiment, or its file contains no mapping.
    """
    known = names_of(root)
    if name not in known:
        raise MoodringError(f"there is no experiment {name!r}; known: {', '.join(known) or 'none'}")
    return read_yaml(root / PLACE / f"{name}.yaml")


def assignments(base: dict[str, Any], settings: dict[str, Any]) -> list[str]:
    """Changes of a tree of parameters as `KEY=VALUE`.

    Args:
        base: the tree.
        settings: the changed leaves.
    """
    present = dict(flatten(base))
    # DVC sets parameters with Hydra, which needs "++" before a new key.
    return [f"{'' if key in present else '++'}{key}={_hydra(value)}" for key, value in flatten(settings)]


def merged(base: dict[str, object], over: dict[str, object]) -> dict[str, object]:
    """Merge two trees; a leaf of `over` replaces the leaf of `base`."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        result[key] = merged(below, value) if both else value  # type: ignore[arg-type]
    return result


def _hydra(value: object) -> str:
    """A value in Hydra's override grammar, quoted so that Hydra reads the same value."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, list):
        return f"[{','.join(map(_hydra, value))}]"
    if isinstance(value, dict):  # in a list
        return "{" + ",".join(f"{key}:{_hydra(each)}" for key, each in value.items()) + "}"
    if isinstance(value, str) and (value in _HYDRA_WORDS or not re.fullmatch(r"[A-Za-z_][\w./-]*", value)):
        return "'" + value.replace("'", "\\'") + "'"
    return str(value)
