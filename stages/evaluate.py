"""Evaluate the model on the test split."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moodring.backend import check_backend
from moodring.errors import shows_errors
from moodring.params import load_params


@shows_errors
def main(
    params: Annotated[Path, typer.Option(help="read: parameters")] = Path("params.yaml"),
    clean: Annotated[Path, typer.Option(help="read: how raw text is cleaned")] = Path("data/clean.parquet"),
    corpus: Annotated[Path, typer.Option(help="read: vocabulary and arrays")] = Path("data/corpus"),
    models: Annotated[Path, typer.Option(help="read: model, history, settings")] = Path("models"),
    scored: Annotated[Path, typer.Option(help="written: label and score of each test text")] = Path(
        "data/scores.parquet"
    ),
    metrics: Annotated[Path, typer.Option(help="written: flat test metrics")] = Path("metrics/test.json"),
    slices: Annotated[Path, typer.Option(help="written: confusion, accuracy by length")] = Path(
        "metrics/slices.json"
    ),
    plots: Annotated[Path, typer.Option(help="written: CSV and PNG of each plot")] = Path("metrics/plots"),
) -> None:
    """Score the test split, write metrics and plots, and complete the result's MLflow run."""
    chosen = load_params(params)  # before the slow imports: a misspelt name is told at once
    check_backend()
    from moodring.corpus import read_split
    from moodring.evaluation import evaluate
    from moodring.figures import write_plots
    from moodring.files import write_json
    from moodring.predictors import read_model
    from moodring.publishing import check_store, publish_or_leave
    from moodring.result_files import ResultFiles
    from moodring.results import read_result
    from moodring.scoring import score, write_scores

    files = ResultFiles(clean, corpus, models, metrics, slices, plots)
    check_store(files, chosen)
    result = read_result(models)
    test = read_split(corpus, "test")
    scores = score(read_model(models), test.texts, result.settings.padding)
    found = evaluate(test.labels, scores, test.texts.lengths, chosen.evaluate)
    write_scores(scored, test.labels, scores)
    write_json(metrics, found.metrics)
    write_json(slices, found.slices)
    write_plots(plots, found.tables, result.history)
    said = publish_or_leave(files, chosen)
    print(f"{chosen.dataset}, {chosen.arch}: {found.metrics} -> {metrics}; {said}")


if __name__ == "__main__":
    typer.run(main)
