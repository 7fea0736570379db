"""The `moodring` command: what DVC and MLflow have no command for."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from moodring.errors import MoodringError, shows_errors
from moodring.params import flatten, parse_params, read_yaml
from moodring.project import checkout_root

app = typer.Typer(help="Moodring's own commands; the pipeline itself is run by dvc.", no_args_is_help=True)
EXPERIMENTS = "experiments"


@app.callback()
def moodring() -> None:
    """Moodring's own commands; the pipeline itself is run by dvc."""


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@shows_errors
def experiment(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="a file of the folder experiments, without .yaml")],
) -> None:
    """Run a named experiment by `dvc exp run`.

    Further arguments go to DVC: --queue, --temp, --force, -S train.epochs=3.
    """
    root = checkout_root()
    overrides = experiment_overrides(root, name)
    command = ["dvc", "exp", "run", "--name", name]
    command += [part for override in overrides for part in ("-S", override)]
    command += context.args
    print(shlex.join(command), flush=True)
    _replace_process(command, root)


@app.command()
@shows_errors
def ui(
    port: Annotated[int, typer.Option(help="on the loopback address")] = 5000,
    host: Annotated[str, typer.Option(help="address to listen on; there is no login")] = "127.0.0.1",
) -> None:
    """Start the MLflow UI on this checkout's store."""
    from moodring.tracking import artifact_root, store_uri

    command = ["mlflow", "ui", "--backend-store-uri", store_uri()]
    command += ["--default-artifact-root", artifact_root(), "--host", host, "--port", str(port)]
    _replace_process(command, checkout_root())


def experiment_overrides(root: Path, name: str) -> list[str]:
    """A named experiment's settings as `KEY=VALUE`, checked against params.yaml.

    Raises:
        MoodringError: there is no such experiment, or params.yaml would not be valid with it.
    """
    known = sorted(path.stem for path in (root / EXPERIMENTS).glob("*.yaml"))
    if name not in known:
        raise MoodringError(f"there is no experiment {name!r}; known: {', '.join(known) or 'none'}")
    settings = read_yaml(root / EXPERIMENTS / f"{name}.yaml")
    base = read_yaml(root / "params.yaml")
    parse_params(_merge(base, settings), f"params.yaml with {EXPERIMENTS}/{name}.yaml")
    present = dict(flatten(base))
    # Hydra, which DVC sets parameters with, wants "++" before a key that is new.
    return [f"{'' if key in present else '++'}{key}={_hydra(value)}" for key, value in flatten(settings)]


def _merge(base: dict[str, object], over: dict[str, object]) -> dict[str, object]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


def _hydra(value: object) -> str:
    """A value in Hydra's override grammar, so that it is read back as it is."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, list):
        return f"[{','.join(map(_hydra, value))}]"
    if isinstance(value, str) and (value in _HYDRA_WORDS or not re.fullmatch(r"[A-Za-z_][\w./-]*", value)):
        return "'" + value.replace("'", "\\'") + "'"
    return str(value)


_HYDRA_WORDS = {"true", "false", "null", "nan", "inf"}


def _replace_process(command: list[str], directory: Path) -> None:
    # The environment's own programs come first, also where it is not activated.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    os.chdir(directory)
    sys.stdout.flush()
    try:
        os.execvp(command[0], command)
    except FileNotFoundError as error:
        raise MoodringError(f"{command[0]} is not installed here: {error}. Run `make install`.") from error
