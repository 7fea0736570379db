"""A path that the user gives starts in the directory where the user types it."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from moodring.cli.app import app
from moodring.cli.paths import path_argument, path_option, typed_model, typed_path
from tests.conftest import ROOT

PATH_WORDS = {"path", "file", "dir", "directory", "folder", "csv", "output", "html", "source"}


def path_parameters() -> Iterator[tuple[str, str, object]]:
    """Each command and parameter that takes a path, by its type or its name, with what parses it."""
    for command in app.registered_commands:
        assert command.callback is not None
        hints = typing.get_type_hints(command.callback, include_extras=True)
        for name, hint in hints.items():
            if typing.get_origin(hint) is not typing.Annotated:
                continue
            kind, info = typing.get_args(hint)
            is_named = "str" in str(kind) and {*name.split("_"), str(info.metavar).lower()} & PATH_WORDS
            if "pathlib" in str(kind) or is_named:
                yield command.callback.__name__, name, info.parser


def test_every_path_of_every_command_is_the_users() -> None:
    parsers = {(command, name): parser for command, name, parser in path_parameters()}
    assert ("predict", "file") in parsers
    wrong = [place for place, parser in parsers.items() if parser is not typed_path]
    assert wrong == [], "declare them with path_option or path_argument of moodring.cli.paths"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: `data` in a checkout. The home directory is `home` beside it."""
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "data")
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("t.txt", "{root}/data/t.txt"),
        ("./t.txt", "{root}/data/t.txt"),
        ("../t.txt", "{root}/data/../t.txt"),
        ("with space/ü.txt", "{root}/data/with space/ü.txt"),
        ("{root}/t.txt", "{root}/t.txt"),
        ("~/t.txt", "{root}/home/t.txt"),
        ("~", "{root}/home"),
        ("~no-such-user/t.txt", "{root}/data/~no-such-user/t.txt"),
        ("caf\udce9.txt", "{root}/data/caf\udce9.txt"),
        ("-", "-"),
    ],
)
def test_a_path_is_relative_to_where_it_is_typed(here: Path, typed: str, meant: str) -> None:
    root = here.parent
    assert typed_path(typed.format(root=root)) == Path(meant.format(root=root))


def print_paths(
    first: typing.Annotated[Path, path_argument(help="a file")],
    second: typing.Annotated[Path | None, path_option(help="a file")] = None,
) -> None:
    print(first, second)


def test_a_typer_command_receives_the_users_path(here: Path) -> None:
    own = typer.Typer()
    own.command()(print_paths)
    done = CliRunner().invoke(own, ["a.csv", "--second", "../b.csv"])
    assert done.stdout.split() == [str(here / "a.csv"), str(here / ".." / "b.csv")]


def test_a_printed_path_leads_there_from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "docs")
    assert "Report: ../report/index.html" in CliRunner().invoke(app, ["verdict"]).stdout.splitlines()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("moodring-tiny", "moodring-tiny"),
        ("moodring-tiny@champion", "moodring-tiny@champion"),
        ("tiny/3", "tiny/3"),
        ("models:/moodring-tiny/1", "models:/moodring-tiny/1"),
        ("e672fdc0", "e672fdc0"),
        ("", ""),
        ("models", "models"),  # a directory, but no model that MLflow logged
        ("logged", "{root}/data/logged"),
        ("./models", "{root}/data/models"),
        ("../model", "{root}/data/../model"),
        ("~/model", "{root}/home/model"),
        ("{root}/model", "{root}/model"),
    ],
)
def test_a_model_may_be_a_path(here: Path, typed: str, meant: str) -> None:
    (here / "models").mkdir()
    (here / "logged").mkdir()
    (here / "logged" / "MLmodel").touch()
    assert typed_model(typed.format(root=here.parent)) == meant.format(root=here.parent)
