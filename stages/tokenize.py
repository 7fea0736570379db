"""Fit the vocabulary and encode the clean table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moodring.corpus.arrays import write_corpus
from moodring.errors import shows_errors
from moodring.io.tables import StoredTable
from moodring.params.file import load_params


@shows_errors
def main(
    params: Annotated[Path, typer.Option(help="read: parameters")] = Path("params.yaml"),
    clean: Annotated[Path, typer.Option(help="read: split, label, clean text")] = Path("data/clean.parquet"),
    corpus: Annotated[Path, typer.Option(help="written: vocabulary, arrays of each split")] = Path(
        "data/corpus"
    ),
) -> None:
    """Fit the vocabulary on the clean training split only, and encode every split."""
    chosen = load_params(params)
    vocabulary = write_corpus(corpus, StoredTable(clean), chosen.data.tokenize)
    print(f"{chosen.dataset}: a vocabulary of {len(vocabulary):,} tokens -> {corpus}")


if __name__ == "__main__":
    typer.run(main)
