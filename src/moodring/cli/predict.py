"""Score raw texts."""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moodring.checkout.backend import check_backend
from moodring.checkout.root import checkout_root
from moodring.errors import MoodringError, shows_errors
from moodring.params.file import load_params

if TYPE_CHECKING:
    import pandas as pd


BATCH = 1000


@shows_errors
def predict(
    texts: Annotated[list[str] | None, typer.Argument(help="texts; none: a line each of --file")] = None,
    file: Annotated[
        Path | None, typer.Option(help="UTF-8, a text a line; neither texts nor file: standard input")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="models:/NAME@ALIAS, or a logged model's directory; none: the checkout's"),
    ] = None,
) -> None:
    """Score raw texts: a JSON line each, in order, with text, score (probability of positive) and label."""
    check_backend()
    score = _scorer(model)
    lines = iter(texts or _lines(file))
    while batch := list(itertools.islice(lines, BATCH)):
        for text, row in zip(batch, score(batch).itertuples(), strict=True):
            answer = {"text": text, "score": row.score, "label": row.label}
            print(json.dumps(answer, ensure_ascii=False))


def _lines(file: Path | None) -> Iterator[str]:
    """The lines of a UTF-8 file, or of standard input."""
    name = "standard input" if file is None else str(file)
    try:
        with sys.stdin.buffer if file is None else file.open("rb") as stream:
            for line in stream:
                yield line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise MoodringError(f"{name} is not valid UTF-8: {error}. Convert it to UTF-8.") from error
    except OSError as error:
        raise MoodringError(f"cannot read {name}: {error}") from error


def _scorer(model: str | None) -> Callable[[list[str]], pd.DataFrame]:
    if model is not None:
        from moodring.serving.registry import load_model

        return load_model(model)
    from moodring.serving.result_files import ResultFiles

    os.chdir(checkout_root())
    return ResultFiles().scorer(load_params(Path("params.yaml"))).predict
