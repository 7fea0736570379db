"""Rules for rooms: an `__init__.py` imports nothing, and stages list few directories."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "moodring"
ROOMS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
# serving keeps an old name importable; tracking sets variables that mlflow reads on import.
MAY_IMPORT = {"serving", "tracking"}


def modules(room: Path) -> list[Path]:
    return sorted(path for path in room.glob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_an_init_imports_nothing(room: Path) -> None:
    tree = ast.parse((room / "__init__.py").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not imports or room.name in MAY_IMPORT


def test_stages_list_few_directories_of_code() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    code = [dep for stage in stages.values() for dep in stage["deps"] if dep.startswith(("src/", "stages/"))]
    source = [dep for dep in code if dep.startswith("src/")]
    assert len(code) <= 37
    assert len(source) <= 30
    assert all((ROOT / dep).is_dir() or dep == "src/moodring/errors.py" for dep in source)
