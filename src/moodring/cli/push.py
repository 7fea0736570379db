"""Push what this configuration made."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moodring.checkout.pipeline import refuse_stale, stale_stages
from moodring.checkout.root import checkout_root
from moodring.errors import MoodringError, shows_errors
from moodring.params.file import load_params

if TYPE_CHECKING:
    from moodring.checkout.remote import Missing

SHOWN = 3  # paths of a stage


@shows_errors
def push(
    remote: Annotated[str | None, typer.Option(help="DVC's name of it; none: the default one")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="every configuration that was run here, not the present one alone")
    ] = False,
) -> None:
    """Push all that this configuration made to the DVC remote.

    Another clone that asks for it by `dvc repro --pull` or `dvc exp run --pull` then trains nothing. Exit
    code 1: an output is neither in DVC's cache nor at the remote.
    """
    from moodring.checkout.remote import push as push_all

    root = checkout_root()
    os.chdir(root)
    load_params(Path("params.yaml"))
    if not every:
        refuse_stale(stale_stages())
    pushed = push_all(root, remote, every)
    print(f"{pushed.outputs} outputs and {pushed.uncached} metrics and plots were new to the remote")
    if pushed.missing:
        raise MoodringError(
            "these outputs are neither in DVC's cache nor at the remote; all others are there:\n"
            + "".join(f"  {_line(item)}\n" for item in pushed.missing)
            + "\n".join([*_remedies(pushed.missing), "Then push again."])
        )


def _line(missing: Missing) -> str:
    stages = []
    for stage, paths in missing.outputs.items():
        more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
        stages.append(f"{stage} ({', '.join(paths[:SHOWN])}{more})")
    return f"{missing.result}: {', '.join(stages)}"


def _remedies(missing: Sequence[Missing]) -> Iterator[str]:
    if any(item.named for item in missing):
        yield "Make a result again: `git switch --detach COMMIT` or `dvc exp apply NAME`, then `dvc repro`."
    if not all(item.named for item in missing):
        yield "No commit or experiment has the result of a file of the run cache: you can delete the file."
