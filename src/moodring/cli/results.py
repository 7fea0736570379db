"""Write the tables of docs/results.md."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from moodring.checkout.root import checkout_root
from moodring.cli.programs import own_programs_first
from moodring.errors import MoodringError, shows_errors

if TYPE_CHECKING:
    from moodring.experiments.page import Entry


@shows_errors
def results(
    missing: Annotated[
        bool, typer.Option("--missing", help="print the commands of the missing runs, one on each line")
    ] = False,
    run: Annotated[
        bool, typer.Option("--run", help="first train the missing runs, one after the other")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="write the page even if runs are missing")
    ] = False,
) -> None:
    """Write the tables of docs/results.md. docs/results.yaml declares their rows; the store has the runs.

    A run counts for a row if it was trained and evaluated with params.yaml and the row's changes. Of several
    runs the newest counts. If a run is missing, nothing is written and the exit code is 1.
    """
    from moodring.experiments import page
    from moodring.experiments.entries import read_entries
    from moodring.experiments.rows import PLACE
    from moodring.io.files import replacing

    root = checkout_root()
    os.chdir(root)
    entries = read_entries(root)
    if run:
        _run_all(_missing(entries))
        entries = read_entries(root)
    lacking = _missing(entries)
    if missing:
        print("\n".join(lacking), end="\n" if lacking else "")
        return
    path = page.PLACE
    for command in lacking:
        print(f"missing: {command}")
    if lacking and not partial:
        remedy = "Train them with `moodring results --run`, or write the page without them with --partial."
        if run:
            remedy = (
                "Either they failed (see above), or DVC restored them from its cache, which creates no run. "
                "For a restored one run `dvc exp apply` and `moodring sync`."
            )
        raise MoodringError(
            f"{len(lacking)} runs of {PLACE} are not in this store; {path} is unchanged. {remedy}"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MoodringError(f"cannot read {path}: {error}") from error
    with replacing(path) as fresh:
        fresh.write_text(page.filled(text, entries), encoding="utf-8")
    print(f"{len(entries)} rows -> {path}")


def _missing(entries: list[Entry]) -> list[str]:
    """The commands of the missing runs, without repetitions."""
    # --temp runs in a copy of the checkout. Without it, each run would change params.yaml for the next one.
    commands = (entry.row.command(seed, "--temp") for entry in entries for seed in entry.missing)
    return list(dict.fromkeys(commands))


def _run_all(commands: list[str]) -> None:
    """Run commands one after the other; a failed command does not stop the others."""
    environment = own_programs_first()
    for number, command in enumerate(commands, start=1):
        print(f"{number} of {len(commands)}: {command}", flush=True)
        if code := subprocess.run(shlex.split(command), env=environment, check=False).returncode:
            print(f"warning: exit code {code}: {command}", file=sys.stderr, flush=True)
