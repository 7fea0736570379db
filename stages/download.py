"""Fetch the chosen dataset into one raw table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moodring.datasets.load import load_raw
from moodring.errors import shows_errors
from moodring.io.tables import write_table
from moodring.params.file import load_params


@shows_errors
def main(
    params: Annotated[Path, typer.Option(help="read: parameters")] = Path("params.yaml"),
    raw: Annotated[Path, typer.Option(help="written: split, label, text")] = Path("data/raw.parquet"),
) -> None:
    """Fetch the chosen dataset, check its content, and write it as one raw table.

    Sources are tried in this order: MOODRING_MIRROR (a directory or base URL), NLTK_DATA (for NLTK's
    corpora), the dataset's published address.
    """
    chosen = load_params(params)
    table = load_raw(chosen.data.source, chosen.dataset)
    write_table(raw, table)
    print(f"{chosen.dataset}: {table.num_rows:,} texts -> {raw}")


if __name__ == "__main__":
    typer.run(main)
