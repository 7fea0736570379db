"""Finds the modules that a file's result depends on, from the import statements."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = "moodring"
# Rooms that a stage may import and that cannot change its outputs.
NO_RESULT = frozenset(
    (
        *("checkout", "cli", "collecting", "comparing", "doctor", "errors"),
        *("experiments", "mlflow_ui", "own_texts", "promotion", "serving", "tracking"),
    )
)


def code_of(entry: Path, root: Path) -> list[Path]:
    """The files that the result of `entry` depends on: `entry`, and its direct and indirect imports.

    Args:
        entry: a Python file.
        root: the checkout's root, which contains `src/moodring`.

    Returns:
        The files' paths, sorted. Modules of `NO_RESULT`, and modules that only they import, are left out.
    """
    seen: set[Path] = set()
    waiting = [entry]
    while waiting:
        file = waiting.pop()
        if file in seen or _without_result(file, root):
            continue
        seen.add(file)
        waiting += _imported(file, root)
    return sorted(seen)


def _without_result(file: Path, root: Path) -> bool:
    package = root / "src" / PACKAGE
    return package in file.parents and Path(file.relative_to(package).parts[0]).stem in NO_RESULT


def _imported(file: Path, root: Path) -> set[Path]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        # Importing a module also runs its package's `__init__.py`.
        names += [name.rpartition(".")[0] for name in names]
        found |= {path for name in names if (path := _module_file(name, root)) is not None}
    return found


def _module_file(name: str, root: Path) -> Path | None:
    if not name.startswith(f"{PACKAGE}."):
        return None
    place = root / "src" / Path(*name.split("."))
    return next((path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file()), None)
