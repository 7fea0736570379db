"""Score raw texts."""

from __future__ import annotations

import codecs
import itertools
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from moodring.checkout.backend import check_backend
from moodring.checkout.root import checkout_root
from moodring.cli.paths import path_option, typed_model
from moodring.errors import MoodringError, escaped, shows_errors
from moodring.params.file import load_params

if TYPE_CHECKING:
    from moodring.serving.scorer import TextScorer


BATCH = 1000
DIGITS = 6
STANDARD_INPUT = Path("-")
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@shows_errors
def predict(
    texts: Annotated[list[str] | None, typer.Argument(help="texts; none: a line each of --file")] = None,
    file: Annotated[
        Path, path_option(help="UTF-8, a text a line; `-`: standard input", show_default=False)
    ] = STANDARD_INPUT,
    model: Annotated[
        str | None,
        typer.Option(
            parser=typed_model,
            metavar="MODEL",
            help="NAME (its champion), NAME/VERSION, NAME@ALIAS, a run, an experiment, an MLflow address, "
            "or a logged model's directory; none: the checkout's",
        ),
    ] = None,
) -> None:
    """Score raw texts: a JSON line each, in order.

    A line has text, score (probability of positive), label, words (after cleaning) and unknown (how many of
    these words the model does not know).
    """
    if texts and file != STANDARD_INPUT:
        raise MoodringError(f"give texts or --file, not both; received: {len(texts)} texts and {file}")
    given = iter([_argument(text) for text in texts]) if texts else _lines(file)
    check_backend()
    scorer = _scorer(model)
    scored = words = unknown = 0
    while batch := list(itertools.islice(given, BATCH)):
        rows = scorer.explain(batch).to_dict("records")
        for text, row in zip(batch, rows, strict=True):
            print(_json({"text": text, **row, "score": round(row["score"], DIGITS)}))
        scored += len(rows)
        words += sum(row["words"] for row in rows)
        unknown += sum(row["unknown"] for row in rows)
    if unknown:
        print(f"note: {unknown:,} of {words:,} words are unknown to the model", file=sys.stderr)
    if not scored:
        print("note: there were no texts to score", file=sys.stderr)


def _json(row: dict[str, Any]) -> str:
    """A JSON line that the terminal can show, and that does not steer it."""
    encoding = codecs.lookup(getattr(sys.stdout, "encoding", None) or "utf-8").name
    return escaped(json.dumps(row, ensure_ascii=encoding != "utf-8"))


def _argument(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        typed = os.fsencode(text)  # Python marks bytes that it cannot decode as lone surrogates
        return _decoded(typed, "the argument", repr(typed))
    return text


def _lines(file: Path) -> Iterator[str]:
    """The lines of a UTF-8 file; it is opened at once and read line by line."""
    name = "standard input" if file == STANDARD_INPUT else str(file)
    try:
        stream = _standard_input() if file == STANDARD_INPUT else file.open("rb")
    except OSError as error:
        raise MoodringError(f"cannot read {name}: {error}") from error
    return _decoded_lines(stream, name)


def _decoded_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    try:
        with stream:
            for number, line in enumerate(stream, start=1):
                if (number == 1 and line.startswith(UTF_16)) or b"\0" in line:
                    raise MoodringError(
                        f"line {number} of {name} is UTF-16 or no text. Convert the texts to UTF-8, for "
                        "example: iconv -f UTF-16 -t UTF-8 old.txt > new.txt"
                    )
                text = _decoded(line, f"line {number} of {name}", repr(line[:40]))
                yield text.removeprefix("\ufeff" if number == 1 else "").rstrip("\r\n")
    except OSError as error:
        raise MoodringError(f"cannot read {name}: {error}") from error


def _decoded(content: bytes, place: str, shown: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MoodringError(
            f"{place} is not valid UTF-8: byte 0x{content[error.start]:02x} at {error.start} in {shown}. "
            "Convert the texts to UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8 old.txt > new.txt"
        ) from error


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise MoodringError("standard input is closed. Give texts, or a file with --file.")
    if sys.stdin.isatty():
        print("type a text a line; Ctrl-D ends", file=sys.stderr)
    return sys.stdin.buffer


def _scorer(model: str | None) -> TextScorer:
    root = checkout_root()
    if model is not None:
        from moodring.serving.named_model import load_scorer

        return load_scorer(model, root)
    from moodring.serving.result_files import ResultFiles

    os.chdir(root)
    return ResultFiles().scorer(load_params(Path("params.yaml")))
