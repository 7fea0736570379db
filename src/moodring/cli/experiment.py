"""Run a named experiment."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from moodring.checkout.root import checkout_root
from moodring.cli.programs import replace_process
from moodring.errors import shows_errors
from moodring.experiments.named import overrides


@shows_errors
def experiment(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="name of a file in experiments/, without .yaml")],
) -> None:
    """Run a named experiment with `dvc exp run`.

    Further arguments go to DVC: --queue, --temp, --force, -S train.epochs=3.
    """
    root = checkout_root()
    command = ["dvc", "exp", "run", "--name", name]
    command += [part for override in overrides(root, name) for part in ("-S", override)]
    command += context.args
    print(shlex.join(command), flush=True)
    replace_process(command, root)
