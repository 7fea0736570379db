"""The pages show the evaluation's results, escape texts, and load no other files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from moodring.evaluation.evaluate import Evaluation, Scored, evaluate
from moodring.evaluation.slices import Texts
from moodring.params.evaluation import EvaluateParams
from moodring.params.pipeline import Params
from moodring.report.pages import FOLDED, Subject, render, write_report

DATA = {
    "rows": {"train": 9202, "validation": 1023, "test": 4},
    "emptied": {"train": 0, "validation": 0, "test": 0},
    "duplicates_within": {"train": 35, "validation": 0, "test": 2},
    "equal_to_training": {"validation": 0, "test": 3},
    "removed_from_train": {"also_in_test": 1016, "also_in_validation": 5},
}
TEXTS = ["<script>alert(1)</script>", "not \u201cgood\u201d & long " * 50, "a film", "schön \U0001f600"]


def subject(**changes: Any) -> Subject:
    named: dict[str, Any] = {"dataset": "shop & co", "arch": "gru", "baseline": "linear", "threshold": 0.5}
    return Subject(**{**named, "labelled_by_emoticons": False, "data": DATA, **changes})


def found(mistakes: int = 20, calibration: Any = "temperature") -> Evaluation:
    labels = np.array([0, 1, 0, 1], np.int8)
    scored = Scored(labels, np.array([0.9, 0.2, 0.3, 0.8], np.float32))
    texts = Texts(TEXTS, np.array([1, 9, 2, 2]), np.zeros(4), ["<i>x</i>", "y", "y", "y"])
    params = EvaluateParams(threshold=0.5, bins=10, calibration=calibration, mistakes=mistakes)
    # Overconfident: a third of the labels of each score are wrong.
    held_out = Scored(
        np.array([0, 0, 1, 1, 1, 0] * 10, np.int8), np.tile(np.repeat([0.1, 0.9], 3), 10).astype(np.float32)
    )
    return evaluate(scored, held_out, np.array([0.4, 0.6, 0.1, 0.7], np.float32), texts, params)


@pytest.fixture
def plots(tmp_path: Path) -> Path:
    (tmp_path / "plots").mkdir()
    for name in ("roc", "by_length"):
        Image.new("RGB", (3, 3)).save(tmp_path / "plots" / f"{name}.png")
    return tmp_path / "plots"


def words(page: str) -> str:
    """The visible words of a page, separated by single spaces."""
    return " ".join(re.sub(r"<[^>]*>", " ", page.partition("<body>")[2]).split())


def test_the_page_shows_the_evaluations_results() -> None:
    page = words(render(subject(), found(), [])["index.html"])
    assert "50.0 % of them have the right label" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert "not shown to differ from linear (-50.0 points" in page
    assert "After temperature scaling" in page
    assert "The scores are rescaled by temperature 3.1" in page
    assert "The test split has 4 texts: the 95 % interval of an accuracy of 80 % is" in page
    assert "The validation split has" not in page
    assert "1,016 training texts that are also in test, and 5 that are also in validation" in page
    assert "repeated in the same split, after cleaning 35 0 2" in page
    for name in ("Length", "Negation", "Contrast", "Unknown words", "Source"):
        assert name in page


def test_the_page_says_that_scores_are_not_calibrated() -> None:
    page = words(render(subject(), found(calibration="none"), [])["index.html"])
    assert "The scores are not rescaled" in page
    assert "temperature scaling" not in page


@pytest.mark.parametrize(
    ("dataset", "emoticons", "warned"),
    [
        ("twitter", "keep", True),
        ("twitter", "drop", False),
        ("twitter", "strip", False),
        ("rotten_tomatoes", "keep", False),
        ("imdb", "keep", False),
    ],
)
def test_only_the_tweets_labelled_by_emoticons_have_a_warning(
    params: Params, dataset: str, emoticons: str, warned: bool
) -> None:
    tree = params.model_dump()
    tree["dataset"] = dataset
    tree["datasets"][dataset]["preprocess"]["emoticons"] = emoticons
    about = Subject.of(Params.model_validate(tree), DATA)
    assert ("the emoticons are the labels" in words(render(about, found(), [])["index.html"])) == warned


def test_texts_are_escaped() -> None:
    pages = render(subject(), found(), [])
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in pages["mistakes.html"]
    assert "&lt;i&gt;x&lt;/i&gt;" in pages["index.html"]
    assert "shop &amp; co" in pages["index.html"]
    assert not re.search(r"<script|<i>", "".join(pages.values()))


def test_a_long_text_is_folded_and_complete() -> None:
    page = render(subject(), found(), [])["mistakes.html"]
    (folded,) = re.findall(r"<details.*?</summary>(.*?)</details>", page, re.DOTALL)
    assert folded == TEXTS[1].replace("&", "&amp;")
    assert len(TEXTS[1]) > FOLDED


def test_only_mistakes_are_listed_with_label_and_both_scores() -> None:
    page = words(render(subject(), found(calibration="none"), [])["mistakes.html"])
    assert "1. negative , scored 0.900; linear: 0.400" in page
    assert "2. positive , scored 0.200; linear: 0.600" in page
    assert "3. " not in page


def test_the_page_says_that_no_mistakes_are_listed() -> None:
    assert "The list is empty" in render(subject(), found(mistakes=0), [])["mistakes.html"]


def test_the_pages_load_no_other_files(tmp_path: Path, plots: Path) -> None:
    write_report(tmp_path / "report", subject(), found(), plots)
    text = "".join(page.read_text(encoding="utf-8") for page in (tmp_path / "report").glob("*.html"))
    assert set(re.findall(r'(?:src|href)="(data:image/png|[^"]*)', text)) == {
        "data:image/png",
        "index.html",
        "mistakes.html",
    }
    assert "@import" not in text
    assert "url(" not in text
    assert 'alt="by length"' in text


def test_the_mistakes_are_also_a_table(tmp_path: Path, plots: Path) -> None:
    evaluation = found()
    write_report(tmp_path / "report", subject(), evaluation, plots)
    content = json.loads((tmp_path / "report" / "mistakes.json").read_text(encoding="utf-8"))
    table = pd.DataFrame(content["data"], columns=content["columns"])
    pd.testing.assert_frame_equal(table, evaluation.mistakes, check_dtype=False)
    assert table["text"].tolist() == TEXTS[:2]


def test_equal_evaluations_give_equal_bytes(tmp_path: Path, plots: Path) -> None:
    for name in ("one", "two"):
        write_report(tmp_path / name, subject(), found(), plots)
    one, two = (
        {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("one", "two")
    )
    assert one == two
    assert set(one) == {"index.html", "mistakes.html", "mistakes.json"}


def test_a_failure_leaves_the_old_report(tmp_path: Path, plots: Path) -> None:
    write_report(tmp_path / "report", subject(), found(), plots)
    before = {file.name: file.read_bytes() for file in (tmp_path / "report").iterdir()}
    with pytest.raises(KeyError):
        write_report(tmp_path / "report", subject(data={}), found(), plots)
    assert {file.name: file.read_bytes() for file in (tmp_path / "report").iterdir()} == before
