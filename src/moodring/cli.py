"""The `moodring` command: what DVC and MLflow have no command for."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moodring.backend import check_backend
from moodring.errors import MoodringError, shows_errors
from moodring.experiments import overrides
from moodring.params import load_params
from moodring.project import checkout_root
from moodring.promotion import Metric

if TYPE_CHECKING:
    import pandas as pd

    from moodring.results_page import Entry

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's start-up notes are no news to anyone
app = typer.Typer(help="Moodring's own commands; the pipeline itself is run by dvc.", no_args_is_help=True)
STAGES = {"download", "preprocess", "tokenize", "vectors", "baseline", "train", "evaluate"}
BATCH = 1000


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
    command = ["dvc", "exp", "run", "--name", name]
    command += [part for override in overrides(root, name) for part in ("-S", override)]
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
    from moodring.tracking.store import artifact_root, store_uri

    command = ["mlflow", "ui", "--backend-store-uri", store_uri()]
    command += ["--default-artifact-root", artifact_root(), "--host", host, "--port", str(port)]
    _replace_process(command, checkout_root())


@app.command()
@shows_errors
def sync() -> None:
    """Give the present result its MLflow run, or say which run it is.

    A result that DVC restored from its cache, or that was pulled, may have none in this store. Runs that
    killed processes left RUNNING are closed.
    """
    from moodring.publishing import publish
    from moodring.result_files import ResultFiles
    from moodring.tracking.runs import close_abandoned

    os.chdir(checkout_root())
    params = load_params(Path("params.yaml"))
    stale = _stale()
    if not stale:
        published = publish(ResultFiles(), params)
        said = {
            "found": "no new run: this is run",
            "completed": "its training could not reach the store: completed run",
            "restored": "no run in this store: made run",
        }[published.how]
        print(f"{params.dataset}, {params.arch}: {said} {published.run_id}")
    for run_id in close_abandoned():
        print(f"closed run {run_id}, which a killed process left RUNNING")
    _refuse(stale)


@app.command()
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
    from moodring.revisions import result_here, results_of
    from moodring.tracking.listing import list_runs

    root = checkout_root()
    wanted = None if name is None else results_of(root, name)
    here = result_here(root)
    found = [run for run in list_runs() if wanted is None or run["models_md5"] in wanted]
    for run in found:
        run["here"] = here is not None and run["models_md5"] == here
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
    # Into a file or a pipe whole rows go, whatever a terminal's width would be.
    Console(width=None if sys.stdout.isatty() else 200).print(table)


@app.command()
@shows_errors
def results(
    missing: Annotated[
        bool, typer.Option("--missing", help="print the commands of the runs that are missing, one a line")
    ] = False,
    run: Annotated[
        bool, typer.Option("--run", help="first run what is missing, one after the other")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="write the page also where runs are missing")
    ] = False,
) -> None:
    """Make the tables of docs/results.md from the store's runs of the rows in docs/results.yaml.

    A run counts for a row if it was trained and evaluated with just the row's parameters over params.yaml;
    of several the newest. Where one is missing, nothing is written, and the exit code is 1.
    """
    from moodring import results_page
    from moodring.files import replacing
    from moodring.results_rows import PLACE

    root = checkout_root()
    os.chdir(root)
    entries = _entries(root)
    if run:
        _run_all(_missing(entries))
        entries = _entries(root)
    lacking = _missing(entries)
    if missing:
        print("\n".join(lacking), end="\n" if lacking else "")
        return
    page = results_page.PLACE
    for command in lacking:
        print(f"missing: {command}")
    if lacking and not partial:
        remedy = "Make them by `moodring results --run`, or write the page without them: --partial."
        if run:
            remedy = (
                "They failed, see above, or DVC restored them from its cache, which makes no run: then "
                "`dvc exp apply` each, and `moodring sync`."
            )
        raise MoodringError(
            f"{len(lacking)} runs of {PLACE} are not in this store; {page} was left as it was. {remedy}"
        )
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MoodringError(f"cannot read {page}: {error}") from error
    with replacing(page) as fresh:
        fresh.write_text(results_page.filled(text, entries), encoding="utf-8")
    print(f"{len(entries)} rows -> {page}")


@app.command()
@shows_errors
def promote(
    metric: Annotated[
        Metric, typer.Option(help="of the validation split, at the kept epoch")
    ] = "val_accuracy",
    margin: Annotated[float, typer.Option(min=0, help="by how much the champion is to be beaten")] = 0.001,
) -> None:
    """Make the present model its dataset's champion, if it beats the champion and behaves.

    The alias `champion` of the registered model moves only where the validation metric is better by the
    margin and every behavioural check passes. The test metric is shown and decides nothing.
    """
    from moodring import promotion
    from moodring.publishing import check_served, publish
    from moodring.result_files import ResultFiles
    from moodring.tracking import registry

    os.chdir(checkout_root())
    params = load_params(Path("params.yaml"))
    check_backend()
    _refuse(_stale())
    files = ResultFiles()
    published = publish(files, params)
    champion = registry.champion(params.dataset)
    name = registry.registered_name(params.dataset)
    print(f"{name} version {published.version}: {params.arch}, run {published.run_id}")
    if champion is not None and champion.version == published.version:
        print("it already is the champion")
        return
    checks = check_served(files, params, f"models:/{name}/{published.version}")
    figures = registry.figures_of(published.run_id)
    theirs = registry.figures_of(champion.run_id) if champion else None
    for shown, word in ((metric, "decides"), ("test_accuracy", "shown, decides nothing")):
        against = f" against {theirs.metrics[shown]:.4f} of the champion" if theirs else ""
        print(f"  {shown} {figures.metrics[shown]:.4f}{against} ({word})")
    if theirs and not promotion.same_validation_split(params.dataset, figures.params, theirs.params):
        print("  note: the champion was validated on other texts (another source, seed or share)")
    for check in checks:
        print(f"  {'passed' if check.passed else 'FAILED'} {check.name}: {check.seen}")
    # The very result of a champion whose files are gone has nobody to beat.
    lost = champion is not None and not champion.whole and champion.run_id == published.run_id
    best = theirs.metrics[metric] if theirs and not lost else None
    if against_it := promotion.objections(metric, margin, figures.metrics[metric], best, checks):
        raise MoodringError("not promoted: " + "; ".join(against_it))
    registry.crown(params.dataset, published.version, instead_of=champion)
    print(f"promoted: models:/{name}@{registry.CHAMPION} is version {published.version}")


@app.command()
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
    from moodring.remote import push as push_all

    root = checkout_root()
    os.chdir(root)
    load_params(Path("params.yaml"))
    if not every:
        _refuse(_stale())
    pushed = push_all(root, remote, every)
    print(f"{pushed.outputs} outputs and {pushed.uncached} metrics and plots were new to the remote")


@app.command()
@shows_errors
def relocate() -> None:
    """After the checkout was moved or copied: let the MLflow store find its artifacts in it again."""
    from moodring.tracking.store import artifact_root
    from moodring.tracking.store import relocate as relocate_store

    old = relocate_store()
    for place in old:
        print(f"{place} -> {artifact_root()}")
    if not old:
        print("nothing to do: the store's artifacts are addressed in this checkout")


@app.command()
@shows_errors
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="for programs: one JSON list")] = False,
) -> None:
    """Look for what would hurt before an hour of training tells; exit code 1 where something would."""
    from moodring.doctor import examine

    root = checkout_root()
    os.chdir(root)
    findings = list(examine(root))
    if as_json:
        print(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
    else:
        from rich.console import Console
        from rich.text import Text

        console = Console(width=None if sys.stdout.isatty() else 200, soft_wrap=True)
        colours = {"ok": "green", "note": "yellow", "bad": "red"}
        for finding in findings:
            line = Text(f"{finding.level:<5}", style=colours[finding.level])
            console.print(line + Text(f"{finding.about}: {finding.seen}", style="default"))
            if finding.remedy:
                console.print(Text(f"      -> {finding.remedy}"))
    if any(finding.level == "bad" for finding in findings):
        raise SystemExit(1)


@app.command()
@shows_errors
def predict(
    texts: Annotated[list[str] | None, typer.Argument(help="texts; none: a line each of --file")] = None,
    file: Annotated[
        Path | None, typer.Option(help="UTF-8, a text a line; neither texts nor file: standard input")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="models:/NAME@ALIAS, or a logged model's directory; none: the checkout's"),
    ] = None,
) -> None:
    """Score raw texts: a JSON line each, in order, with text, score (probability of positive) and label."""
    check_backend()
    score = _scorer(model)
    lines = iter(texts or _lines(file))
    while batch := list(itertools.islice(lines, BATCH)):
        for text, row in zip(batch, score(batch).itertuples(), strict=True):
            answer = {"text": text, "score": row.score, "label": row.label}
            print(json.dumps(answer, ensure_ascii=False))


def _entries(root: Path) -> list[Entry]:
    """The rows of docs/results.yaml with their runs in the store."""
    from moodring.results_page import Entry
    from moodring.results_rows import read_rows
    from moodring.tracking.listing import evaluated_runs

    seeds, rows = read_rows(root)
    found = iter(evaluated_runs([row.at(seed) for row in rows for seed in seeds]))
    return [Entry(row, {seed: next(found) for seed in seeds}) for row in rows]


def _missing(entries: list[Entry]) -> list[str]:
    """The commands of the runs that are missing, each once."""
    # In a copy of the checkout: else params.yaml, which all rows start from, would be the last one's.
    commands = (entry.row.command(seed, "--temp") for entry in entries for seed in entry.missing)
    return list(dict.fromkeys(commands))


def _run_all(commands: list[str]) -> None:
    """Run commands one after the other; one that fails keeps none of the others from running."""
    environment = _own_programs_first()
    for number, command in enumerate(commands, start=1):
        print(f"{number} of {len(commands)}: {command}", flush=True)
        if code := subprocess.run(shlex.split(command), env=environment, check=False).returncode:
            print(f"warning: exit code {code}: {command}", file=sys.stderr, flush=True)


def _stale() -> list[str]:
    """The stages whose outputs are not what params.yaml, code and data would make."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            # A file that DVC tracks may have changed too; it is named by its .dvc file.
            return sorted(name for name in repo.status() if name in STAGES or name.endswith(".dvc"))
    except DvcException as error:
        raise MoodringError(f"DVC cannot tell the pipeline's state: {error}. Try `dvc status`.") from error


def _refuse(stale: list[str]) -> None:
    if stale:
        raise MoodringError(f"there is no present result: {', '.join(stale)} changed. Run `dvc repro`.")


def _lines(file: Path | None) -> Iterator[str]:
    """The lines of a UTF-8 file, or of standard input."""
    name = "standard input" if file is None else str(file)
    try:
        with sys.stdin.buffer if file is None else file.open("rb") as stream:
            for line in stream:
                yield line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise MoodringError(f"{name} is not valid UTF-8: {error}. Convert it to UTF-8.") from error
    except OSError as error:
        raise MoodringError(f"cannot read {name}: {error}") from error


def _scorer(model: str | None) -> Callable[[list[str]], pd.DataFrame]:
    if model is not None:
        from moodring.tracking.registry import load_model

        return load_model(model)
    from moodring.result_files import ResultFiles
    from moodring.serving import TextScorer

    os.chdir(checkout_root())
    with tempfile.TemporaryDirectory(prefix="moodring-") as room:
        ResultFiles().write_bundle(Path(room), load_params(Path("params.yaml")))
        return TextScorer.from_bundle(Path(room)).predict


def _replace_process(command: list[str], directory: Path) -> None:
    os.chdir(directory)
    sys.stdout.flush()
    try:
        os.execvpe(command[0], command, _own_programs_first())
    except FileNotFoundError as error:
        raise MoodringError(f"{command[0]} is not installed here: {error}. Run `make install`.") from error


def _own_programs_first() -> dict[str, str]:
    """The environment, with its own programs first on the path, also where it is not activated."""
    own = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": own}
