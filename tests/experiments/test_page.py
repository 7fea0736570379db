"""The rows of docs/results.yaml, and the tables of docs/results.md."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from scipy.stats import binomtest

from moodring.errors import MoodringError
from moodring.experiments.page import Entry, filled, leaks, table
from moodring.experiments.rows import Row, read_rows
from moodring.io.splits import accuracy_interval
from moodring.params.pipeline import Params
from moodring.tracking.listing import FoundRun
from tests.conftest import ROOT

KEPT = {"arch": "nbsvm", "datasets": {"twitter": {"preprocess": {"emoticons": "keep"}}}}
DECLARED: dict[str, Any] = {
    "seeds": [1, 2],
    "archs": ["nbsvm", "gru"],
    "tables": {
        "twitter": [
            {"group": "The notebooks' models", "label": "LSTM", "experiment": "twitter-lstm", "target": 0.74},
            {"group": "Leakage", "label": "linear with emoticons", "settings": KEPT},
        ],
        "imdb": [],
    },
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout's parameters, experiments and rows."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    declare(tmp_path, DECLARED)
    return tmp_path


def declare(root: Path, tree: object) -> None:
    (root / "docs").mkdir(exist_ok=True)
    (root / "docs/results.yaml").write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")


# Rows.


def test_each_dataset_has_rows_of_every_architecture_and_its_declared_rows(root: Path):
    seeds, rows = read_rows(root)
    assert seeds == [1, 2]
    assert [(row.dataset, row.params.dataset, row.params.arch, row.group) for row in rows] == [
        ("twitter", "twitter", "nbsvm", "Default parameters"),
        ("twitter", "twitter", "gru", "Default parameters"),
        ("twitter", "twitter", "lstm", "The notebooks' models"),
        ("twitter", "twitter", "nbsvm", "Leakage"),
        ("imdb", "imdb", "nbsvm", "Default parameters"),
        ("imdb", "imdb", "gru", "Default parameters"),
    ]
    emoticons = [row.params.data.preprocess.emoticons for row in rows]
    assert emoticons == ["drop", "drop", "drop", "keep", "drop", "drop"]
    assert [row.at(2).seed for row in rows] == [2] * 6


def test_a_rows_command_trains_its_run_with_a_seed(root: Path):
    _, rows = read_rows(root)
    assert rows[1].command(8) == "dvc exp run -S dataset=twitter -S arch=gru -S seed=8"
    kept = "-S datasets.twitter.preprocess.emoticons=keep"
    assert rows[3].command(8) == f"dvc exp run -S dataset=twitter -S arch=nbsvm {kept} -S seed=8"
    # Each seed has another name, because DVC refuses an existing name.
    assert rows[2].command(8, "--temp") == (
        "moodring experiment twitter-lstm --temp --name twitter-lstm-8 -S seed=8"
    )


def with_row(**row: object) -> dict[str, Any]:
    return {**DECLARED, "tables": {"twitter": [{"group": "Leakage", "label": "mine", **row}]}}


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({**DECLARED, "seeds": [7]}, r"seeds: .*received: \[7\]"),
        ({**DECLARED, "seeds": [7, 7]}, r"each may occur only once.*\[7, 7\]"),
        ({**DECLARED, "archs": ["lstn"]}, r"twitter, Default parameters, `lstn`(.|\n)*did you mean 'lstm'"),
        ({**DECLARED, "tables": {"imbd": []}}, r"imbd(.|\n)*did you mean 'imdb'"),
        (with_row(), r"tables\.twitter\.0: .*either `experiment` or `settings`"),
        (with_row(experiment="imdb-lstm", settings={}), r"either `experiment` or `settings`"),
        (with_row(settings={}, label="a|b"), r"tables\.twitter\.0\.label: .*received: 'a\|b'"),
        (with_row(settings={}, target=91.7), r"tables\.twitter\.0\.target: .*received: 91\.7"),
        (with_row(settings={}, goal=0.9), r"tables\.twitter\.0\.goal: .*received: 0\.9"),
        (with_row(experiment="best"), r"mine: there is no experiment 'best'; known: .*imdb-lstm"),
        (with_row(experiment="imdb-lstm"), r"mine: its dataset is 'imdb'"),
        (with_row(settings={"train": {"epochs": 0}}), r"mine(.|\n)*train\.epochs: .*received: 0"),
    ],
)
def test_an_invalid_row_is_an_error(root: Path, tree: object, message: str):
    declare(root, tree)
    with pytest.raises(MoodringError, match=rf"docs/results\.yaml(.|\n)*{message}"):
        read_rows(root)


def test_the_committed_rows_have_every_dataset_and_architecture(params: Params):
    declared = yaml.safe_load((ROOT / "docs/results.yaml").read_text(encoding="utf-8"))
    assert set(declared["archs"]) == set(params.archs)
    assert set(declared["tables"]) == set(params.datasets)


# Tables.


def found(accuracy: float = 0.8, **metrics: float) -> FoundRun:
    values = {
        "test_accuracy": accuracy,
        "test_rows": 2000,
        "test_calibration_error": 0.012,
        "test_gain": 0.02,
        "test_gain_low": 0.001,
        "test_gain_high": 0.039,
        "test_mcnemar_p": 0.04,
        "best_val_accuracy": 0.81,
        "weights": 12345,
    }
    return FoundRun("r", "c" * 40, 3.0, values | metrics)


def entry(row: Row, *runs: FoundRun | None) -> Entry:
    return Entry(row, dict(enumerate(runs, start=1)))


def cells(text: str, label: str) -> list[str]:
    """The cells after the label of the one line that begins with it."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {label} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_a_row_shows_mean_standard_deviation_intervals_and_command(root: Path):
    _, rows = read_rows(root)
    low, high = binomtest(1600, 2000).proportion_ci(method="wilson")
    runs = found(0.79, test_gain=0.01, test_mcnemar_p=0.3), found(0.81)
    assert cells(table([entry(rows[1], *runs)]), "`gru`") == [
        "**80.00 %**",
        "1.41 (79.00 to 81.00)",
        f"{100 * low:.1f} to {100 * high:.1f}",
        "+1.5 (+0.1 to +3.9), 1 of 2",
        "1.20 %",
        "81.00 %",
        "12,345",
        "3.0",
        "-",
        "`dvc exp run -S dataset=twitter -S arch=gru -S seed=S`",
    ]


@pytest.mark.parametrize(("share", "rows"), [(0.5, 10), (0.797, 2000), (0.0, 5), (1.0, 5)])
def test_the_interval_is_wilsons_interval(share: float, rows: int):
    expected = binomtest(round(share * rows), rows).proportion_ci(method="wilson")
    assert accuracy_interval(share, rows) == pytest.approx((expected.low, expected.high))


def test_a_row_with_a_missing_run_shows_no_means(root: Path):
    _, rows = read_rows(root)
    shown = cells(table([entry(rows[1], found(), None)]), "`gru`")
    assert shown[0] == "no run of seed 2"
    assert set(shown[1:-1]) == {"-"}
    assert shown[-1] == f"`{rows[1].command('S')}`"


@pytest.mark.parametrize(("accuracy", "verdict"), [(0.739, "**missed**"), (0.74, "met")])
def test_a_target_is_met_or_missed_by_the_mean(root: Path, accuracy: float, verdict: str):
    _, rows = read_rows(root)
    assert cells(table([entry(rows[2], found(accuracy), found(accuracy))]), "LSTM")[-2] == (
        f"at least 74.0 %: {verdict}"
    )


def test_a_significant_loss_is_counted(root: Path):
    _, rows = read_rows(root)
    loss = {"test_gain": -0.03, "test_gain_low": -0.05, "test_gain_high": -0.01}
    shown = cells(table([entry(rows[1], found(**loss), found(**loss))]), "`gru`")
    assert shown[3] == "-3.0 (-5.0 to -1.0), 2 of 2"


def test_the_baseline_is_not_compared_with_itself(root: Path):
    _, rows = read_rows(root)
    assert cells(table([entry(rows[0], found(), found())]), "`nbsvm`")[3] == "-"


def test_minutes_are_left_out_if_one_run_lacks_them(root: Path):
    _, rows = read_rows(root)
    resumed = FoundRun("r", None, None, found().metrics)
    assert cells(table([entry(rows[1], found(), resumed)]), "`gru`")[7] == "-"


def test_runs_with_different_test_texts_are_an_error(root: Path):
    _, rows = read_rows(root)
    with pytest.raises(MoodringError, match=r"twitter, `gru`.* 1990 and 2000 texts"):
        table([entry(rows[1], found(), found(test_rows=1990))])


def test_a_table_has_its_groups_in_order_and_the_commits_of_its_runs(root: Path):
    _, rows = read_rows(root)
    text = table([entry(row, found(), found()) for row in rows[:4]])
    firsts = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]
    assert firsts[2:] == [
        "**Default parameters**",
        "`nbsvm`",
        "`gru`",
        "**The notebooks' models**",
        "LSTM",
        "**Leakage**",
        "linear with emoticons",
    ]
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1
    assert "trained at ccccccc." in text


def test_leaks_are_described_in_sentences(root: Path):
    _, rows = read_rows(root)
    honest, lstm, leaking = rows[0], rows[2], rows[3]
    runs = found(0.77), found(0.78)
    text = leaks([entry(honest, *runs), entry(lstm, *runs), entry(leaking, found(0.99), found(1.0))])
    assert "99.50 % with `emoticons: keep`, 77.50 % with `emoticons: drop`: +22.0 points" in text
    assert "`emoticons: drop` in `nbsvm` and `twitter-lstm`; `emoticons: keep` in linear with" in text
    assert "some of the runs to compare are missing" in leaks(
        [entry(honest, found(), None), entry(leaking, *runs)]
    )


PAGE = "before\n<!-- table: imdb -->\nold\n<!-- end -->\nbetween\n<!-- leaks -->\n<!-- end -->\nafter\n"


def test_a_page_gets_its_tables_and_keeps_its_other_text(root: Path):
    _, rows = read_rows(root)
    entries = [entry(row, found(), found()) for row in rows if row.dataset == "imdb"]
    page = filled(PAGE, entries)
    assert re.sub(r"(<!-- [tl].*-->\n)[^!]*(<!-- end)", r"\1\2", page) == PAGE.replace("old\n", "")
    assert table(entries) in page
    assert filled(page, entries) == page


@pytest.mark.parametrize("mark", ["<!-- table: imdb -->", "<!-- leaks -->"])
def test_a_page_without_a_mark_for_a_table_is_an_error(root: Path, mark: str):
    _, rows = read_rows(root)
    with pytest.raises(MoodringError, match=mark):
        filled(PAGE.replace(mark, ""), [entry(rows[4], found(), found())])


def test_the_committed_page_has_a_mark_for_every_table(params: Params):
    page = (ROOT / "docs/results.md").read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- table: (\w+) -->", page)) == set(params.datasets)
    assert "<!-- leaks -->" in page
