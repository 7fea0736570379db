"""Evaluate the model on the test split, and compare it with the baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moodring.checkout.backend import check_backend
from moodring.errors import shows_errors
from moodring.params.file import load_params


@shows_errors
def main(
    params: Annotated[Path, typer.Option(help="read: parameters")] = Path("params.yaml"),
    raw: Annotated[Path, typer.Option(help="read: texts to show")] = Path("data/raw.parquet"),
    clean: Annotated[Path, typer.Option(help="read: how raw text is cleaned")] = Path("data/clean.parquet"),
    data: Annotated[Path, typer.Option(help="read: duplicates, leaks")] = Path("metrics/data.json"),
    corpus: Annotated[Path, typer.Option(help="read: vocabulary and arrays")] = Path("data/corpus"),
    models: Annotated[Path, typer.Option(help="read: model, history, settings")] = Path("models"),
    baseline: Annotated[Path, typer.Option(help="read: its scores")] = Path("data/baseline.parquet"),
    scored: Annotated[Path, typer.Option(help="written: label, score")] = Path("data/scores.parquet"),
    metrics: Annotated[Path, typer.Option(help="written: flat test metrics")] = Path("metrics/test.json"),
    calibration: Annotated[Path, typer.Option(help="written: temperature")] = Path(
        "metrics/calibration.json"
    ),
    slices: Annotated[Path, typer.Option(help="written: by group")] = Path("metrics/slices.json"),
    plots: Annotated[Path, typer.Option(help="written: CSV and PNG of each plot")] = Path("metrics/plots"),
    report: Annotated[Path, typer.Option(help="written: pages, table of mistakes")] = Path("report"),
) -> None:
    """Score the test split, write metrics, plots and report, and complete the result's MLflow run."""
    chosen = load_params(params)  # before the slow imports: a misspelt name fails at once
    check_backend()
    from moodring.corpus.arrays import read_split, read_vocabulary
    from moodring.evaluation.calibration import write_calibration
    from moodring.evaluation.evaluate import Scored, evaluate
    from moodring.evaluation.slices import read_texts
    from moodring.evaluation.verdict import closing_lines, notes_on
    from moodring.io.files import read_json, write_json
    from moodring.io.tables import StoredTable
    from moodring.models.load import read_model
    from moodring.models.result import read_result
    from moodring.models.score_tables import read_scores, write_scores
    from moodring.models.scoring import score
    from moodring.report.figures import write_plots
    from moodring.report.pages import Subject, write_report
    from moodring.serving.publishing import check_store, publish_or_warn
    from moodring.serving.result_files import ResultFiles

    files = ResultFiles(clean, corpus, models, metrics, calibration, slices, plots, report, data=data)
    check_store(files, chosen)
    result, model = read_result(models), read_model(models)
    test, validation = read_split(corpus, "test"), read_split(corpus, "validation")
    baseline_scores = read_scores(baseline, test.labels)
    texts = read_texts(StoredTable(raw), StoredTable(clean), read_vocabulary(corpus), test)
    judged, held_out = (
        Scored(split.labels, score(model, split.texts, result.settings.padding))
        for split in (test, validation)
    )
    found = evaluate(judged, held_out, baseline_scores, texts, chosen.evaluate)
    write_scores(scored, test.labels, found.scores)
    write_json(metrics, found.metrics)
    write_calibration(calibration, found.calibration)
    write_json(slices, found.slices)
    write_plots(plots, found.tables, result.history)
    subject = Subject.of(chosen, read_json(data))
    write_report(report, subject, found, plots)
    publish_or_warn(files, chosen)
    notes = notes_on(found.calibration, subject.data["rows"])
    print(closing_lines(chosen, found.metrics, report, notes))


if __name__ == "__main__":
    typer.run(main)
