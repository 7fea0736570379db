"""Train the chosen architecture on the corpus."""

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
    corpus: Annotated[Path, typer.Option(help="read: vocabulary and arrays")] = Path("data/corpus"),
    vectors: Annotated[Path, typer.Option(help="read: word vectors, if any")] = Path("data/vectors.parquet"),
    models: Annotated[Path, typer.Option(help="written: model, history, settings")] = Path("models"),
    summary: Annotated[Path, typer.Option(help="written: the best epoch")] = Path("metrics/train.json"),
    history: Annotated[Path, typer.Option(help="written: a row an epoch")] = Path("metrics/history.csv"),
) -> None:
    """Train the chosen architecture, stopping early on the validation split, as one MLflow run."""
    chosen = load_params(params)  # before the slow imports: a misspelt name fails at once
    check_backend()
    from moodring.corpus.arrays import read_split, read_vocabulary
    from moodring.io.files import copy_file, write_json
    from moodring.models.result import HISTORY, read_result
    from moodring.serving.result_files import ResultFiles
    from moodring.tracking.lifecycle import finish_training, training_run
    from moodring.training.embeddings import aligned
    from moodring.training.inputs import Hooks, TrainingData
    from moodring.training.train import train_model

    files = ResultFiles(corpus=corpus, models=models, stage=Path(__file__), vectors=vectors)
    vocabulary = read_vocabulary(corpus)
    splits = read_split(corpus, "train"), read_split(corpus, "validation")
    data = TrainingData(len(vocabulary), *splits, aligned(vectors, vocabulary, chosen))
    corpus_sha256 = files.corpus_sha256()
    data_sha256 = files.data_sha256(chosen, corpus_sha256)
    key = files.attempt_key(chosen, data_sha256)
    with training_run(chosen, data_sha256, key, corpus_sha256) as run:
        write = train_model(chosen, data, Hooks(run.log_epoch, run.attempt.checkpoint))
        write(models)
        result = read_result(models)
        write_json(summary, result.summary)
        copy_file(models / HISTORY, history)
        run_id = finish_training(run, result)
    best = result.summary
    print(
        f"{chosen.dataset}, {chosen.arch}: kept epoch {best['best_epoch']} of {best['epochs']}, validation "
        f"accuracy {best['best_val_accuracy']:.1%}, log loss {best['best_val_loss']:.3f} -> {models}"
    )
    print(f"{best['weights']:,} weights; MLflow run {run_id or 'to be sent by `moodring sync`'}")


if __name__ == "__main__":
    typer.run(main)
