"""The child process in which a function is measured; see `measure.in_child`."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path


def main(place: str, arguments: str, result: str) -> None:
    """Call `module:function` with the JSON arguments, and write its return value as JSON."""
    module, _, name = place.partition(":")
    found = getattr(importlib.import_module(module), name)(**json.loads(arguments))
    Path(result).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
