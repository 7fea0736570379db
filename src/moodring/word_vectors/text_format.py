"""Word vectors in the text format of GloVe and word2vec: one word and its numbers a line."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from moodring.errors import MoodringError
from moodring.io.vector_tables import vector_table
from moodring.sources.archives import decode

ROWS = 8192  # in memory at a time
LARGEST = float(np.finfo(np.float32).max)
_MARK = b"\xef\xbb\xbf"  # Windows' byte order mark of UTF-8
_HEADER = 2  # the number of fields in word2vec's first line


def read_text(path: Path, name: str) -> Iterator[pa.Table]:
    """Read the vectors of a file in order and in pieces; see `vector_tables.vector_table`.

    A line contains a word and its numbers, in UTF-8, with white space between them. The first line may
    contain the number of words and the length of a vector instead.

    Args:
        path: the file.
        name: of the file, for error messages.

    Raises:
        MoodringError: a line is broken, a word occurs twice, or the file is cut off, empty or unreadable; the
            message names the line.

    References:
        The formats of GloVe (Pennington et al. 2014) and of word2vec's text files (Mikolov et al. 2013).
    """
    rows = _rows(path, name)
    while piece := list(itertools.islice(rows, ROWS)):
        words, vectors = zip(*piece, strict=True)
        yield vector_table(words, np.array(vectors, np.float32))


def _rows(path: Path, name: str) -> Iterator[tuple[str, list[float]]]:
    width, announced = 0, None
    lines: dict[str, int] = {}  # the line of each word
    try:
        with path.open("rb") as stream:
            for line, content in enumerate(stream, start=1):
                # Split bytes, not text: some words contain a no-break space.
                fields = content.removeprefix(_MARK if line == 1 else b"").split()
                if line == 1 and len(fields) == _HEADER and all(map(bytes.isdigit, fields)):
                    announced, width = map(int, fields)
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
                    raise MoodringError(
                        f"{place}: the word {word!r} is already in line {before}; remove one of the two"
                    )
                yield word, _numbers(fields[1:], place)
    except OSError as error:
        raise MoodringError(f"cannot read {name}: {error}") from error
    if not lines:
        raise MoodringError(f"{name} contains 0 vectors: a word and its numbers are expected in each line")
    if announced not in {None, len(lines)}:
        raise MoodringError(
            f"{name}: its first line announces {announced:,} words, received {len(lines):,}. "
            "Is the file complete?"
        )


def _numbers(fields: list[bytes], place: str) -> list[float]:
    try:
        numbers = list(map(float, fields))
    except ValueError:
        numbers = []
    # The comparison is also false for NaN.
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
