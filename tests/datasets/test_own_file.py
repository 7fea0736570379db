"""The user's own CSV or Parquet file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from moodring.datasets import own_file
from moodring.datasets.load import load_raw
from moodring.errors import MoodringError
from moodring.io.tables import content_digest
from tests.datasets.conftest import OWN, PARQUET, source

pytestmark = pytest.mark.usefixtures("own_checkout")


def csv(content: str | bytes, **changes: Any) -> list[dict[str, Any]]:
    """Write a CSV file with this content; returns the rows that are read."""
    Path(OWN).write_bytes(content.encode() if isinstance(content, str) else content)
    rows: list[dict[str, Any]] = own_file.read(source(**changes)).to_pylist()
    return rows


def parquet(columns: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    """Write a Parquet file with these columns; returns the rows that are read."""
    pq.write_table(pa.table(columns), PARQUET)
    rows: list[dict[str, Any]] = own_file.read(source(path=PARQUET, **changes)).to_pylist()
    return rows


def error_of(content: str | bytes, **changes: Any) -> str:
    with pytest.raises(MoodringError) as caught:
        csv(content, **changes)
    return str(caught.value)


def texts(rows: list[dict[str, Any]]) -> list[str]:
    return [row["text"] for row in rows]


def labels(rows: list[dict[str, Any]]) -> list[int]:
    return [row["label"] for row in rows]


def test_rows_are_read_in_order_without_other_columns() -> None:
    assert csv("id,label,text\n1,1,good\n2,0,bad\n3,1,fine\n") == [
        {"split": "train", "label": 1, "text": "good"},
        {"split": "train", "label": 0, "text": "bad"},
        {"split": "train", "label": 1, "text": "fine"},
    ]


def test_a_column_can_contain_the_source_of_a_text() -> None:
    assert csv("text,label,shop\na,1,x\nb,0,\n", origin="shop") == [
        {"split": "train", "label": 1, "text": "a", "source": "x"},
        {"split": "train", "label": 0, "text": "b", "source": ""},
    ]


def test_origins_of_any_type_are_read_from_parquet() -> None:
    for values, expected in (([7, None], ["7", ""]), (pa.array(["x", "y"]).dictionary_encode(), ["x", "y"])):
        rows = parquet({"text": ["a", "b"], "label": [1, 0], "shop": values}, origin="shop")
        assert [row["source"] for row in rows] == expected


def test_origins_stay_with_their_texts_and_do_not_change_the_digest() -> None:
    content = "text,label,shop\n" + "".join(f"text {i},{i % 2},shop {i}\n" for i in range(10))
    csv(content)
    digest = content_digest(own_file.read(source()))
    table = load_raw(source(origin="shop", digest=digest), "own")
    assert [row["source"] for row in table.to_pylist()] == [
        row["text"].replace("text", "shop") for row in table.to_pylist()
    ]


LABELS = [
    pytest.param([1, 0], [1], [0], id="int"),
    pytest.param([4, 0], [3, 4], [0, 1], id="several int"),
    pytest.param([1.0, 0.0], [1.0], [0.0], id="float"),
    pytest.param([1.0, 0.0], [1], [0], id="float in the file, int in the parameters"),
    pytest.param([0.5, -0.5], [0.5], [-0.5], id="fraction"),
    pytest.param([True, False], [True], [False], id="bool"),
    pytest.param(["pos", "neg"], ["pos"], ["neg"], id="str"),
    pytest.param(["1", "0"], [1], [0], id="str in the file, int in the parameters"),
    pytest.param(["yes", "no"], ["yes"], ["no"], id="words with a meaning in YAML"),
]


@pytest.mark.parametrize(("values", "positive", "negative"), LABELS)
def test_labels_of_any_type_are_read_from_csv(values: list[Any], positive: Any, negative: Any) -> None:
    content = "text,label\n" + "".join(f"a,{value}\n" for value in values)
    assert labels(csv(content, positive=positive, negative=negative)) == [1, 0]


@pytest.mark.parametrize(("values", "positive", "negative"), LABELS)
def test_labels_of_any_type_are_read_from_parquet(values: list[Any], positive: Any, negative: Any) -> None:
    rows = parquet({"text": ["a", "b"], "label": values}, positive=positive, negative=negative)
    assert labels(rows) == [1, 0]


def test_the_meaning_of_a_label_does_not_depend_on_other_rows() -> None:
    with_a_word = {"positive": [1, "good"], "negative": [0]}
    assert labels(csv("text,label\na,1\nb,0\nc,good\n", **with_a_word)) == [1, 0, 1]


def test_categories_are_read_from_parquet() -> None:
    column = pa.array(["pos", "neg", "pos"]).dictionary_encode()
    rows = parquet({"text": ["a", "b", "c"], "label": column}, positive=["pos"], negative=["neg"])
    assert labels(rows) == [1, 0, 1]


def test_the_error_for_an_unknown_label_names_its_row() -> None:
    message = error_of("text,label\na,1\nb,0\nc,meh\n")
    assert f"{OWN}, line 4: label 'meh'" in message


def test_a_missing_label_is_an_error() -> None:
    with pytest.raises(MoodringError, match="row 2: label None"):
        parquet({"text": ["a", "b"], "label": ["yes", None]}, positive=["yes"], negative=["none"])


def test_a_label_for_both_classes_is_an_error() -> None:
    with pytest.raises(MoodringError, match="both"):
        csv("text,label\na,1\nb,0\n", positive=[1, 0], negative=["0"])


@pytest.mark.parametrize(
    "changes", [{"text": "tweet"}, {"label": "tweet"}, {"split": "tweet"}, {"origin": "tweet"}]
)
def test_the_error_for_a_missing_column_names_the_existing_columns(changes: dict[str, str]) -> None:
    message = error_of("id,text,label\n1,a,1\n", **changes)
    assert "'tweet'" in message
    assert "id, text, label" in message


def test_a_duplicate_column_is_an_error() -> None:
    assert "'text'" in error_of("text,text,label\na,b,1\n")


def test_a_split_column_gives_the_splits() -> None:
    rows = csv("text,label,part\na,1,test\nb,0,train\n", split="part")
    assert [row["split"] for row in rows] == ["test", "train"]


@pytest.mark.parametrize("value", ["dev", "", "Train"])
def test_the_error_for_an_unknown_split_names_its_row(value: str) -> None:
    message = error_of(f"text,label,part\na,1,train\nb,0,{value}\n", split="part")
    assert "line 3: split must be train or test" in message
    assert repr(value) in message


def test_a_missing_text_in_parquet_is_an_empty_text() -> None:
    assert texts(parquet({"text": ["a", None], "label": [1, 0]})) == ["a", ""]


def test_csv_texts_are_not_changed() -> None:
    content = "text,label\nNA,1\nnull,0\n,1\n007,0\n1e3,1\ntrue,0\n  padded ,1\n2024-01-01,0\n"
    assert texts(csv(content)) == ["NA", "null", "", "007", "1e3", "true", "  padded ", "2024-01-01"]


def test_quoted_newlines_commas_and_quotes_are_part_of_the_text() -> None:
    rows = csv('text,label\r\n"one, ""two""\r\n\r\nthree\n",1\r\nplain,0\r\n')
    assert texts(rows) == ['one, "two"\r\n\r\nthree\n', "plain"]


def test_a_byte_order_mark_is_not_part_of_a_column_name() -> None:
    assert texts(csv("\ufefftext,label\nschön \U0001f600,1\n")) == ["schön \U0001f600"]


@pytest.mark.parametrize("length", [1_000_000, 5_000_000])
def test_a_very_long_text_is_read_completely(length: int) -> None:
    long = "long " * (length // 5)
    assert texts(csv(f"text,label\nshort,0\n{long},1\n")) == ["short", long]


@pytest.mark.parametrize("content", [b"", b"not parquet", b"PAR1" + bytes(100) + b"PAR1"])
def test_the_error_for_an_unreadable_parquet_file_names_it(content: bytes) -> None:
    Path(PARQUET).write_bytes(content)
    with pytest.raises(MoodringError, match=r"cannot read data/own/own\.parquet"):
        own_file.read(source(path=PARQUET))


def test_a_parquet_text_that_is_not_utf8_is_an_error() -> None:
    with pytest.raises(MoodringError, match=r"(?i)utf-?8"):
        parquet({"text": pa.array([b"caf\xe9"]).view(pa.string()), "label": [1]})


def test_the_error_for_a_text_column_of_numbers_names_its_row() -> None:
    with pytest.raises(MoodringError, match="row 1: column 'text' must contain text, received: 7"):
        parquet({"text": [7, 8], "label": [1, 0]})


@pytest.mark.parametrize("name", ["data/own/own.tsv", "data/own/own.json", "data/own/own"])
def test_another_kind_of_file_is_an_error(name: str) -> None:
    Path(name).write_text("text,label\na,1\n")
    with pytest.raises(MoodringError, match=re.escape(repr(Path(name).suffix))):
        own_file.read(source(path=name))


def test_a_file_extension_can_be_upper_case() -> None:
    Path("data/own/OWN.CSV").write_text("text,label\na,1\n")
    assert own_file.read(source(path="data/own/OWN.CSV")).num_rows == 1


def test_the_error_for_a_missing_file_names_it() -> None:
    with pytest.raises(MoodringError, match=r"no file 'data/own/none\.csv'"):
        own_file.read(source(path="data/own/none.csv"))


def test_a_path_is_relative_to_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    csv("text,label\na,1\n")
    (tmp_path / "subdirectory").mkdir()
    monkeypatch.chdir(tmp_path / "subdirectory")
    assert own_file.read(source()).num_rows == 1


def test_a_temporary_copy_of_dvc_uses_its_own_version_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    csv("text,label\nthe user's,1\n")
    copy = tmp_path / ".dvc/tmp/exps/tmpX"
    (copy / ".dvc").mkdir(parents=True)
    (copy / "data/own").mkdir(parents=True)
    (copy / OWN).write_text("text,label\nthe copy's,1\n")
    monkeypatch.chdir(copy)
    assert texts(own_file.read(source()).to_pylist()) == ["the copy's"]


TEN = "text,label\n" + "".join(f"text {i},{i % 2}\n" for i in range(10))


def test_a_file_without_a_split_column_gets_a_stratified_test_split() -> None:
    csv(TEN)
    rows = load_raw(source(test_share=0.4), "own").to_pandas()
    assert rows.groupby(["split", "label"]).size().to_dict() == {
        ("test", 0): 2,
        ("test", 1): 2,
        ("train", 0): 3,
        ("train", 1): 3,
    }


def test_the_correct_digest_is_accepted_for_any_split() -> None:
    csv(TEN)
    digest = content_digest(own_file.read(source()))
    assert load_raw(source(digest=digest, split_seed=3), "own").num_rows == 10


def test_the_error_for_a_wrong_digest_names_both_digests() -> None:
    csv(TEN)
    received = content_digest(own_file.read(source()))
    with pytest.raises(MoodringError, match=rf"(?s){'0' * 64}.*{received}"):
        load_raw(source(digest="0" * 64), "own")


@pytest.mark.parametrize(
    ("content", "changes"),
    [
        pytest.param("text,label\na,1\nb,1\nc,1\nd,1\n", {"test_share": 0.5}, id="one class"),
        pytest.param("text,label\na,1\nb,0\nc,1\n", {}, id="one row of a class"),
        pytest.param(
            "text,label,part\na,1,train\nb,0,train\nc,1,test\n", {"split": "part"}, id="one class in test"
        ),
        pytest.param("text,label,part\na,1,train\nb,0,train\n", {"split": "part"}, id="no test rows"),
    ],
)
def test_a_file_without_both_classes_in_both_splits_is_an_error(
    content: str, changes: dict[str, Any]
) -> None:
    csv(content, **changes)
    with pytest.raises(MoodringError, match="both"):
        load_raw(source(**changes), "own")
