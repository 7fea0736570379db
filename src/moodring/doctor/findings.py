"""A finding: one result of the checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Args:
        level: ok; note: worth knowing; bad: a training would fail or give wrong results.
        about: the thing that was checked.
        seen: the state that was found.
        remedy: what to do; empty: nothing.
    """

    level: Literal["ok", "note", "bad"]
    about: str
    seen: str
    remedy: str = ""
