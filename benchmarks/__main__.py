"""`python -m benchmarks NAME ...`: measures, and writes the figures."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import linear, pipeline, scaling, scoring, text, training
from benchmarks.machine import environment, share_of_other_processes
from benchmarks.measure import Plan, report_progress
from benchmarks.report import Row, markdown, put_into, read_json, update_json


@dataclass(frozen=True)
class Benchmark:
    """One benchmark.

    Args:
        measure: a function of a temporary directory and the plan; it returns the rows.
        repeats: default number of pairs.
        on_demand: it takes long, so it runs only if it is named.
    """

    measure: Callable[[Path, Plan], list[Row]]
    repeats: int
    on_demand: bool = False


BENCHMARKS = {
    "text-imdb": Benchmark(text.text_imdb, 5),
    "text-twitter": Benchmark(text.text_twitter, 5),
    "train-imdb": Benchmark(training.train_imdb, 3),
    "train-twitter": Benchmark(training.train_twitter, 3),
    "train-overhead": Benchmark(training.train_overhead, 3),
    "linear": Benchmark(linear.linear, 1, on_demand=True),
    "score": Benchmark(scoring.score_texts, 7),
    "repro": Benchmark(pipeline.repro, 10),
    "predict": Benchmark(pipeline.predict, 7),
    "scale": Benchmark(scaling.scale, 3),
}
DEFAULT = [name for name, benchmark in BENCHMARKS.items() if not benchmark.on_demand]


def main(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"names of benchmarks: {', '.join(BENCHMARKS)}")
    ] = None,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", help="write the figures into this file; other benchmarks' figures stay"),
    ] = None,
    markdown_file: Annotated[
        Path | None,
        typer.Option("--markdown", help="write the table of all figures into this page, not to the screen"),
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(min=1, help="number of pairs; none: each benchmark's default")
    ] = None,
    epochs: Annotated[
        int, typer.Option(min=2, help="epochs of each training; the first does not count for speed")
    ] = 3,
    small: Annotated[bool, typer.Option("--small", help="little data and one pair, to try the code")] = False,
) -> None:
    """Compare Moodring's speed with the notebooks and other tools."""
    chosen = names or DEFAULT
    if unknown := [name for name in chosen if name not in BENCHMARKS]:
        raise typer.BadParameter(f"{', '.join(unknown)}; known: {', '.join(BENCHMARKS)}")
    with tempfile.TemporaryDirectory(prefix="moodring-benchmarks-") as directory:
        kept = json_file or Path(directory) / "results.json"
        for name in chosen:
            benchmark = BENCHMARKS[name]
            plan = Plan(repeats or (1 if small else benchmark.repeats), 2 if small else epochs, small)
            report_progress(f"{name}:")
            share = share_of_other_processes()
            rows = [row.to_json() for row in benchmark.measure(Path(directory), plan)]
            settings = {"small": small, "repeats": plan.repeats, "epochs": plan.epochs}
            measured = {"other_processes": share(), "environment": environment(), "rows": rows}
            update_json(kept, name, {**settings, **measured})
        table = markdown(read_json(kept), list(BENCHMARKS))
    if markdown_file:
        put_into(markdown_file, table)
    else:
        print(table)


if __name__ == "__main__":
    typer.run(main)
