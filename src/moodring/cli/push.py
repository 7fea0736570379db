"""Push what this configuration made."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from moodring.checkout.pipeline import refuse_stale, stale_stages
from moodring.checkout.root import checkout_root
from moodring.errors import shows_errors
from moodring.params.file import load_params


@shows_errors
def push(
    remote: Annotated[str | None, typer.Option(help="DVC's name of it; none: the default one")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="every configuration that was run here, not the present one alone")
    ] = False,
) -> None:
    """Push all that this configuration made to the DVC remote.

    Another clone that asks for it by `dvc repro --pull` or `dvc exp run --pull` then trains nothing.
    """
    from moodring.checkout.remote import push as push_all

    root = checkout_root()
    os.chdir(root)
    load_params(Path("params.yaml"))
    if not every:
        refuse_stale(stale_stages())
    pushed = push_all(root, remote, every)
    print(f"{pushed.outputs} outputs and {pushed.uncached} metrics and plots were new to the remote")
