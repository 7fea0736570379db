"""Train the chosen architecture on the corpus."""

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
    corpus: Annotated[Path, typer.Option(help="read: vocabulary and arrays")] = Path("data/corpus"),
    models: Annotated[Path, typer.Option(help="written: model, history, settings")] = Path("models"),
    summary: Annotated[Path, typer.Option(help="written: the best epoch")] = Path("metrics/train.json"),
    history: Annotated[Path, typer.Option(help="written: a row an epoch")] = Path("metrics/history.csv"),
) -> None:
    """Train the chosen architecture, stopping early on the validation split, as one MLflow run."""
    chosen = load_params(params)  # before the slow imports: a misspelt name is told at once
    check_backend()
    from moodring.attempts import key_of
    from moodring.corpus import read_split, read_vocabulary
    from moodring.files import copy_file, tree_sha256, write_json
    from moodring.fitting import fit
    from moodring.results import HISTORY, read_result
    from moodring.tracking.runs import finish_training, training_run

    words = len(read_vocabulary(corpus))
    splits = read_split(corpus, "train"), read_split(corpus, "validation")
    data = tree_sha256(corpus)
    key = key_of(chosen.of_model(), data, Path(__file__))
    with training_run(chosen, data, key) as run:
        write = fit(chosen, words, *splits, run.log_epoch, run.attempt.checkpoint)
        write(models)
        result = read_result(models)
        write_json(summary, result.summary)
        copy_file(models / HISTORY, history)
        run_id = finish_training(run, result)
    print(f"{chosen.dataset}, {chosen.arch}: {result.summary} -> {models}; MLflow run {run_id or 'to come'}")


if __name__ == "__main__":
    typer.run(main)
