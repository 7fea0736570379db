"""Clean the raw table and split validation off training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moodring.errors import shows_errors
from moodring.io.files import write_json
from moodring.io.splits import check_enough, describe_small
from moodring.io.tables import StoredTable, writing_table
from moodring.params.file import load_params
from moodring.text.clean_table import clean_schema, clean_table
from moodring.text.cleaner import Cleaner
from moodring.text.stop_words import english_stop_words


@shows_errors
def main(
    params: Annotated[Path, typer.Option(help="read: parameters")] = Path("params.yaml"),
    raw: Annotated[Path, typer.Option(help="read: split, label, text")] = Path("data/raw.parquet"),
    clean: Annotated[Path, typer.Option(help="written: split, label, clean text")] = Path(
        "data/clean.parquet"
    ),
    data: Annotated[Path, typer.Option(help="written: rows, balance, lengths, duplicates")] = Path(
        "metrics/data.json"
    ),
) -> None:
    """Clean every text, split validation off training, and keep every text in one split only.

    Every split must have enough texts of each class to decide something.
    """
    chosen = load_params(params)
    steps = chosen.data.preprocess
    cleaner = Cleaner(steps, english_stop_words() if steps.stop_words == "english" else ())
    with writing_table(clean, clean_schema(cleaner)) as write:
        found = clean_table(StoredTable(raw), cleaner, chosen.seed, chosen.dataset, write)
        check_enough(found["texts"], chosen.dataset)  # nothing is written yet
    write_json(data, found)
    rows, removed = found["rows"], sum(found["removed_from_train"].values())
    print(
        f"{chosen.dataset}: {rows['train']:,} texts for training, {rows['validation']:,} for validation, "
        f"{rows['test']:,} for test -> {clean}"
    )
    print(f"{removed:,} training texts removed: they are also in another split")
    for sentence in describe_small(rows):
        print(sentence)


if __name__ == "__main__":
    typer.run(main)
