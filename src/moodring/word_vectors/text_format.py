"""Word vectors in the text format of GloVe and word2vec: a word and its numbers a line."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from moodring.errors import MoodringError
from moodring.io.vector_tables import vector_table
from moodring.sources.archives import decode

ROWS = 8192  # of a piece in memory
LARGEST = float(np.finfo(np.float32).max)
_MARK = b"\xef\xbb\xbf"  # Windows' sign that what follows is UTF-8
_HEADER = 2  # fields of word2vec's first line


def read_text(path: Path, name: str) -> Iterator[pa.Table]:
    """The vectors of a file in its order, piece by piece; see `vector_tables.vector_table`.

    A line holds a word and its numbers, in UTF-8, with white space between them. The first line may tell
    how many words and how many numbers a word there are.

    Args:
        path: the file.
        name: what messages call it.

    Raises:
        MoodringError: a line is broken, a word stands twice, or the file is cut off, empty or cannot be
            read; the message names the line.

    References:
        The formats of GloVe (Pennington et al. 2014) and of word2vec's text files (Mikolov et al. 2013).
    """
    rows = _rows(path, name)
    while piece := list(itertools.islice(rows, ROWS)):
        words, vectors = zip(*piece, strict=True)
        yield vector_table(words, np.array(vectors, np.float32))


def _rows(path: Path, name: str) -> Iterator[tuple[str, list[float]]]:
    width, promised = 0, None
    lines: dict[str, int] = {}  # where each word stands
    try:
        with path.open("rb") as stream:
            for line, content in enumerate(stream, start=1):
                # Of bytes: else a no-break space, which some words hold, would part them.
                fields = content.removeprefix(_MARK if line == 1 else b"").split()
                if line == 1 and len(fields) == _HEADER and all(map(bytes.isdigit, fields)):
                    promised, width = map(int, fields)
                    continue
                width = width or len(fields) - 1
                place = f"{name}, line {line}"
                if width < 1 or len(fields) - 1 != width:
                    expected = f"{width} numbers are" if width > 0 else "numbers are"
                    raise MoodringError(
                        f"{place}: {expected} expected after the word, received {max(len(fields) - 1, 0)}: "
                        f"{content.strip().decode(errors='replace')!r:.80}"
                    )
                word = decode(fields[0], place)
                if (before := lines.setdefault(word, line)) != line:
                    raise MoodringError(f"{place}: the word {word!r} stands in line {before} already")
                yield word, _numbers(fields[1:], place)
    except OSError as error:
        raise MoodringError(f"cannot read {name}: {error}") from error
    if not lines:
        raise MoodringError(f"{name} holds 0 vectors: a word and its numbers are expected in each line")
    if promised not in {None, len(lines)}:
        raise MoodringError(
            f"{name}: its first line tells of {promised:,} words, received {len(lines):,}. Is it whole?"
        )


def _numbers(fields: list[bytes], place: str) -> list[float]:
    try:
        numbers = list(map(float, fields))
    except ValueError:
        numbers = []
    # Also false for what is not a number.
    if numbers and all(-LARGEST <= number <= LARGEST for number in numbers):
        return numbers
    wrong = next(field for field in fields if not _finite(field))
    raise MoodringError(
        f"{place}: finite numbers are expected, received: {wrong.decode(errors='replace')!r:.80}"
    )


def _finite(field: bytes) -> bool:
    try:
        return -LARGEST <= float(field) <= LARGEST
    except ValueError:
        return False
