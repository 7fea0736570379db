"""The clean table and its report."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from moodring.errors import MoodringError
from moodring.io.tables import StoredTable, make_table, write_table, writing_table
from moodring.params.pipeline import Params
from moodring.text.clean_table import cleaner_of
from moodring.text.cleaner import Cleaner
from tests.conftest import cleaned, generated_rows

Row = dict[str, Any]


@pytest.fixture
def keras(params: Params) -> Cleaner:
    """The cleaner of Rotten Tomatoes: lower case, without punctuation."""
    return Cleaner(params.datasets["rotten_tomatoes"].preprocess)


def table(train: list[tuple[int, str]], test: list[tuple[int, str]]) -> pa.Table:
    rows = [*train, *test]
    return make_table(
        ["train"] * len(train) + ["test"] * len(test),
        [label for label, _ in rows],
        [text for _, text in rows],
    )


def generated() -> list[tuple[int, str]]:
    texts, labels = generated_rows(200)
    return list(zip(labels, texts, strict=True))


def plain_raw() -> pa.Table:
    return table(generated()[:160], generated()[160:])


def hard_raw() -> pa.Table:
    """Texts that occur twice in train, twice in test, or in both. Both splits have empty texts."""
    rows = generated()
    train = rows[:160] + rows[:40] + rows[160:163] + [(0, ""), (1, ""), (0, "...")]
    return table(train, rows[160:] + rows[160:162] + [(1, ""), (0, "?!")])


def split_of(clean: pa.Table, split: str) -> list[Row]:
    return [row for row in clean.to_pylist() if row["split"] == split]


def texts_of(clean: pa.Table, split: str) -> set[str]:
    return {row["text"] for row in split_of(clean, split)} - {""}


def test_every_text_is_cleaned(keras: Cleaner) -> None:
    raw = table(
        [(0, "Dull!"), (1, "Fun,  really"), (0, "Bad."), (1, "GOOD")] * 5, [(0, "So-so"), (1, "OK (ish)")]
    )
    clean, _ = cleaned(raw, keras, 7, "made")
    assert texts_of(clean, "test") == {"so so", "ok ish"}
    assert texts_of(clean, "train") | texts_of(clean, "validation") == {"dull", "fun really", "bad", "good"}


def test_validation_is_a_stratified_share_of_train(keras: Cleaner) -> None:
    clean, _ = cleaned(plain_raw(), keras, 7, "made")
    assert Counter((row["split"], row["label"]) for row in clean.to_pylist()) == {
        ("train", 0): 72,
        ("train", 1): 72,
        ("validation", 0): 8,
        ("validation", 1): 8,
        ("test", 0): 20,
        ("test", 1): 20,
    }


def test_validation_depends_only_on_the_seed(keras: Cleaner) -> None:
    first, again, other = (cleaned(plain_raw(), keras, seed, "made")[0] for seed in (7, 7, 8))
    assert first.equals(again)
    assert texts_of(first, "validation") != texts_of(other, "validation")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_raw_text_is_in_two_splits(keras: Cleaner, seed: int) -> None:
    clean, _ = cleaned(hard_raw(), keras, seed, "made")
    train, validation, test = (texts_of(clean, split) for split in ("train", "validation", "test"))
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_texts_that_are_equal_only_after_cleaning_are_kept_and_counted(keras: Cleaner) -> None:
    rows = generated()
    raw = table([*rows[:160], (1, f"{rows[170][1]}!")], rows[160:])
    clean, report = cleaned(raw, keras, 7, "made")
    assert clean.num_rows == raw.num_rows
    assert report["removed_from_train"] == {"also_in_test": 0, "also_in_validation": 0}
    assert texts_of(clean, "train") & texts_of(clean, "test") == {rows[170][1]}
    assert report["equal_to_training"] == {"validation": 0, "test": 1}


def test_the_report_counts_the_removed_rows(keras: Cleaner) -> None:
    raw = hard_raw()
    clean, report = cleaned(raw, keras, 7, "made")
    removed = report["removed_from_train"]
    assert removed["also_in_test"] == 3
    # Train has 40 pairs. If validation gets one text of a pair, the other is removed.
    validation = Counter(row["text"] for row in split_of(clean, "validation"))
    twice = {text for _, text in generated()[:40]}
    assert removed["also_in_validation"] == sum(
        count == 1 for text, count in validation.items() if text in twice
    )
    assert removed["also_in_validation"] > 0
    assert clean.num_rows == raw.num_rows - sum(removed.values())


def test_test_rows_are_not_dropped_or_reordered(keras: Cleaner) -> None:
    raw = hard_raw()
    clean, _ = cleaned(raw, keras, 7, "made")
    assert split_of(clean, "test") == [
        {**row, "text": keras(row["text"])} for row in raw.to_pylist() if row["split"] == "test"
    ]


def test_rows_keep_their_order_within_train_and_validation(keras: Cleaner) -> None:
    clean, _ = cleaned(plain_raw(), keras, 7, "made")
    order = {text: i for i, (_, text) in enumerate(generated())}
    for split in ("train", "validation"):
        numbers = [order[row["text"]] for row in split_of(clean, split)]
        assert numbers == sorted(numbers)


def test_splits_are_in_the_order_train_validation_test(keras: Cleaner) -> None:
    clean, _ = cleaned(plain_raw(), keras, 7, "made")
    assert list(dict.fromkeys(clean["split"].to_pylist())) == ["train", "validation", "test"]


def test_empty_texts_are_kept_in_every_split(keras: Cleaner) -> None:
    clean, report = cleaned(hard_raw(), keras, 7, "made")
    empty = Counter(row["split"] for row in clean.to_pylist() if row["text"] == "")
    assert empty["train"] + empty["validation"] == 3
    assert empty["test"] == 2
    assert report["emptied"] == {split: empty[split] for split in ("train", "validation", "test")}


def test_the_report_describes_the_test_split(keras: Cleaner) -> None:
    test = [(1, "a b c"), (0, "a b"), (0, "..."), (1, "A, B!"), (1, "one two three four five")]
    _, report = cleaned(table(generated()[:100], test), keras, 7, "made")
    report.pop("removed_from_train")
    report.pop("validation_digest")
    assert {key: values["test"] for key, values in report.items()} == {
        "rows": 5,
        "positive_share": 0.6,
        "texts": {"negative": 1, "positive": 3},  # one negative text is empty; "a b" has both labels
        "tokens": {"mean": 2.4, "p50": 2, "p90": 3, "p99": 3, "max": 5},
        "emptied": 1,
        "duplicates_within": 1,
        "equal_to_training": 0,
    }


def test_the_report_can_be_written_as_json_and_matches_the_table(keras: Cleaner) -> None:
    clean, report = cleaned(hard_raw(), keras, 7, "made")
    report = json.loads(json.dumps(report, allow_nan=False))
    for split in ("train", "validation", "test"):
        rows = split_of(clean, split)
        lengths = [len(row["text"].split()) for row in rows]
        assert report["rows"][split] == len(rows)
        assert report["positive_share"][split] == pytest.approx(
            sum(row["label"] for row in rows) / len(rows), abs=1e-4
        )
        assert report["tokens"][split]["mean"] == pytest.approx(sum(lengths) / len(lengths), abs=0.01)
        assert report["tokens"][split]["max"] == max(lengths)


DIFFICULT = ["Good :) <br />film", "@a http://x.y running", "", "Don't"]


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("dataset", ["rotten_tomatoes", "twitter", "imdb"])
def test_a_clean_table_contains_its_cleaner(
    params: Params, tmp_path: Path, dataset: str, on_disk: bool
) -> None:
    cleaner = Cleaner(params.datasets[dataset].preprocess, ["the", "of"])
    clean, _ = cleaned(plain_raw(), cleaner, 7, "made")
    if on_disk:
        write_table(tmp_path / "clean.parquet", clean)
        clean = StoredTable(tmp_path / "clean.parquet")
    restored = cleaner_of(clean)
    assert restored.recipe() == cleaner.recipe()
    assert [restored(text) for text in DIFFICULT] == [cleaner(text) for text in DIFFICULT]


@pytest.mark.parametrize(
    ("train", "test", "split"),
    [
        pytest.param([(1, f"good {i}") for i in range(20)], [(0, "x"), (1, "y")], "train", id="train"),
        pytest.param(generated()[:20], [(1, "x"), (1, "y")], "test", id="test"),
        pytest.param(generated()[:20], [], "test", id="no test rows"),
    ],
)
def test_a_split_with_one_class_is_an_error(
    keras: Cleaner, train: list[tuple[int, str]], test: list[tuple[int, str]], split: str
) -> None:
    with pytest.raises(MoodringError, match=rf"made: the {split} split must contain both classes"):
        cleaned(table(train, test), keras, 7, "made")


def test_a_class_with_too_few_rows_after_removal_is_an_error(keras: Cleaner) -> None:
    negative = [(0, f"bad {i}") for i in range(20)]
    raw = table([*negative, *((1, f"good {i}") for i in range(20))], [*negative, (1, "fine")])
    with pytest.raises(MoodringError, match=re.escape("both classes")):
        cleaned(raw, keras, 7, "made")


def test_a_stored_table_in_pieces_gives_the_same_clean_table(tmp_path: Path, keras: Cleaner) -> None:
    whole = hard_raw()
    pieces = [whole.slice(start, 13) for start in range(0, len(whole), 13)]
    with writing_table(tmp_path / "raw.parquet", whole.schema) as write:
        for piece in pieces:
            write(piece)
    stored = StoredTable(tmp_path / "raw.parquet")
    assert cleaned(stored, keras)[1] == cleaned(whole, keras)[1]
    assert cleaned(pa.concat_tables(pieces), keras)[0].equals(cleaned(whole, keras)[0])


def test_rows_keep_the_order_of_the_raw_table(keras: Cleaner) -> None:
    clean, _ = cleaned(plain_raw(), keras)
    assert clean["text"].to_pylist() == [keras(text) for _, text in generated()]


def test_a_piece_without_remaining_rows_is_skipped(keras: Cleaner) -> None:
    whole = table([*generated()[:160], *generated()[160:180]], generated()[160:])
    pieces = pa.concat_tables([whole.slice(0, 160), whole.slice(160, 20), whole.slice(180)])
    assert [len(batch) for batch in pieces.to_batches()] == [160, 20, 40]
    clean, report = cleaned(pieces, keras)
    assert report["removed_from_train"]["also_in_test"] == 20
    assert clean.equals(cleaned(whole, keras)[0])


# What the validation split is, and how many texts of each class decide.


def test_only_different_texts_that_are_not_empty_count_for_a_class(keras: Cleaner) -> None:
    test = [*[(1, f"good film {i}") for i in range(6)], *[(0, "Bad!")] * 3, (0, "bad"), (0, "?"), (0, "")]
    _, report = cleaned(table(generated()[:100], test), keras)
    assert report["texts"]["test"] == {"negative": 1, "positive": 6}
    assert report["rows"]["test"] == 12
    for split in ("train", "validation"):
        assert sum(report["texts"][split].values()) == report["rows"][split]


def digest(raw: pa.Table, cleaner: Cleaner, seed: int = 7) -> str:
    return str(cleaned(raw, cleaner, seed)[1]["validation_digest"])


def test_the_digest_of_the_validation_split_does_not_depend_on_cleaning_or_pieces(params: Params) -> None:
    steps = params.datasets["rotten_tomatoes"].preprocess
    other = Cleaner(steps.model_copy(update={"lowercase": False, "pattern": "none"}))
    whole = plain_raw()
    pieces = pa.concat_tables([whole.slice(0, 50), whole.slice(50)])
    assert digest(whole, Cleaner(steps)) == digest(whole, other) == digest(pieces, Cleaner(steps))


@pytest.mark.parametrize("change", ["seed", "share", "text", "label"])
def test_the_digest_of_the_validation_split_changes_with_its_texts_and_labels(
    params: Params, change: str
) -> None:
    steps = params.datasets["rotten_tomatoes"].preprocess
    rows = generated()
    before = digest(table(rows[:160], rows[160:]), Cleaner(steps))
    held_out = texts_of(cleaned(plain_raw(), Cleaner(steps))[0], "validation")
    place = next(i for i, (_, text) in enumerate(rows) if text in held_out)
    label, text = rows[place]
    if change == "text":
        rows[place] = (label, f"{text}!")
    elif change == "label":
        rows[place] = (1 - label, text)
    raw = table(rows[:160], rows[160:])
    if change == "share":
        steps = steps.model_copy(update={"validation_share": 0.2})
    assert digest(raw, Cleaner(steps), seed=8 if change == "seed" else 7) != before
