"""Says what is likely wrong with a user's file; values in, sentences out."""

from __future__ import annotations

import codecs
import csv
import difflib
import itertools
import json
import re
import shlex
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence

SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# The first bytes of other kinds of files.
KINDS = {
    b"PK\x03\x04": "a zip archive, such as an Excel file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"SQLite format 3": "an SQLite database",
    b"%PDF": "a PDF document",
    b"{\\rtf": "an RTF document",
    b"BZh91AY": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b'{"': "a JSON file",
    b"[{": "a JSON file",
    b"<!": "an HTML or XML file",
    b"<?xml": "an XML file",
    b"<html": "an HTML file",
}
LFS = b"version https://git-lfs"
MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_EXCEL = re.compile(r'"?sep=(.?)"?\s*', re.IGNORECASE)
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
# Letters and signs that look like those of ASCII: Cyrillic, Greek, dashes and apostrophes.
_SIMILAR = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјорсухΑΒΕΖΗΙΚΜΝΟΡΤΥΧον\u2010\u2011\u2012\u2013\u2014\u2212\u2018\u2019",  # noqa: RUF001
    "ABESIJKMHOPCTYXaesijopcyxABEZHIKMNOPTYXov------''",
)
_SHOWN = 20  # names that a message lists
_NULS = 0.2  # share of NUL bytes from which on a text is UTF-16: with Latin letters it is a half


def difference(first: str, second: str) -> str:
    """In what two strings differ that look the same; empty: they are equal, or look different."""
    ways: dict[str, Callable[[str], str]] = {
        "blanks or invisible characters": _without_blanks,
        "upper and lower case": _folded,
        "Unicode normal form": lambda text: unicodedata.normalize("NFKC", text),
        "letters or signs that look alike": lambda text: text.translate(_SIMILAR),
    }
    for count in range(1, len(ways) + 1) if first != second else ():
        for chosen in itertools.combinations(ways, count):
            pair = [first, second]
            for way in reversed(chosen):
                pair = [ways[way](text) for text in pair]
            if pair[0] == pair[1]:
                return " and ".join(chosen)
    return ""


def lookalike(received: str, known: Iterable[str]) -> str:
    """A sentence about a known string that looks like the received one, to append to a message."""
    for name in known:
        if found := difference(received, name):
            return f". {name!a} looks like {received!a} and differs in {found}"
    return ""


def listed(names: Sequence[str]) -> str:
    """Names for a message; of many the first ones."""
    more = f", ... ({len(names):,} in all)" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def close_name(received: str, known: Sequence[str]) -> str:
    """A sentence about the known name that is spelled most like the received one, to append to a message."""
    close = difflib.get_close_matches(received, known, n=1)
    return f". Did you mean {close[0]!r}?" if close else ""


def wrong_kind(start: bytes, name: str) -> str:
    """What a file is that is no CSV file in UTF-8, by its first bytes; empty: nothing is known against it."""
    if start.startswith(LFS):
        return f"{name} is a pointer of Git LFS, not the file itself: run `git lfs pull`"
    encoding = next((encoding for mark, encoding in MARKS.items() if start.startswith(mark)), None)
    kind = next((kind for mark, kind in KINDS.items() if start.startswith(mark)), None)
    if encoding is None and kind is None and start.count(0) > _NULS * len(start):
        # In UTF-16 every second byte of a Latin letter is NUL, in UTF-16BE the first.
        first, second = start[::2].count(0), start[1::2].count(0)
        if max(first, second) > 4 * min(first, second):
            encoding = "UTF-16BE" if first > second else "UTF-16LE"
        else:
            kind = "a binary file"
    if kind is not None:
        return f"{name} is {kind}, not CSV: export it as CSV in UTF-8"
    return f"{name} is {encoding}, not UTF-8. {converted(name, encoding)}" if encoding else ""


def wrong_bytes(content: bytes, name: str) -> str:
    """The first line that is not UTF-8, and the likely encoding; empty: the content is UTF-8."""
    lines = content.splitlines()
    broken = [number for number, line in enumerate(lines, start=1) if not _is_utf8(line)]
    if not broken:
        return ""
    shown = lines[broken[0] - 1].decode("cp1252", errors="replace")
    found = f"{name}, line {broken[0]} is not valid UTF-8"
    others = sum(not line.isascii() for line in lines) - len(broken)
    if others and broken == [len(lines)] and _is_cut(lines[-1]):
        return f"{found}: the file ends within a character. Is it complete? Copy it again"
    if others > len(broken):
        return f"{found}, but {others:,} other lines with such characters are: correct the line {shown!r:.80}"
    return (
        f"{found}. In cp1252 (Windows, Western Europe) it is {shown!r:.80}. If that is right: "
        + converted(name, "cp1252")
    )


def wrong_separator(line: str, name: str, wanted: Collection[str]) -> str:
    """Whether other characters than commas separate the columns; empty: they do not.

    Args:
        line: the first line of the file.
        name: the file's, for the message.
        wanted: names of columns that the header must contain; may be empty.
    """
    if excel := _EXCEL.fullmatch(line):
        if excel[1] in {",", ""}:
            return f"{name}: the first line {line.strip()!r} is for Excel only: remove it"
        return f"{name}: the first line {line.strip()!r} is for Excel only. {_separated(name, excel[1], 1)}"
    names = split_line(line, ",")
    for separator, word in SEPARATORS.items():
        others = split_line(line, separator)
        if len(names) == 1 < len(others) or (wanted and set(wanted) <= set(others) and others != names):
            return f"{name}: {word} separate its columns, not commas. {_separated(name, separator, 0)}"
    return ""


def swallowed(field: str, column: int, columns: int, label: int, known: Callable[[str], bool]) -> bool:
    """Whether a field with line breaks looks as if a quotation mark had made several rows one field.

    Args:
        field: its content.
        column: its position in a row.
        columns: the number of columns.
        label: the position of the column with the label.
        known: whether a label is one of those that params.yaml names.
    """
    lines = [split_line(line, ",") for line in _LINE_BREAK.split(field)]
    if len(lines) == 1:
        return False
    for parts in lines[1:-1]:
        if len(parts) == columns and known(parts[label]):
            return True
    first, last = lines[0], lines[-1]
    if label > column and len(first) == columns - column and known(first[label - column]):
        return True
    return label < column and len(last) == column + 1 and known(last[label])


def converted(name: str, encoding: str) -> str:
    """How to convert a file to UTF-8."""
    source, target = shlex.quote(name), shlex.quote(_renamed(name, "utf8"))
    return f"Convert it: iconv -f {encoding} -t UTF-8 {source} > {target}"


def split_line(line: str, separator: str) -> list[str]:
    """The fields of one line of CSV."""
    return next(csv.reader([line.rstrip("\r\n")], delimiter=separator), [])


def _separated(name: str, separator: str, skipped: int) -> str:
    options = f"sep={json.dumps(separator)}, skiprows={skipped}, dtype=str, keep_default_na=False"
    code = (
        f"import pandas; pandas.read_csv({json.dumps(name)}, {options})"
        f".to_csv({json.dumps(_renamed(name, 'commas'))}, index=False)"
    )
    return f"Convert it: {shlex.join(['python', '-c', code])}"


def _renamed(name: str, addition: str) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"{stem}-{addition}.{suffix}"


def _without_blanks(text: str) -> str:
    return "".join(
        char for char in text if not char.isspace() and unicodedata.category(char) not in {"Cf", "Cc"}
    )


def _folded(text: str) -> str:
    # Turkish has an i without a dot and a capital I with one. `casefold` leaves the first as it is, and makes
    # an i with a combining dot of the second.
    return text.casefold().replace("i\u0307", "i").replace("\u0131", "i")


def _is_cut(line: bytes) -> bool:
    """Whether only the end of the line's last character is missing."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(line)
    except UnicodeDecodeError:
        return False
    return True


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
