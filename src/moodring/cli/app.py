"""The `moodring` command: tasks that DVC and MLflow have no command for."""

from __future__ import annotations

import typer

from moodring.cli.compare import CompareCommand, compare
from moodring.cli.doctor import doctor
from moodring.cli.experiment import experiment
from moodring.cli.new import new
from moodring.cli.predict import predict
from moodring.cli.promote import promote
from moodring.cli.push import push
from moodring.cli.relocate import relocate
from moodring.cli.results import results
from moodring.cli.runs import runs
from moodring.cli.sync import sync
from moodring.cli.ui import ui
from moodring.cli.verdict import verdict

app = typer.Typer(help="Moodring's own commands. DVC runs the pipeline: dvc repro.", no_args_is_help=True)


@app.callback()
def moodring() -> None:
    """Moodring's own commands. DVC runs the pipeline: dvc repro."""


# `experiment` passes further arguments to DVC.
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(experiment)
app.command(cls=CompareCommand)(compare)
for command in (new, verdict, ui, sync, runs, results, promote, push, relocate, doctor, predict):
    app.command()(command)
