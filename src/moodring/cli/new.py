"""Make a dataset of a file of the user's."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from moodring.checkout.root import checkout_root
from moodring.cli.paths import path_argument, shown_path
from moodring.errors import MoodringError, shows_errors, warn

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{,99}")


@shows_errors
def new(
    file: Annotated[Path, path_argument(help="a CSV file (UTF-8, with a header) or a Parquet file")],
    text: Annotated[str | None, typer.Option(help="the column with the text")] = None,
    label: Annotated[str | None, typer.Option(help="the column with the label")] = None,
    positive: Annotated[
        list[str] | None,
        typer.Option(help="a label that means positive; several: commas between, or the option again"),
    ] = None,
    negative: Annotated[list[str] | None, typer.Option(help="a label that means negative")] = None,
    split: Annotated[
        str | None,
        typer.Option(help="a column with train and test; none: a fifth of the rows is the test split"),
    ] = None,
    origin: Annotated[str | None, typer.Option(help="a column with the origin of each text")] = None,
    name: Annotated[str | None, typer.Option(help="of the dataset; none: like the file")] = None,
) -> None:
    """Make a dataset of your own file, and choose it.

    The file is copied to data/own, `dvc add` and `git add` run, and params.yaml gets the dataset's block.
    You are asked for what the options do not say.
    """
    from moodring.datasets.own_file import OwnFile
    from moodring.own_texts.adopt import adopt, place_of
    from moodring.own_texts.block import dataset_block
    from moodring.own_texts.choose import Meaning, choose
    from moodring.own_texts.propose import dataset_name

    given = Meaning(text, label, positive or [], negative or [], split, origin)
    chosen, max_length = choose(
        OwnFile(file, shown_path(file)), given, _prompt if sys.stdin.isatty() else _guess
    )
    if not sys.stdin.isatty() and not all((text, label, positive, negative)):
        command = f"moodring new {shlex.quote(shown_path(file))} {chosen.options()}"
        raise MoodringError(
            f"there is no terminal to ask on, so options must say everything. Is this right? {command}"
        )
    called, root = dataset_name(file.stem) if name is None else name, checkout_root()
    if not NAME.fullmatch(called):
        raise MoodringError(
            f"--name must begin with a letter or a digit and have at most 100 letters, digits, _ and -, "
            f"received: {called!r}"
        )
    file = file.parent.resolve() / file.name  # a link of the file itself is not followed
    os.chdir(root)
    place = place_of(root, file)
    done = adopt(root, file, called, dataset_block(chosen.source(place), max_length))
    print(f"{place}: {done.rows:,} texts, {done.positive:,} of them positive")
    print(f"params.yaml: dataset: {called}, and its block below `datasets:`")
    print(f"git add: {', '.join(done.tracked) or 'git tracks the file already'}; nothing is committed")
    if done.problem:
        warn(f"`dvc repro` will stop until this is mended: {done.problem}")
    print("Next: `dvc repro` trains on it; `dvc repro preprocess` and metrics/data.json show the data first")


def _prompt(option: str, question: str, guess: str | None) -> str:
    return str(typer.prompt(f"--{option}: {question}", default=guess))


def _guess(option: str, question: str, guess: str | None) -> str:
    if guess is None:
        raise MoodringError(f"--{option} is needed, because there is no terminal to ask on: {question}")
    return guess
