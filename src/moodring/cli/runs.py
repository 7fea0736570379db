"""List the store's runs."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from moodring.checkout.root import checkout_root
from moodring.errors import MoodringError, shows_errors


@shows_errors
def runs(
    name: Annotated[
        str | None, typer.Argument(help="a DVC experiment or git revision: only the run of its result")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for programs: one JSON list")] = False,
) -> None:
    """List the store's runs, newest first; the present result's is marked `here`.

    `--json` has the whole ids of runs and commits.
    """
    from moodring.checkout.revisions import locked_here, locked_of
    from moodring.tracking.listing import list_runs

    root = checkout_root()
    wanted = None if name is None else locked_of(root, name)
    here = locked_here(root)
    found = [
        run
        for run in list_runs()
        if wanted is None or any(result.is_of(run["models_md5"], run["evaluation"]) for result in wanted)
    ]
    for run in found:
        run["here"] = here is not None and here.is_of(run["models_md5"], run["evaluation"])
    if name is not None and not found:
        raise MoodringError(
            f"the result of {name!r} has no run in this store; check it out (git or `dvc exp apply`), "
            "`dvc checkout`, then `moodring sync`"
        )
    if as_json:
        print(json.dumps(found, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for column in ("experiment", "commit", "dataset", "arch", "test accuracy", "run", "model", "notes"):
        table.add_column(column, no_wrap=True, justify="right" if column == "test accuracy" else "left")
    for run in found:
        notes = [run["status"].lower()] if run["status"] != "FINISHED" else []
        notes += [note for note in ("here", "dirty", "restored", "resumed") if run[note]]
        notes += [f"model of {run['trained_in'][:8]}"] if run["trained_in"] else []
        table.add_row(
            run["experiment"] or "-",
            (run["commit"] or "-")[:7],
            run["dataset"],
            run["arch"],
            "-" if run["test_accuracy"] is None else f"{run['test_accuracy']:.2%}",
            run["run_id"][:8],
            "-" if run["model_version"] is None else f"v{run['model_version']}",
            ", ".join(notes),
        )
    # A file or a pipe gets whole rows: it has no width.
    Console(width=None if sys.stdout.isatty() else 200).print(table)
