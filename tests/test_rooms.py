"""Rules for rooms: their size, an `__init__.py` that imports nothing, few directories for a stage."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import typer
import yaml

from moodring.cli.app import app

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "moodring"
ROOMS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
# serving keeps an old name importable; tracking sets variables that mlflow reads on import.
MAY_IMPORT = {"serving", "tracking"}


def modules(room: Path) -> list[Path]:
    return sorted(path for path in room.glob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize("room", [room for room in ROOMS if room.name != "cli"], ids=lambda room: room.name)
def test_a_room_has_3_to_8_files(room: Path) -> None:
    files = [path for path in room.rglob("*") if path.suffix in {".py", ".html", ".css"}]
    assert len(files) >= 3
    assert len(modules(room)) <= 8


def test_no_module_has_more_than_250_lines() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {path.name: length for path, length in lengths.items() if length > 250} == {}


def test_the_cli_has_a_module_for_each_command() -> None:
    commands = typer.main.get_group(app).commands
    assert {name.replace("-", "_") for name in commands} <= {path.stem for path in modules(PACKAGE / "cli")}


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
