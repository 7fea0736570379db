"""What a logged model scores through MLflow's `predict`, and what it refuses."""

from __future__ import annotations

from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel

from moodring.params.pipeline import Params
from moodring.serving.logged_models import served_model
from moodring.serving.scorer import TextScorer
from tests.serving.linear import write_linear_result

TEXTS = ["a wonderful film", "", "a dull film"]
OTHER = ["awful", "boring", "charming"]


@pytest.fixture(scope="module")
def scorer(params: Params, tmp_path_factory: pytest.TempPathFactory) -> TextScorer:
    return write_linear_result(tmp_path_factory.mktemp("checkout"), params).scorer(params)


@pytest.fixture(scope="module")
def model(params: Params, tmp_path_factory: pytest.TempPathFactory) -> PyFuncModel:
    root = tmp_path_factory.mktemp("model")
    write_linear_result(root, params).write_bundle(root / "bundle", params)
    mlflow.pyfunc.save_model(root / "model", **served_model(root / "bundle"))
    return mlflow.pyfunc.load_model(str(root / "model"))


@pytest.mark.parametrize(
    "given",
    [
        TEXTS,
        tuple(TEXTS),
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        np.array(TEXTS, dtype=object)[:, None],
        pd.Series(TEXTS),
        pd.Series(TEXTS, dtype=object, name="anything"),
        pd.Series(TEXTS, dtype="category"),
        pd.Index(TEXTS),
        pd.Series(TEXTS, dtype="str").to_numpy(),
        pd.Series(TEXTS, dtype="str").array,
        pd.Series(TEXTS, dtype="string").unique(),
        pd.Series(TEXTS, dtype="category").array,
        pd.DataFrame({"review": TEXTS}),
        pd.DataFrame({0: TEXTS}),
        pd.DataFrame({"before": OTHER, "text": TEXTS, "stars": [1, 2, 3]}),
        {"text": TEXTS, "stars": [1, 2, 3]},
        [{"stars": 1, "text": text} for text in TEXTS],
    ],
    ids=[
        *("list", "tuple", "array", "array of objects", "array of one column", "Series", "Series of objects"),
        *("categories", "Index", "array of a Series", "pandas array", "unique", "array of categories"),
        *("one column", "column without a name", "a column called text"),
        *("dictionary", "records"),
    ],
)
def test_texts_may_come_in_any_form(model: PyFuncModel, scorer: TextScorer, given: Any) -> None:
    pd.testing.assert_frame_equal(model.predict(given), scorer.predict(TEXTS))


def test_one_text_gets_one_row(model: PyFuncModel, scorer: TextScorer) -> None:
    pd.testing.assert_frame_equal(model.predict(TEXTS[0]), scorer.predict(TEXTS[:1]))


@pytest.mark.parametrize(
    "given", [[], (), np.array([]), pd.Series([], dtype=str), pd.DataFrame({"text": []})]
)
def test_no_texts_get_no_rows(model: PyFuncModel, given: Any) -> None:
    table = model.predict(given)
    assert (len(table), list(table.columns)) == (0, ["score", "label"])


@pytest.mark.parametrize("index", [[7, 3, 5], ["x", "y", "z"], [1, 1, 1]])
def test_the_answer_keeps_the_index(model: PyFuncModel, scorer: TextScorer, index: list[Any]) -> None:
    reviews = pd.DataFrame({"review": TEXTS}, index=index)
    for given in (reviews, reviews["review"]):
        table = model.predict(given)
        assert list(table.index) == index
        assert table["score"].tolist() == scorer.predict(TEXTS)["score"].tolist()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            pd.DataFrame({"review": TEXTS, "title": OTHER}),
            r"one column.*received the columns: 'review', 'title'",
        ),
        (pd.DataFrame([["a", "b"]], columns=["text", "text"]), "received the columns: 'text', 'text'"),
        (pd.DataFrame(), "received the columns: none"),
        ({"review": TEXTS, "title": OTHER}, "received the columns: 'review', 'title'"),
        ({"text": "a fine film"}, "not a table"),
        ({"text": TEXTS, "stars": [1]}, "not a table"),
        (np.array([TEXTS, OTHER]), r"shape \(n,\) or \(n, 1\), received: \(2, 3\)"),
        (np.array("a fine film"), r"received: \(\)"),
        (["a", None], r"text 1 \(from 0\) must be a string, received: None"),
        (["a", "b", float("nan")], r"text 2 .* received: nan"),
        (pd.Series(["a", None]), "text 1 .* received: nan"),
        (pd.Series(["a", None], dtype="string"), "text 1 .* received: <NA>"),
        (pd.DataFrame({"review": [3, 4]}), r"text 0 .* received: 3 \(int\)"),
        ([3], "text 0 .* received: 3"),
        ([True], "text 0 .* received: True"),
        ([b"a fine film"], r"text 0 .* received: b'a fine film' \(bytes\)"),
        ([["a fine film"]], r"text 0 .* received: \['a fine film'\] \(list\)"),
        (
            ["a", "b \ud800"],
            r"text 1 \(from 0\) is not valid Unicode: character 2 is the lone surrogate '\\ud800'",
        ),
        (["caf\udce9"], r"text 0 .* lone surrogate '\\udce9'"),
        (None, "received: NoneType"),
        (5, "received: int"),
        (b"a fine film", "received: bytes"),
        ({"a", "b"}, r"received: set\. Convert another collection: list\(texts\)"),
        (iter(["a"]), r"received: list_iterator\..* list\(texts\)"),
        (pd.array(["a", None], dtype="string"), "text 1 .* received: <NA>"),
    ],
)
def test_what_is_no_text_is_refused(model: PyFuncModel, given: Any, message: str) -> None:
    with pytest.raises(MlflowException, match=message) as raised:
        model.predict(given)
    assert raised.value.get_http_status_code() == 400


@pytest.mark.parametrize("given", [{"threshold": 0.9}, {"column": "review", "x": 1}, {}, "threshold"])
def test_params_are_refused(model: PyFuncModel, given: Any) -> None:
    with pytest.raises(MlflowException, match=r"no params.*Leave `params` out") as raised:
        model.predict(TEXTS, params=given)
    assert raised.value.get_http_status_code() == 400


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \t\r\n\u2003\u00a0",
        "\x00",
        "wonderful\x00film",
        "\x1b[31mwonderful\x1b[0m",
        "wonderful\nfilm\r\nfilm\u2028film",
        "\ufeffwonderful film",
        "電影 ünïcödé 🙂 👨‍👩‍👧",
        "xyzzy plugh",
        "😀" * 10_000,
        "<" * 100_000,
        "<br />" * 10_000 + ">" * 10_000,
        ":-" * 50_000,
        "@" * 100_000,
        "http:" * 20_000,
        "w" * 1_000_000,
        "wonderful film " * 50_000,
    ],
    ids=lambda text: f"{text[:12]!r} ({len(text)})",
)
def test_any_other_text_gets_a_score(scorer: TextScorer, text: str) -> None:
    (row,) = scorer.explain([text]).to_dict("records")
    assert 0 <= row["score"] <= 1
    assert row["label"] == ("positive" if row["score"] >= 0.5 else "negative")
    assert 0 <= row["unknown"] <= row["words"]


def test_a_hundred_thousand_texts_get_their_scores(scorer: TextScorer) -> None:
    table = scorer.predict(TEXTS * 33_334)
    alone = scorer.predict(TEXTS)
    np.testing.assert_allclose(table["score"], np.tile(alone["score"], 33_334), rtol=0, atol=1e-6)


@pytest.fixture(scope="module", params=["mark", "drop"])
def of_each_kind(
    request: pytest.FixtureRequest, params: Params, tmp_path_factory: pytest.TempPathFactory
) -> TextScorer:
    """A scorer whose vocabulary marks unknown words, and one whose vocabulary drops them."""
    return write_linear_result(tmp_path_factory.mktemp("words"), params, request.param).scorer(params)


@pytest.mark.parametrize(
    ("text", "words", "unknown"),
    [
        ("a wonderful film", 3, 0),
        ("A WONDERFUL, <b>film</b>!", 3, 0),
        ("xyzzy film plugh xyzzy", 4, 3),
        ("xyzzy", 1, 1),
        ("", 0, 0),
        (" \n!!", 0, 0),
    ],
)
def test_words_and_unknown_words_are_counted(
    of_each_kind: TextScorer, text: str, words: int, unknown: int
) -> None:
    texts = ["a film", text, "a dull plugh"]
    table = of_each_kind.explain(texts)
    assert table["words"].tolist() == [2, words, 3]
    assert table["unknown"].tolist() == [0, unknown, 1]
    pd.testing.assert_frame_equal(table[["score", "label"]], of_each_kind.predict(texts))


def test_no_texts_have_no_words(of_each_kind: TextScorer) -> None:
    assert list(of_each_kind.explain([]).columns) == ["score", "label", "words", "unknown"]
    assert len(of_each_kind.explain([])) == 0
