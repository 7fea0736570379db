"""The benchmarks' rivals work like the originals, and the report is correct. No speed is measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.measure import in_child, measured
from benchmarks.notebooks import (
    TWITTER_LENGTH,
    Tokenizer,
    TwitterCleaning,
    imdb_arrays,
    rm_tags,
    text_to_word_sequence,
    twitter_arrays,
)
from benchmarks.report import BEGIN, END, Row, Target, markdown, put_into, read_json, update_json

PLACE = {"cpu": "a CPU", "cores": 2, "memory_gib": 4, "system": "Linux", "python": "3", "backend": "jax"}


def fitted(*texts: str, num_words: int | None = None) -> Tokenizer:
    tokenizer = Tokenizer(num_words)
    tokenizer.fit_on_texts(texts)
    return tokenizer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A film, A FILM!", ["a", "film", "a", "film"]),
        ("don't  stop\tnow\n", ["don't", "stop", "now"]),
        ("well-made_thing (1999)", ["well", "made", "thing", "1999"]),
        ("one\xa0word\x85here", ["one\xa0word\x85here"]),
        ("", []),
    ],
)
def test_a_text_is_split_only_at_filtered_characters_and_single_spaces(text: str, words: list[str]) -> None:
    assert text_to_word_sequence(text) == words


def test_words_rank_by_count_and_then_by_first_occurrence() -> None:
    tokenizer = fitted("z b b", "a z c")
    assert tokenizer.word_index == {"z": 1, "b": 2, "a": 3, "c": 4}
    assert tokenizer.word_docs == {"z": 2, "b": 1, "a": 1, "c": 1}
    assert tokenizer.index_docs == {1: 2, 2: 1, 3: 1, 4: 1}
    assert tokenizer.document_count == 2


def test_sequences_leave_out_unknown_words_and_ids_from_num_words_on() -> None:
    tokenizer = fitted("a a a b b c", num_words=3)
    assert len(tokenizer.word_index) == 3
    assert tokenizer.texts_to_sequences(["c b a new", "c"]) == [[2, 1], []]


def test_the_imdb_notebook_pads_and_cuts_on_the_left() -> None:
    train, test, tokenizer = imdb_arrays([rm_tags("a<br />b a"), "a " * 400], ["b"])
    assert tokenizer.word_index == {"a": 1, "ab": 2}
    assert train.shape == (2, 380)
    assert train[0].tolist() == [0] * 378 + [2, 1]
    assert train[1].tolist() == [1] * 380
    assert not test.any()


def test_the_twitter_notebook_fits_on_raw_texts_and_encodes_clean_ones() -> None:
    cleaning = TwitterCleaning(["the", "is"])
    assert cleaning.preprocess("@you The films http://a.b is GREAT!!", stem=True) == "film great"
    train, test, tokenizer = twitter_arrays(cleaning, ["@you the films", "great film"], ["films"])
    assert "films" in tokenizer.word_index
    assert train.shape == (2, TWITTER_LENGTH)
    assert test[0, -1] == tokenizer.word_index["film"]


def test_a_child_gets_its_arguments_and_returns_its_result() -> None:
    found = in_child(double, numbers=[1, 2])
    assert found["doubled"] == [2, 4]


def double(numbers: list[int]) -> dict[str, object]:
    with measured() as cost:
        np.ones(1)
    return {"doubled": [2 * number for number in numbers], "peak": cost.peak_mib}


def test_the_error_of_a_failed_child_has_its_output() -> None:
    with pytest.raises(RuntimeError, match="no such thing"):
        in_child(fail)


def fail() -> None:
    raise ValueError("no such thing")


def test_memory_of_the_block_is_measured() -> None:
    found = in_child(hold)
    assert found["peak"] >= 60
    assert found["increase"] is None or 60 <= found["increase"] < 96


def hold() -> dict[str, float | None]:
    with measured() as cost:
        np.ones(64 << 17)
    return {"peak": cost.peak_mib, "increase": cost.increase_mib}


def row(theirs: list[float], ours: list[float], division: str, target: Target | None) -> Row:
    return Row("work", "s", "rival", theirs, ours, division, target)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("comparison", "shown", "met"),
    [
        (row([10, 8, 9], [2, 2, 1], "rival / ours", Target("at least", 5)), "5 (4-9)", "yes"),
        (row([10, 8, 9], [2, 2, 2], "rival / ours", Target("at least", 5)), "4.5 (4-5)", "**no**"),
        (row([100], [20.01], "rival / ours", Target("at least", 5)), "5 (5-5)", "**no**"),
        (row([2, 2], [2, 2.6], "ours / rival", Target("at most", 1.15)), "1.15 (1-1.3)", "yes"),
        (row([2], [2.31], "ours / rival", Target("at most", 1.15)), "1.16 (1.16-1.16)", "**no**"),
        (row([2], [1], "ours / rival", None), "0.5 (0.5-0.5)", "-"),
        (row([], [], "ours / rival", Target("at most", 1)), "-", "-"),
    ],
)
def test_the_table_says_whether_the_median_ratio_meets_its_target(
    comparison: Row, shown: str, met: str
) -> None:
    entry = {"small": False, "environment": {**PLACE, "packages": {}}, "rows": [comparison.to_json()]}
    line = next(line for line in markdown({"x": entry}, []).splitlines() if "`x`" in line)
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert (cells[3], cells[5]) == (shown, met)


def test_a_benchmark_replaces_only_its_own_entry(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    entry = {"small": False, "environment": {**PLACE, "packages": {"keras": "3"}}, "rows": []}
    for name, seconds, small in (("b", 1.0, False), ("a", 2.0, False), ("b", 4.0, True)):
        comparison = row([8.0], [seconds], "rival / ours", None).to_json()
        update_json(file, name, {**entry, "small": small, "rows": [comparison]})
    assert json.loads(file.read_text())["b"]["rows"][0]["ratio"]["median"] == 2
    first, second = [line for line in markdown(read_json(file), ["a", "b"]).splitlines() if "| `" in line]
    assert first.startswith("| `a`: work |")
    assert "small data" in second
    assert "Measured on a CPU, 2 cores" in markdown(read_json(file), [])


def test_a_table_names_the_figures_of_a_busy_machine() -> None:
    entry = {"small": False, "environment": {**PLACE, "packages": {}}, "rows": []}
    entries = {
        name: {**entry, "other_processes": share} for name, share in (("a", 0.01), ("b", 0.4), ("c", None))
    }
    assert "doubtful: `b` 40%." in markdown(entries, [])
    assert "doubtful" not in markdown({"a": entries["a"]}, [])


def test_a_row_is_read_from_json_as_it_was_and_equal_notes_share_a_number() -> None:
    comparison = Row("work", "share", "rival", [0.5], [0.25], "ours / rival", Target("at least", 1), "why")
    assert Row.from_json(json.loads(json.dumps(comparison.to_json()))) == comparison
    entry = {"small": False, "environment": {**PLACE, "packages": {}}, "rows": [comparison.to_json()] * 2}
    table = markdown({"x": entry}, [])
    assert table.count("[1]") == 2
    assert "1. why" in table
    assert "50.00%" in table


def test_a_table_replaces_only_the_old_table_of_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Speed\n\n{BEGIN}\nold\n{END}\n\nMore.\n", encoding="utf-8")
    put_into(page, "| new |\n")
    assert page.read_text() == f"# Speed\n\n{BEGIN}\n| new |\n{END}\n\nMore.\n"
    page.write_text("# No place\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has no lines"):
        put_into(page, "| new |\n")
    assert page.read_text() == "# No place\n"
