"""Messages about a user's file say what is likely wrong with it, and where."""

from __future__ import annotations

import datetime
import os
import shlex
import shutil
import stat
import subprocess
import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from moodring.datasets import own_file
from moodring.datasets.csv_file import lines_of
from moodring.datasets.likely import difference
from moodring.errors import MoodringError
from tests.datasets.conftest import OWN, PARQUET, source

pytestmark = pytest.mark.usefixtures("own_checkout")


def read(path: str = OWN, **changes: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = own_file.read(source(path=path, **changes)).to_pylist()
    return rows


def csv(content: str | bytes, **changes: Any) -> list[str]:
    """Write a CSV file with this content; returns the texts that are read."""
    Path(OWN).write_bytes(content.encode() if isinstance(content, str) else content)
    return [row["text"] for row in read(**changes)]


def error_of(content: str | bytes, **changes: Any) -> str:
    with pytest.raises(MoodringError) as caught:
        csv(content, **changes)
    return str(caught.value)


def parquet_error(columns: dict[str, Any], **changes: Any) -> str:
    pq.write_table(pa.table(columns), PARQUET)
    with pytest.raises(MoodringError) as caught:
        read(PARQUET, **changes)
    return str(caught.value)


# Encodings

ROWS = "text,label\nschön,1\nnaïve,0\n"


@pytest.mark.parametrize(
    ("encoding", "mark", "named"),
    [
        ("utf-16-le", b"\xff\xfe", "UTF-16"),
        ("utf-16-be", b"\xfe\xff", "UTF-16"),
        ("utf-16-le", b"", "UTF-16LE"),
        ("utf-16-be", b"", "UTF-16BE"),
        ("utf-32-le", b"\xff\xfe\0\0", "UTF-32"),
        ("cp1252", b"", "cp1252"),
    ],
)
def test_the_command_for_another_encoding_makes_a_file_that_can_be_read(
    encoding: str, mark: bytes, named: str
) -> None:
    message = error_of(mark + ROWS.encode(encoding))
    assert named in message
    assert "not UTF-8" in message or "not valid UTF-8" in message
    command = message.partition("Convert it: ")[2]
    assert command == f"iconv -f {named} -t UTF-8 {OWN} > data/own/own-utf8.csv"
    if shutil.which("iconv"):
        subprocess.run(command, shell=True, check=True)  # noqa: S602
        assert [row["text"] for row in read("data/own/own-utf8.csv")] == ["schön", "naïve"]


@pytest.mark.parametrize(
    ("content", "line", "shown"),
    [
        (b"t\xe9xt,label\na,1\n", 1, "téxt,label"),
        (b"text,label\na,1\ncaf\xe9,0\n", 3, "café,0"),
        (b"text,label\r\n\r\na,1\r\nb,\xe9\r\n", 4, "b,é"),
        (b'text,label\n"two\nlines",1\n"caf\xe9 \x80",0\n', 4, "café €"),
        (b"text,label\n" + b"a,1\n" * 9000 + b"caf\xe9,0\n", 9002, "café"),
    ],
    ids=["header", "text", "label", "after two lines", "far down"],
)
def test_the_line_that_is_not_utf8_is_named_and_shown_in_cp1252(
    content: bytes, line: int, shown: str
) -> None:
    message = error_of(content)
    assert f"{OWN}, line {line} is not valid UTF-8. In cp1252" in message
    assert shown in message


def test_one_damaged_line_of_many_in_utf8_must_be_corrected() -> None:
    message = error_of("text,label\nschön,1\nnaïve,0\nküß,1\n".encode() + b"caf\xe9,0\n")
    assert (
        "line 5 is not valid UTF-8, but 3 other lines with such characters are: correct the line" in message
    )
    assert "iconv" not in message


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"PK\x03\x04", "a zip archive, such as an Excel file"),
        (b"\xd0\xcf\x11\xe0", "an old Excel file"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b"PAR1", "a Parquet file"),
        (b"ARROW1\0\0", "an Arrow file"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"%PDF-1.4\n%\xe2\xe3", "a PDF document"),
        (b"BZh91AY&SY\xff", "a bzip2 archive"),
        (b"\xfd7zXZ\0\xff", "an xz archive"),
        (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
        (b'{"text": "a", "label": 1}\n', "a JSON file"),
        (b"<!DOCTYPE html><table>", "an HTML or XML file"),
        (b"\x7fELF\2\1\1\0", "a binary file"),
    ],
)
def test_another_kind_of_file_named_csv_is_recognized(start: bytes, kind: str) -> None:
    assert f"{OWN} is {kind}, not CSV" in error_of(start + bytes(100))


def test_a_pointer_of_git_lfs_is_recognized() -> None:
    message = error_of("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    assert message == f"{OWN} is a pointer of Git LFS, not the file itself: run `git lfs pull`"


def test_a_file_that_ends_within_a_character_is_incomplete() -> None:
    message = error_of("text,label\nschön,1\nküß,1\n那样".encode()[:-1])
    assert "line 4 is not valid UTF-8: the file ends within a character. Is it complete?" in message


def test_a_byte_order_mark_and_a_nul_in_a_text_are_no_error() -> None:
    assert csv("\ufefftext,label\na\0b and more words,1\n") == ["a\0b and more words"]


# Separators


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("text;label\nschön, really;1\nb;0\n", "semicolons"),
        ('"text";"label"\n"schön, really";"1"\nb;0\n', "semicolons"),
        ("text\tlabel\nschön, really\t1\nb\t0\n", "tabs"),
        ("text|label\nschön, really|1\nb|0\n", "vertical bars"),
        ("a, note;text;label\nx;schön, really;1\ny;b;0\n", "semicolons"),
        ("sep=;\ntext;label\nschön, really;1\nb;0\n", "the first line 'sep=;' is for Excel"),
        ("\ufeffsep=;\r\ntext;label\r\nschön, really;1\r\nb;0\r\n", "the first line 'sep=;' is for Excel"),
        ('"sep=;"\ntext;label\nschön, really;1\nb;0\n', "is for Excel"),
        ("SEP=\t\ntext\tlabel\nschön, really\t1\nb\t0\n", "is for Excel"),
    ],
)
def test_the_command_for_another_separator_makes_a_file_that_can_be_read(content: str, named: str) -> None:
    message = error_of(content)
    assert named in message
    command = shlex.split(message.partition("Convert it: ")[2])
    assert command[:2] == ["python", "-c"]
    exec(command[2], {})  # noqa: S102  # without the start of another process
    assert [row["text"] for row in read("data/own/own-commas.csv")] == ["schön, really", "b"]


def test_a_first_line_for_excel_with_a_comma_must_be_removed() -> None:
    assert error_of("sep=,\ntext,label\na,1\n").endswith(
        "the first line 'sep=,' is for Excel only: remove it"
    )


# Names that look the same

ALIKE = [
    pytest.param("text", "text ", "blanks or invisible characters", id="trailing blank"),
    pytest.param("text", "\u00a0text", "blanks or invisible characters", id="no-break space"),
    pytest.param("text", "te\u200bxt", "blanks or invisible characters", id="zero width"),
    pytest.param("text", "\ufefftext", "blanks or invisible characters", id="byte order mark"),
    pytest.param("my text", "my  text", "blanks or invisible characters", id="two blanks"),
    pytest.param("text", "Text", "upper and lower case", id="case"),
    pytest.param("iyi", "İYİ", "upper and lower case", id="Turkish capital I with a dot"),
    pytest.param("y\u0131l", "YIL", "upper and lower case", id="Turkish i without a dot"),
    pytest.param("straße", "STRASSE", "upper and lower case", id="German"),
    pytest.param("café", unicodedata.normalize("NFD", "café"), "Unicode normal form", id="NFD"),
    pytest.param("text", "\uff54\uff45\uff58\uff54", "Unicode normal form", id="full width"),
    pytest.param(
        "café", unicodedata.normalize("NFD", "Café"), "upper and lower case and Unicode normal form", id="two"
    ),
    pytest.param("text", "t\u0435xt", "letters or signs that look alike", id="Cyrillic"),
    pytest.param("KOD", "\u039aOD", "letters or signs that look alike", id="Greek"),
    pytest.param("re-view", "re\u2013view", "letters or signs that look alike", id="dash"),
    pytest.param(
        "text", "Text ", "blanks or invisible characters and upper and lower case", id="blank and case"
    ),
]


@pytest.mark.parametrize(("wanted", "found", "differs"), ALIKE)
def test_a_column_that_only_looks_the_same_is_named(wanted: str, found: str, differs: str) -> None:
    for content in (f'id,"{found}",label\n1,a,1\n', f'id,label,"{found}"\n1,1,a\n'):
        # A second byte order mark: the first one belongs to the file.
        message = error_of(content, text=wanted)
        assert message.endswith(f"{found!a} looks like {wanted!a} and differs in {differs}")


@pytest.mark.parametrize(
    ("wanted", "found", "differs"), [case for case in ALIKE if case.id not in {"trailing blank", "case"}]
)
def test_a_label_that_only_looks_the_same_is_named(wanted: str, found: str, differs: str) -> None:
    if own_file.label_key(wanted) == own_file.label_key(found):
        assert csv(f'text,label\na,"{found}"\n', positive=[wanted], negative=["-"]) == ["a"]
        return
    message = error_of(f'text,label\na,"{found}"\n', positive=[wanted], negative=["-"])
    assert f"{OWN}, line 2: label" in message
    assert f"{wanted!a} looks like {found!a} and differs in " in message


@pytest.mark.parametrize(
    ("value", "differs"), [("Train", "upper and lower case"), (" test", "blanks or invisible characters")]
)
def test_a_split_that_only_looks_the_same_is_named(value: str, differs: str) -> None:
    message = error_of(f"text,label,part\na,1,{value}\n", split="part")
    assert message.endswith(f"looks like {value!a} and differs in {differs}")


@pytest.mark.parametrize(("first", "second"), [("text", "text"), ("good", "bad"), ("1", "l"), ("", "a")])
def test_equal_and_different_strings_do_not_only_look_the_same(first: str, second: str) -> None:
    assert difference(first, second) == ""


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("# of a shop\ntext,label\na,1\n", ". Line 2 has the names: remove the lines above it"),
        ("Reviews 2024\n\ntext,label\na,1\n", ". Line 3 has the names: remove the lines above it"),
        ("good film,1\nbad film,0\n", ". The first line must name the columns"),
        ("texts,label\na,1\n", ". Did you mean 'texts'?"),
        (
            ",".join(map(str, range(300))) + "\n",
            "18, 19, ... (300 in all). The first line must name the columns",
        ),
    ],
    ids=["a comment", "a title", "no header", "misspelt", "many columns"],
)
def test_a_missing_column_is_explained(content: str, found: str) -> None:
    message = error_of(content)
    assert f"{OWN} must have one column 'text', received 0; its columns: " in message
    assert message.endswith(found)


def test_text_and_label_are_two_columns() -> None:
    assert error_of("a,b\n1,2\n", text="a", label="a").endswith("two columns, received twice: 'a'")


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ('text,label\n"say \\"hi\\" now",1\nb,0\n', "1 lines have"),
        ('text,label\na,1\n"b",0\n' + '"a \\"b\\" c",1\n' * 7, "inside a text: 4, 5, 6, 7, 8, ...."),
    ],
)
def test_quotation_marks_after_a_backslash_are_named(
    content: str, lines: str, capsys: pytest.CaptureFixture[str]
) -> None:
    csv(content)
    warning = capsys.readouterr().err
    assert lines in warning
    assert 'must be doubled: "say ""hi"""' in warning


@pytest.mark.parametrize("text", ["C:\\dir", '"C:\\dir\\"', '"say ""hi"""', '"a ""\\n"" b"'])
def test_other_backslashes_and_quotation_marks_are_not_named(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    csv(f"text,label\n{text},1\n")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("names", ["text,text,label", "text,label,label"])
def test_a_column_that_is_there_twice_is_counted(names: str) -> None:
    assert "received 2; its columns: " in error_of(f"{names}\na,1,1\n")


def test_an_unneeded_column_may_be_there_twice() -> None:
    assert csv('text,x,x,label\na,1,2,1\n"b\nc",1,2,0\n') == ["a", "b\nc"]


# Lines

LINED = [
    pytest.param("text,label\na,1\nb,meh\n", 3, id="plain"),
    pytest.param("\n\ntext,label\n\na,1\n\nb,meh\n", 7, id="blank lines"),
    pytest.param('text,label\n"two\nlines",1\nb,meh\n', 4, id="a text of two lines"),
    pytest.param('text,label\r\n"two\r\n\r\nlines",1\r\nb,meh\r\n', 5, id="CRLF"),
    pytest.param('text,label\r"two\rlines",1\rb,meh\r', 4, id="CR"),
    pytest.param('text,label\n"two\r\nlines",1\r\nb,meh\n', 4, id="mixed"),
    pytest.param('"te\nxt",label\na,1\nb,meh\n', 4, id="a header of two lines"),
    pytest.param('text,label\na,1\n"b\nc",meh\n', 3, id="the first line of the row"),
    pytest.param("text,label\n" + "a" * 200_000 + ",1\nb,meh\n", 3, id="a long line"),
]


@pytest.mark.parametrize(("content", "line"), LINED)
def test_a_row_of_a_csv_file_is_named_by_its_line(content: str, line: int) -> None:
    text = "te\nxt" if "te\nxt" in content else "text"
    assert f"{OWN}, line {line}: label 'meh'" in error_of(content, text=text)


def test_a_row_of_a_parquet_file_is_named_by_its_number() -> None:
    assert f"{PARQUET}, row 2: label 'meh'" in parquet_error({"text": ["a", "b"], "label": ["1", "meh"]})


def test_the_lines_of_many_rows_are_found_in_one_pass() -> None:
    Path(OWN).write_text('text,label\n\na,1\n"b\nc\n",0\nd,1\n', encoding="utf-8")
    assert lines_of(Path(OWN), {0, 1, 2}) == {0: (3, 3), 1: (4, 6), 2: (7, 7)}


# Columns of a row, and quotation marks


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("text,label\na,1\nb\n", ["line 3: 2 columns are expected, received 1: 'b'"]),
        ("text,label\na,1\n   \n", ["line 3: 2 columns are expected, received 1"]),
        (
            "text,label\nfine, really,1\n",
            ["line 2: 2 columns are expected, received 3", "comma must be in quot"],
        ),
        (
            'text,label\nx,1\n"a,1\nb,0\n',
            ["line 3: 2 columns are expected, received 1", "goes on to line 4", "doubled"],
        ),
        ('text,label\n"a,1\n"b,0",1\n', ["line 2: 2 columns", "goes on to line 3"]),
        ('label,text\n1,"a\n0,b\n', ["line 2: a quotation mark opens in this row and is not closed"]),
        ('label,text\n1,a\n\n0,"b\n1,c', ["line 4: a quotation mark opens in this row and is not closed"]),
    ],
)
def test_the_line_of_a_wrong_row_is_named(content: str, parts: list[str]) -> None:
    message = error_of(content)
    for part in (OWN, *parts):
        assert part in message


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ('text,label\ngood,1\n"I loved it,1\nbad film,0\nsay ""hi"",1\nend",0\n', "3 to 6"),
        ('text,label\n"I loved it,1\n"bad film,0\n', "2 to 3"),
        ('label,text\n1,"I loved it\n0,bad film\n1,the ""end"""\n', "2 to 4"),
        ('label,text\n1,fine\n\n1,"I loved it\n0,bad film"\n', "4 to 5"),
        ('title,text,label\n"x,a,1\ny,b,0\nz",c,1\n', "2 to 4"),
    ],
    ids=["text first", "two rows", "label first", "the last two rows", "another column"],
)
def test_rows_that_a_quotation_mark_swallowed_are_named_by_their_lines(
    content: str, lines: str, capsys: pytest.CaptureFixture[str]
) -> None:
    csv(content)
    warning = capsys.readouterr().err
    assert "1 of them look like several rows" in warning
    assert f"lines {lines}. " in warning


def test_texts_with_line_breaks_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    csv('text,label\n"Dear shop,\nthank you, 5 stars",1\nplain,0\n"a\r\n\r\nb",1\n')
    captured = capsys.readouterr()
    assert f"{OWN}: 2 of 3 rows have line breaks\n" in captured.out
    assert captured.err == ""
    csv("text,label\na,1\n")
    assert capsys.readouterr().out == ""


def test_only_the_first_of_many_suspicious_rows_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    csv("text,label\n" + '"a,1\nb",0\n' * 7)
    warning = capsys.readouterr().err
    assert "7 of 7 rows have line breaks. 7 of them" in warning
    assert "lines 2 to 3, 4 to 5, 6 to 7, 8 to 9, 10 to 11, ...." in warning


# Files without texts


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", f"{OWN} is empty"),
        ("\ufeff", f"{OWN} is empty"),
        ("\n\r\n\n", f"{OWN} is empty"),
        ("text,label\n", f"{OWN} has a header and no rows"),
        ("text,label", f"{OWN} has a header and no rows"),
        ("text,label\n\n\n", f"{OWN} has a header and no rows"),
    ],
)
def test_a_file_without_rows_is_named(content: str, expected: str) -> None:
    assert error_of(content).startswith(expected)


def test_a_parquet_file_without_rows_is_named() -> None:
    empty = pa.array([], pa.string())
    assert parquet_error({"text": empty, "label": empty}) == f"{PARQUET} has no rows"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
@pytest.mark.parametrize("name", [OWN, PARQUET])
def test_a_file_without_permission_is_named(name: str) -> None:
    Path(name).touch()
    Path(name).chmod(stat.S_IWUSR)
    with pytest.raises(MoodringError, match=f"cannot read {name}: .*Permission denied"):
        read(name)


# Columns of Parquet files

MARS = pa.timestamp("us", tz="Mars/Olympus")
VALUES = [
    pytest.param(pa.array([0, 1], MARS), id="a time zone that does not exist"),
    pytest.param(pa.array([2**60, 1], pa.timestamp("ms")), id="a time after the year 9999"),
    pytest.param(pa.array([2**31 - 1, 1], pa.date32()), id="a date after the year 9999"),
    pytest.param(pa.array([[0], [1]], pa.list_(MARS)), id="a list"),
    pytest.param(pa.array([{"a": 0}, None], pa.struct([("a", MARS)])), id="a structure"),
    pytest.param(pa.array([2**62, 1], pa.duration("s")), id="a duration"),
]
NO_TEXTS = [
    pytest.param([1, 2], id="numbers"),
    pytest.param([b"a", b"b"], id="bytes"),
    pytest.param([Decimal("1.5"), None], id="decimal numbers"),
    pytest.param([datetime.datetime(2024, 1, 1), None], id="times"),  # noqa: DTZ001
    pytest.param([["a"], []], id="lists"),
    pytest.param([{"a": "b"}, {}], id="structures"),
]


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("key", ["text", "label", "split", "origin"])
def test_a_value_that_cannot_be_read_is_an_error_with_the_columns_type(values: Any, key: str) -> None:
    columns = {"text": ["a", "b"], "label": [1, 0], "part": ["train", "test"]} | {"x": values}
    message = parquet_error(columns, **{key: "x"})
    assert f"{PARQUET}: the column 'x' has the type {str(values.type).partition('<')[0]}" in message
    assert "Save the column as text" in message


@pytest.mark.parametrize("values", VALUES)
def test_a_column_that_is_not_needed_may_have_any_type(values: Any) -> None:
    pq.write_table(pa.table({"text": ["a", "b"], "label": [1, 0], "x": values}), PARQUET)
    assert [row["text"] for row in read(PARQUET)] == ["a", "b"]


@pytest.mark.parametrize("values", NO_TEXTS)
def test_a_column_without_texts_is_an_error_with_the_value(values: Any) -> None:
    message = parquet_error({"text": values, "label": [1, 0]})
    assert f"{PARQUET}, row 1: column 'text' must contain text, received: {values[0]!r:.20}" in message


def test_columns_with_a_dot_in_their_names_are_read() -> None:
    pq.write_table(pa.table({"a.b": ["x", "y"], "a": [{"b": 1}, {"b": 2}], "label": [1, 0]}), PARQUET)
    assert [row["text"] for row in read(PARQUET, text="a.b")] == ["x", "y"]
