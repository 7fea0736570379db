"""List the store's runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from moodring.checkout.root import checkout_root
from moodring.errors import MoodringError, escaped, shows_errors

WIDTH = 100  # of a file or a pipe, in characters


@shows_errors
def runs(
    name: Annotated[
        str | None,
        typer.Argument(
            help="only these runs: of a DVC experiment or git revision, or a run by its id or name"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for programs: one JSON list")] = False,
) -> None:
    """List the store's runs, the best of each dataset first; the present result's is marked `here`.

    The validation accuracy decides the order. `--json` has the whole ids of runs and commits.
    """
    from moodring.checkout.revisions import locked_here
    from moodring.tracking.addresses import shown_uri

    root = checkout_root()
    found = _all() if name is None else _named(name, root)
    here = locked_here(root)
    for run in found:
        run["here"] = here is not None and here.is_of(run["models_md5"], run["evaluation"])
    if not found:
        print(f"note: there are no runs in {shown_uri()}; `dvc repro` makes one", file=sys.stderr)
    found.sort(key=_rank)  # of equal ones the newest stays first
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        _print(found)


def _all() -> list[dict[str, Any]]:
    """The runs of the store, which must exist: MLflow would make a new one."""
    from moodring.tracking.addresses import shown_uri, store_is_missing
    from moodring.tracking.listing import list_runs

    if store_is_missing():
        raise MoodringError(
            f"there is no MLflow store {shown_uri()}. The first `dvc repro` makes the store of a checkout; "
            "for another one set MLFLOW_TRACKING_URI."
        )
    return list_runs()


def _named(name: str, root: Path) -> list[dict[str, Any]]:
    """The runs of an experiment or git revision; or of an experiment or run that only the store has."""
    from moodring.checkout.revisions import locked_of
    from moodring.tracking.addresses import store_is_missing
    from moodring.tracking.listing import runs_named

    try:
        wanted = locked_of(root, name)
    except MoodringError:
        if not store_is_missing() and (found := runs_named(name, _all())):
            return found
        raise
    found = [run for run in _all() if any(one.is_of(run["models_md5"], run["evaluation"]) for one in wanted)]
    if not found:
        raise MoodringError(
            f"the result of {name!r} has no run in this store; check it out (git or `dvc exp apply`), "
            "`dvc checkout`, then `moodring sync`"
        )
    return found


def _rank(run: dict[str, Any]) -> tuple[str, bool, float]:
    """The place in the list: by dataset, those with a result first, then by validation accuracy."""
    finished = run["status"] == "FINISHED"
    return str(run["dataset"]), not finished, -(run["validation_accuracy"] or 0) if finished else 0


def _print(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", padding=(0, 1, 0, 0), pad_edge=False)
    for column in ("from", "dataset", "arch"):
        table.add_column(column, overflow="fold")
    for column in ("validation", "test", "95% interval", "gain"):
        table.add_column(column, no_wrap=True, justify="right")
    for column in ("run", "model"):
        table.add_column(column, no_wrap=True)
    table.add_column("note", overflow="fold")
    for run in found:
        notes = [run["status"].lower()] if run["status"] != "FINISHED" else []
        notes += [note for note in ("here", "dirty", "restored", "resumed") if run[note]]
        notes += [f"model of {run['trained_in'][:8]}"] if run["trained_in"] else []
        version = run["model_version"]
        cells = (
            run["experiment"] or (run["commit"] or "-")[:7],
            str(run["dataset"]),
            str(run["arch"]),
            *_figures(run),
            run["run_id"][:8],
            "-" if version is None else f"v{version}",
            ", ".join(notes),
        )
        table.add_row(*(Text(escaped(cell)) for cell in cells))
    Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False).print(table)


def _figures(run: dict[str, Any]) -> list[str]:
    """Validation and test accuracy, the interval and the gain over the baseline; "-": unknown."""
    validation, test, gain = (run[key] for key in ("validation_accuracy", "test_accuracy", "test_gain"))
    low, high = run["test_accuracy_low"], run["test_accuracy_high"]
    return [
        "-" if validation is None else f"{validation:.1%}",
        "-" if test is None else f"{test:.1%}",
        "-" if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f}",
        "-" if gain is None else f"{round(100 * gain, 1) + 0.0:+.1f}",
    ]
