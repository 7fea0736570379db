"""The tables between stages, and stratified splits."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import binomtest

from moodring.errors import MoodringError
from moodring.io.splits import accuracy_interval, check_enough, describe_small, stratified_mask
from moodring.io.tables import StoredTable, check_classes, content_digest, make_table, write_table

ROWS: dict[str, list[Any]] = {"splits": ["train", "test"], "labels": [1, 0], "texts": ["a b", "c"]}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"texts": ["a b", "C"]}, id="text"),
        pytest.param({"texts": ["a b", "c "]}, id="space"),
        pytest.param({"texts": ["a ", "bc"]}, id="boundary between texts"),
        pytest.param({"texts": ["", "a bc"]}, id="all in one text"),
        pytest.param({"labels": [1, 1]}, id="label"),
        pytest.param({"splits": ["test", "test"]}, id="split"),
        pytest.param({"splits": ["test", "train"], "labels": [0, 1], "texts": ["c", "a b"]}, id="order"),
        pytest.param({"splits": ["train"], "labels": [1], "texts": ["a b"]}, id="one row less"),
        # Texts that imitate the next row's header in the digest, with and without the length.
        pytest.param({"splits": ["train"], "labels": [1], "texts": ["a btest\t0\t1\nc"]}, id="header"),
        pytest.param({"splits": ["train"], "labels": [1], "texts": ["a btest\t0\t\nc"]}, id="short header"),
    ],
)
def test_the_content_digest_changes_with_the_rows(change: dict[str, list[Any]]) -> None:
    assert content_digest(make_table(**ROWS)) != content_digest(make_table(**ROWS | change))


def rows_of(path: Path) -> pa.Table:
    return pa.Table.from_batches(StoredTable(path).to_batches())


def test_the_content_digest_does_not_depend_on_chunks_files_or_metadata(tmp_path: Path) -> None:
    rows = 9000
    table = make_table(["train"] * rows, [i % 2 for i in range(rows)], [f"schön {i}" for i in range(rows)])
    write_table(tmp_path / "table.parquet", table.replace_schema_metadata({"a": "b"}))
    chunks = pa.concat_tables([table.slice(0, 1), table.slice(1, 5000), table.slice(5001)])
    digests = {content_digest(form) for form in (table, chunks, rows_of(tmp_path / "table.parquet"))}
    assert len(digests) == 1


def test_a_lone_surrogate_is_refused_with_its_row() -> None:
    with pytest.raises(MoodringError, match="text of row 2 is not valid Unicode"):
        make_table(["train"] * 3, [0, 1, 0], ["a", "\U0001f600", "b\ud83d"])


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    table = make_table(["train", "test"], [1, 0], ["schön\u2028\n\x00\U0001f600", ""])
    write_table(tmp_path / "deep/table.parquet", table)
    assert rows_of(tmp_path / "deep/table.parquet").equals(table)


def test_a_table_with_sources_is_read_as_it_was_written(tmp_path: Path) -> None:
    table = make_table(["train", "test"], [1, 0], ["a", "b"], ["x", ""])
    write_table(tmp_path / "table.parquet", table)
    assert rows_of(tmp_path / "table.parquet").to_pylist()[0]["source"] == "x"
    assert rows_of(tmp_path / "table.parquet").equals(table)


def test_the_error_for_a_missing_table_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(MoodringError, match=r"none\.parquet.*dvc repro"):
        rows_of(tmp_path / "none.parquet")


@pytest.mark.parametrize(
    "damage", [lambda c: b"", lambda c: c[:-20], lambda c: c[20:], lambda c: b"no parquet" * 99]
)
def test_the_error_for_a_damaged_table_names_the_file(tmp_path: Path, damage) -> None:
    path = tmp_path / "table.parquet"
    write_table(path, make_table(**ROWS))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(MoodringError, match=r"cannot read .*table\.parquet"):
        rows_of(path)


def test_the_error_for_changed_pages_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write_table(path, make_table(["train"] * 999, [0] * 999, [f"text {i}" for i in range(999)]))
    content = path.read_bytes()
    path.write_bytes(content[:4] + bytes(600) + content[604:])
    with pytest.raises(MoodringError, match=r"cannot read .*table\.parquet"):
        rows_of(path)


@pytest.mark.parametrize(
    "columns",
    [
        {"split": ["train"], "text": ["a"]},
        {"split": ["train"], "label": ["1"], "text": ["a"]},
        {"label": pa.array([1], pa.int8()), "split": ["train"], "text": ["a"]},
    ],
)
def test_the_error_for_other_columns_names_the_file(tmp_path: Path, columns: dict[str, Any]) -> None:
    pq.write_table(pa.table(columns), tmp_path / "table.parquet")
    with pytest.raises(MoodringError, match=r"table\.parquet must have the columns"):
        rows_of(tmp_path / "table.parquet")


@pytest.mark.parametrize("labels", [[1, 1], [0, 0]])
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_error_for_a_split_with_one_class_names_the_split(split: str, labels: list[int]) -> None:
    other = {"train": "test", "test": "train"}[split]
    table = make_table([split, split, other, other], [*labels, 0, 1], list("abcd"))
    with pytest.raises(MoodringError, match=f"own: the {split} split .* 2 rows"):
        check_classes(table, "own")


# Splits

LABELS = np.array([0] * 60 + [1] * 40, dtype=np.int8)


def test_each_class_keeps_its_proportion_in_the_held_out_rows() -> None:
    mask = stratified_mask(LABELS, 0.25, 7, "test")
    assert mask.shape == LABELS.shape
    assert Counter(LABELS[mask].tolist()) == {0: 15, 1: 10}


def test_the_held_out_rows_depend_on_the_seed() -> None:
    first, again, other = (stratified_mask(LABELS, 0.25, seed, "test").tolist() for seed in (7, 7, 8))
    assert first == again
    assert first != other


@pytest.mark.parametrize("labels", [[], [0], [0, 0, 1], [0, 1]])
def test_the_error_for_too_few_rows_has_their_counts(labels: list[int]) -> None:
    counts = rf"{labels.count(0)} negative, {labels.count(1)} positive"
    expected = rf"the validation split, 10% of {len(labels)} rows \({counts}\): .* Add rows"
    with pytest.raises(MoodringError, match=expected) as error:
        stratified_mask(np.array(labels, dtype=np.int8), 0.1, 7, "validation")
    assert "n_samples" not in str(error.value), "a sentence of scikit-learn"


# Enough texts to decide.

ENOUGH = {
    split: {"negative": count, "positive": count}
    for split, count in (("train", 80), ("validation", 5), ("test", 20))
}


def test_five_texts_of_each_class_in_each_split_are_enough() -> None:
    check_enough(ENOUGH, "made")
    check_enough({split: {"negative": 5, "positive": 5} for split in ENOUGH}, "made")


@pytest.mark.parametrize("count", [0, 1, 4])
@pytest.mark.parametrize("label", ["negative", "positive"])
@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_fewer_texts_of_a_class_are_refused_with_all_counts_and_the_remedy(
    split: str, label: str, count: int
) -> None:
    texts = {**ENOUGH, split: {**ENOUGH[split], label: count}}
    with pytest.raises(MoodringError) as refused:
        check_enough(texts, "made")
    message = str(refused.value)
    assert message.startswith(f"made: {split} has {count} {label}; each split needs at least 5 texts")
    for name, counts in texts.items():
        assert f"{name} {counts['negative']} negative, {counts['positive']} positive" in message
    for remedy in (
        "Add texts",
        "datasets.made.preprocess.validation_share",
        "datasets.made.source.test_share",
    ):
        assert remedy in message


def test_every_split_with_too_few_texts_is_named() -> None:
    with pytest.raises(MoodringError, match="validation has 0 positive, test has 1 positive;"):
        check_enough(
            {
                "train": {"negative": 720, "positive": 4 + 1},
                "validation": {"negative": 80, "positive": 0},
                "test": {"negative": 199, "positive": 1},
            },
            "made",
        )


@pytest.mark.parametrize(
    ("rows", "sentences"),
    [
        (
            {"train": 40, "validation": 500, "test": 60},
            ["The test split has 60 texts: the 95 % interval of an accuracy of 80 % is 68 to 88 %."],
        ),
        (
            {"train": 432, "validation": 48, "test": 499},
            [
                "The validation split has 48 texts: the 95 % interval of an accuracy of 80 % is 67 to 89 %.",
                "The test split has 499 texts: the 95 % interval of an accuracy of 80 % is 76 to 83 %.",
            ],
        ),
        ({"train": 10, "validation": 500, "test": 25_000}, []),
    ],
    ids=["test", "both", "none"],
)
def test_a_sentence_names_each_small_split_that_judges(rows: dict[str, int], sentences: list[str]) -> None:
    assert describe_small(rows) == sentences


@pytest.mark.parametrize(("correct", "rows"), [(0, 5), (5, 5), (8, 10), (48, 60), (997, 1000)])
def test_the_interval_of_an_accuracy_is_wilsons(correct: int, rows: int) -> None:
    expected = binomtest(correct, rows).proportion_ci(0.95, method="wilson")
    assert accuracy_interval(correct / rows, rows) == pytest.approx((expected.low, expected.high), abs=1e-9)
