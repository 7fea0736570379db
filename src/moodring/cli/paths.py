"""Paths that the user types: options and arguments of commands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import typer


def typed_path(text: str | Path) -> Path:
    """The absolute path that a user typed: `~` is the home directory, `-` stays as it is.

    A relative path starts in the directory where the command was typed. Typer calls this before the command
    runs, so before the command changes to the checkout's root. It also calls this for a default, a `Path`.
    """
    path = Path(os.path.expanduser(text))  # noqa: PTH111  # Path.expanduser raises for an unknown user
    return path if path == Path("-") else path.absolute()


def path_option(*names: str, **settings: Any) -> Any:
    """A `typer.Option` for a path; use this for every option of that kind."""
    return typer.Option(*names, **{"parser": typed_path, "metavar": "PATH", **settings})


def path_argument(**settings: Any) -> Any:
    """A `typer.Argument` for a path; use this for every argument of that kind."""
    return typer.Argument(parser=typed_path, **settings)


def shown_path(path: Path) -> str:
    """A path as a user reads it best: relative, if it is below the working directory."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def typed_model(text: str) -> str:
    """What a user typed as a model: a path as `typed_path`, and any other name as it is.

    A path begins with `/`, `~` or `.`, or leads to a model that MLflow logged.
    """
    if text.startswith((os.sep, "~", ".")) or (Path(text) / "MLmodel").is_file():
        return str(typed_path(text))
    return text
