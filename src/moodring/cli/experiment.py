"""Run a named experiment, or a set of experiments."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from moodring.checkout.root import checkout_root
from moodring.cli.programs import own_programs_first, replace_process
from moodring.errors import MoodringError, shows_errors
from moodring.experiments.named import names_of, overrides
from moodring.experiments.sets import Planned, plan, set_names
from moodring.params.file import load_params


@shows_errors
def experiment(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="name of a file in experiments/ or experiments/sets/, without .yaml")
    ],
) -> None:
    """Run a named experiment with `dvc exp run`, or a set of experiments one after the other.

    Further arguments go to DVC: --queue, --temp, --force, -S train.epochs=3. The sets are files of
    experiments/sets/: `architectures` and `notebooks`. An experiment of a set that is there already is not
    run again.
    """
    root = checkout_root()
    if name in set_names(root) and name not in names_of(root):
        _run_set(root, name, context.args)
        return
    if name not in names_of(root):
        known, sets = (", ".join(names) or "none" for names in (names_of(root), set_names(root)))
        raise MoodringError(f"there is no experiment and no set {name!r}; known: {known}; sets: {sets}")
    command = ["dvc", "exp", "run", "--name", name]
    command += [part for override in overrides(root, name) for part in ("-S", override)]
    command += context.args
    print(shlex.join(command), flush=True)
    replace_process(command, root)


def _run_set(root: Path, name: str, options: list[str]) -> None:
    if given := [word for word in options if word.startswith(("--name", "-n"))]:
        raise MoodringError(f"the file of the set names its experiments; leave out {given[0]}")
    queue = "--queue" in options
    # --temp runs in a copy of the checkout. Without it, each run would change params.yaml for the next one.
    options = options if queue or "--temp" in options else ["--temp", *options]
    planned = plan(root, name, options)
    failed = []
    for number, one in enumerate(planned, start=1):
        print(f"{number} of {len(planned)}: {one.name}{', there already' if one.there else ''}", flush=True)
        if one.there:
            continue
        command = one.command(options)
        print(shlex.join(command), flush=True)
        if subprocess.run(command, cwd=root, env=own_programs_first(), check=False).returncode:
            failed.append(one.name)
    if failed:
        raise MoodringError(f"failed: {', '.join(failed)}; their messages are above. Then run this again.")

    print(_next(planned, load_params(root / "params.yaml").dataset, queue))


def _next(planned: Sequence[Planned], dataset: str, queued: bool) -> str:
    """The last line: the command that compares the experiments."""
    present = all(one.dataset == dataset for one in planned)
    names = "" if present else " ".join(["", *(one.name for one in planned)])
    compare = f"`moodring compare{names} --html` compares them."
    start = "`dvc queue start --jobs 2` runs the queue; then " if queued else ""
    return f"Next: {start}{compare}"
