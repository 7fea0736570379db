"""The paired tests, the conclusion, and what the terminal, Markdown, JSON and the page show."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from moodring.cli.app import app
from moodring.collecting.collect import Collected
from moodring.collecting.parts import numbers
from moodring.collecting.results import Result
from moodring.comparing import tables
from moodring.comparing.colours import COLOURS, colour_of, lines_of
from moodring.comparing.page import LONGEST, render
from moodring.comparing.pairs import (
    Comparison,
    Pair,
    Untested,
    compare_results,
    conclusion,
    differing_texts,
    holm,
)
from moodring.evaluation.evaluate import Scored
from tests.lab import LABELS, TEXTS, Lab, scores_wrong_on

NASTY = [
    "<script>alert(1)</script>",
    "a|b",
    "[bold]x[/bold]",
    "*x* `y` _z_ \\",
    "100 % $x$",
    "naïve \U0001f600",
    "a\nb",
]
BASE = {"gain": -0.02, "gain_low": -0.04, "gain_high": -0.01, "mcnemar_p": 0.0056}


def made(name: str = "one", arch: str = "lstm", wrong: Collection[int] = (0, 1), **changes: Any) -> Result:
    """A result without files."""
    accuracy = 1 - len(wrong) / len(LABELS)
    result = Result(
        names=(name,),
        identity=name,
        params={"dataset": "made", "arch": arch, "baseline": "nbsvm", "evaluate.threshold": 0.5},
        test={"accuracy": accuracy, "rows": 40, "baseline_accuracy": 0.8, **BASE},
        train={"best_val_accuracy": 0.8, "weights": 1234567},
        scored=Scored(LABELS, scores_wrong_on(wrong)),
        baseline_scores=scores_wrong_on(range(8)),
        texts="same",
    )
    return replace(result, **changes)


def compared(*results: Result, notes: tuple[str, ...] = ()) -> Comparison:
    return compare_results(Collected("made", results, notes))


def page_of(*results: Result, texts: list[str] | None = TEXTS) -> str:
    return render([compared(*results)], lambda _: texts)


def words(page: str) -> str:
    """The visible words of a page, separated by single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page.partition("<body>")[2])).split())


def test_a_pair_counts_the_texts_on_which_only_one_is_right() -> None:
    (pair,) = compared(made("a", wrong=[0, 1, 2]), made("b", wrong=[2, 3, 4, 5, 6, 7])).pairs
    assert isinstance(pair, Pair)
    assert (pair.won, pair.lost, pair.rows) == (5, 2, 40)
    assert pair.gain == pytest.approx(3 / 40)
    assert pair.low < pair.gain < pair.high
    assert pair.p == pytest.approx(2 * 29 / 128, abs=1e-6)


def test_each_result_is_judged_by_its_own_threshold() -> None:
    strict = made("strict", params={**made().params, "evaluate.threshold": 0.95})
    assert strict.right is not None
    assert strict.right.sum() == 20  # every text is called negative


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"scored": None}, "no scores of b"),
        ({"texts": "other"}, "different texts"),
        ({"texts": None}, "different texts"),
        ({"scored": Scored(LABELS[:20], scores_wrong_on([])[:20])}, "different texts"),
        ({"scored": Scored(LABELS[::-1].copy(), scores_wrong_on([]))}, "different texts"),
    ],
    ids=["no scores", "other texts", "unknown texts", "fewer texts", "other labels"],
)
def test_a_pair_that_cannot_be_tested_says_why(change: dict[str, Any], reason: str) -> None:
    found = compared(made("a"), made("b", **change))
    (pair,) = found.pairs
    assert isinstance(pair, Untested)
    assert reason in pair.reason
    assert reason in " ".join(conclusion(found))


@pytest.mark.parametrize(
    ("p_values", "expected"),
    [
        ([], []),
        ([0.04], [0.04]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.5, 0.9], [1.0, 1.0]),
    ],
)
def test_holms_correction(p_values: list[float], expected: list[float]) -> None:
    assert holm(p_values) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("best_wrong", "second_wrong", "expected"),
    [
        ([], range(12), "It is better than the second, b, by 30.0 points (95 % interval"),
        (range(12), [], "On the test texts it is worse than the second, b, by 30.0 points (95 % interval"),
        (
            [0],
            [1],
            "No difference from the second, b, is shown: +0.0 points on the same texts (95 %",
        ),
        (
            [0],
            [0],
            "No difference from the second, b, is shown: +0.0 points on the same texts (95 %",
        ),
    ],
    ids=["better", "worse", "no difference", "equal"],
)
def test_the_conclusion_says_what_the_test_shows(
    best_wrong: Collection[int], second_wrong: Collection[int], expected: str
) -> None:
    text = " ".join(conclusion(compared(made("a", wrong=best_wrong), made("b", wrong=second_wrong))))
    assert text.startswith("a has the best validation accuracy of 2 results (80.0 %); it labels")
    assert expected in text
    assert "2.0 points below nbsvm (1.0 to 4.0, p = 0.0056)" in text
    low, high = map(float, re.findall(r"interval (-?[\d.]+) to (-?[\d.]+), p", text)[0])
    assert low <= high


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (made("a"), "There is one result, a: it labels 95.0 %"),
        (made("a", arch="nbsvm"), "It is the baseline."),
        (made("a", test={}), "a is not evaluated"),
        (made("a", test={"accuracy": 0.9}), "it labels 90.0 % of the test texts correctly."),
    ],
    ids=["one", "baseline", "not evaluated", "few figures"],
)
def test_the_conclusion_of_one_result(result: Result, expected: str) -> None:
    assert expected in " ".join(conclusion(compared(result)))


def test_the_texts_that_differ_are_those_with_the_farthest_scores() -> None:
    (pair,) = compared(made("a", wrong=[0]), made("b", wrong=[1, 2, 39])).pairs
    assert isinstance(pair, Pair)
    assert differing_texts(pair, right_one=True) == [39, 2, 1]
    assert differing_texts(pair, right_one=False) == [0]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": 1, "b": NaN, "c": null, "d": "x", "e": Infinity, "f": true, "g": 0.5}', {"a": 1, "g": 0.5}),
        (b"[1]", {}),
        (b"{", {}),
        (None, {}),
    ],
)
def test_only_finite_numbers_are_figures(content: bytes | None, expected: dict[str, float]) -> None:
    assert numbers(content) == expected


@pytest.mark.parametrize("count", [1, 2, 20])
@pytest.mark.parametrize("unknown", [True, False], ids=["nothing known", "all known"])
def test_the_terminal_shows_at_most_ten_columns_in_100_characters(
    capsys: pytest.CaptureFixture[str], count: int, unknown: bool
) -> None:
    gone: dict[str, Any] = {"test": {}, "train": {}, "scored": None} if unknown else {"minutes": 123.4}
    results = [made(f"bilstm-rotten_tomatoes-{n}", "bilstm_max", **gone) for n in range(count)]
    found = compared(*results, notes=("a note " * 30,))
    tables.print_terminal([found], terminal=False, hint=True)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    assert len(tables.COLUMNS) <= 10
    shown = "".join(line[:24].strip() for line in lines)
    assert f"bilstm-rotten_tomatoes-{count - 1}"[:18] in shown
    if not unknown:
        assert "95.0 % (83.5 to 98.6)" in "\n".join(lines)
        assert "1,234,567" in "\n".join(lines)
        assert "123.4" in "\n".join(lines)
    assert lines[-1].startswith("Next: `moodring compare --html`")


@pytest.mark.parametrize("name", NASTY)
def test_a_name_is_shown_as_it_is_in_the_terminal_markdown_and_json(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    found = compared(made(name, arch="<b>|x", wrong=[0]), made("plain"))
    tables.print_terminal([found], terminal=False, hint=False)
    shown = capsys.readouterr().out
    assert all(part in shown for part in name.split())
    assert json.loads(tables.as_json([found]))[0]["results"][0]["name"] == name
    assert tables.as_json([found]).isascii()  # a terminal in latin-1 lacks some characters
    rows = [line for line in tables.markdown([found]).splitlines() if line.startswith("|")]
    cells = {len(re.findall(r"(?<!\\)\|", row)) for row in rows[:4]}
    assert cells == {len(tables.COLUMNS) + 1}
    assert "<script" not in tables.markdown([found])


def test_names_and_texts_are_escaped_in_the_page() -> None:
    results = [made(name, arch="<b>|x", wrong=[place]) for place, name in enumerate(NASTY)]
    page = render([compared(*results)], lambda _: [" ".join(NASTY)] * len(TEXTS))
    assert "<script" not in page
    assert "<b>" not in page
    assert "[bold]x[/bold]" in page
    for name in NASTY:
        assert " ".join(name.split()) in words(page)


def test_the_json_has_whole_numbers_and_null_for_what_is_unknown() -> None:
    found = compared(made("a", wrong=[0]), made("b", test={}, train={}, scored=None))
    (tree,) = json.loads(tables.as_json([found]))
    assert tree["dataset"] == "made"
    assert [result["name"] for result in tree["results"]] == ["a", "b"]
    assert tree["results"][0]["test_accuracy"] == 0.975
    assert tree["results"][1]["test_accuracy"] is None
    assert tree["pairs"] == [{"one": "a", "other": "b", "reason": "no scores of b"}]


def test_an_architecture_keeps_its_colour_whatever_it_is_compared_with() -> None:
    archs = [*COLOURS, "mine", "wide-gru", "<b>"]
    alone = [lines_of([made(arch, arch)])[0].colour for arch in archs]
    together = [line.colour for line in lines_of([made(arch, arch) for arch in reversed(archs)])]
    assert alone == together[::-1] == [colour_of(arch) for arch in archs]
    assert len({colour_of(arch) for arch in COLOURS}) == len(COLOURS)
    assert colour_of("mine") not in COLOURS.values()


def test_results_of_one_architecture_differ_in_their_lines() -> None:
    lines = lines_of([made(str(n), "lstm") for n in range(5)] + [made("g", "gru")])
    assert len({(line.colour, line.dashes) for line in lines}) == 6
    assert lines[-1].dashes == "solid"


@pytest.fixture(scope="module")
def lab_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page of two results with all their files."""
    lab = Lab(tmp_path_factory.mktemp("page") / "lab")
    lab.experiment("gru", lab.make("gru", wrong=[0, 1, 2, 3], validation=0.9))
    lab.experiment("lstm", lab.make("lstm", wrong=[3, 4, 5, 6, 7, 8], validation=0.8, changes={"seed": 8}))
    (lab.root / "notes").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(lab.root / "notes")
        done = CliRunner().invoke(app, ["compare", "--html", "sub/mine.html"])
        assert done.exit_code == 0, done.output
        assert "page: sub/mine.html" in done.output
        first = (lab.root / "notes/sub/mine.html").read_bytes()
        done = CliRunner().invoke(app, ["compare", "--html", "--json"])
        assert json.loads(done.stdout)
        assert (lab.root / "notes/compare.html").read_bytes() == first  # the same bytes, where the user is
        yield first.decode()


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    made_lab = Lab(tmp_path / "lab")
    monkeypatch.chdir(made_lab.root)
    return made_lab


def test_the_page_loads_nothing_and_its_ids_are_unique(lab_page: str) -> None:
    assert not re.search(r"https?:|//|@import|<script|<link|<iframe| src=", lab_page)
    assert "Content-Security-Policy" in lab_page
    ids = re.findall(r'\bid="([^"]*)"', lab_page)
    assert len(ids) == len(set(ids)) > 10
    used = set(re.findall(r'(?:href="#|url\(#)([^")]*)', lab_page))
    assert used <= set(ids)


def test_the_page_has_every_part(lab_page: str) -> None:
    text = words(lab_page)
    for part in (
        *(
            "Test accuracy",
            "Any two compared",
            "Learning curves",
            "Precision and recall",
            "ROC",
            "Calibration",
        ),
        *("Slices", "Size and time", "Parameters that differ", "Texts on which they differ"),
        *("text number 5", "gru has the best validation accuracy of 2 results"),
    ):
        assert part in text, part
    assert lab_page.count("<svg role=") == 5


@pytest.mark.parametrize("count", [1, 20])
def test_any_number_of_results_gives_a_page(count: int) -> None:
    results = [made(f"r{n}", "lstm", wrong=range(n % 5)) for n in range(count)]
    text = words(page_of(*results))
    assert f"{count} result" in text
    assert ("Any two compared" in text) == (count > 1)
    assert f"{count}. r{count - 1}" in text


@pytest.mark.parametrize("texts", [None, [long := "x" * 2000] * 40], ids=["no texts", "long texts"])
def test_texts_that_are_lost_or_long_do_not_break_the_page(texts: list[str] | None) -> None:
    page = page_of(made("a", wrong=[0]), made("b", wrong=[1]), texts=texts)
    if texts is None:
        assert "The texts are not in DVC's cache" in words(page)
    else:
        assert "x" * LONGEST in page
        assert "x" * (LONGEST + 1) not in page


def test_a_page_of_results_without_files_says_what_it_can() -> None:
    bare: dict[str, Any] = {"scored": None, "baseline_scores": None, "train": {}}
    text = words(page_of(made("a", test={}, **bare), made("b", test={"accuracy": 0.9}, **bare)))
    assert "not evaluated" in text
    assert "Learning curves" not in text
    assert "no scores of a and b" in text or "-" in text


@pytest.mark.parametrize(
    ("arguments", "file", "names"),
    [
        ("", None, []),
        ("gru lstm", None, ["gru", "lstm"]),
        ("--html", "compare.html", []),
        ("--html page.html", "page.html", []),
        ("--html=page.html", "page.html", []),
        ("--html=page", "page", []),
        ("--html sub/page.HTM gru", "sub/page.HTM", ["gru"]),
        ("--html gru lstm", "compare.html", ["gru", "lstm"]),
        ("gru --html", "compare.html", ["gru"]),
        ("--html --dataset twitter gru", "compare.html", ["gru"]),
        ("--json --html page.html gru", "page.html", ["gru"]),
    ],
)
def test_html_takes_a_file_or_none(arguments: str, file: str | None, names: list[str]) -> None:
    command = typer.main.get_group(app).commands["compare"]
    parsed = command.make_context("compare", arguments.split()).params
    assert parsed["html"] == (None if file is None else Path.cwd() / file)
    assert list(parsed["names"]) == names


def test_a_page_that_cannot_be_written_is_an_error(lab: Lab) -> None:
    lab.experiment("gru", lab.make("gru"))
    (lab.root / "page.html").mkdir()
    (lab.root / "page.html/full").touch()
    done = CliRunner().invoke(app, ["compare", "--html", "page.html"])
    assert done.exit_code == 1
    assert "cannot write" in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize("kind", ["directory", "device"])
def test_only_a_file_is_replaced_by_the_page(lab: Lab, kind: str) -> None:
    lab.experiment("gru", lab.make("gru"))
    place = lab.root / "page.html"
    place.mkdir() if kind == "directory" else os.mkfifo(place)  # as /dev/null, which root could replace
    before = place.stat()
    done = CliRunner().invoke(app, ["compare", "--html", "page.html"])
    assert done.exit_code == 1
    assert "page.html: it is no file" in done.stderr
    assert (place.stat().st_ino, place.stat().st_mode) == (before.st_ino, before.st_mode)


def test_a_link_to_the_page_stays_a_link(lab: Lab) -> None:
    lab.experiment("gru", lab.make("gru"))
    (lab.root / "shared").mkdir()
    (lab.root / "page.html").symlink_to("shared/page.html")
    for _ in ("made", "replaced"):
        done = CliRunner().invoke(app, ["compare", "--html", "page.html"])
        assert done.exit_code == 0, done.output
    assert (lab.root / "page.html").is_symlink()
    assert (lab.root / "shared/page.html").read_text().startswith("<!doctype html>")


def test_markdown_has_the_table_the_pairs_and_the_notes(lab: Lab) -> None:
    lab.experiment("gru", lab.make("gru", validation=0.9))
    lab.experiment("lstm", lab.make("lstm", wrong=[9]))
    text = CliRunner().invoke(app, ["compare", "--markdown"]).stdout
    assert "| gru | gru | 90.0 % (76.9 to 96.0) | 90.0 % | +5.0 | 1,040 | - | 2026-01-02 |" in text
    assert "| gru | lstm | -7.5 (" in text
    assert "Best first by validation accuracy" in text
    assert "no MLflow store" in text
