"""Fit the linear baseline and score the test split with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moodring.corpus.arrays import read_split
from moodring.errors import shows_errors
from moodring.models.score_tables import write_scores
from moodring.models.scoring import score
from moodring.params.file import load_params


@shows_errors
def main(
    params: Annotated[Path, typer.Option(help="read: parameters")] = Path("params.yaml"),
    corpus: Annotated[Path, typer.Option(help="read: vocabulary and arrays")] = Path("data/corpus"),
    scored: Annotated[Path, typer.Option(help="written: label and score of each test text")] = Path(
        "data/baseline.parquet"
    ),
) -> None:
    """Fit the baseline on the training split, for every evaluation on this corpus to be compared with."""
    chosen = load_params(params)
    from moodring.models.nbsvm import WHOLE, fit_nbsvm

    test = read_split(corpus, "test")
    model = fit_nbsvm(chosen.baseline_arch, read_split(corpus, "train"), chosen.seed)
    write_scores(scored, test.labels, score(model, test.texts, WHOLE))
    print(f"{chosen.dataset}, baseline {chosen.baseline}: {len(model.ngrams):,} n-grams -> {scored}")


if __name__ == "__main__":
    typer.run(main)
