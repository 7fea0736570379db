"""A correct model passes the behaviour checks. A model with a defect fails the check that names it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from moodring.serving.behaviour import Check, check_behaviour

Scores = NDArray[np.floating]
Scorer = Callable[[list[str]], Scores]
MOODS = {"good": 1, "great": 1, "funny": 1, "nice": 1, "happy": 1, "beautiful": 1}
MOODS |= {"bad": -1, "boring": -1, "sad": -1}
CHECKS = {"empty text", "very long text", "alone and in a batch", "case", "white space", "negation"}
NEGATION = "negation"


def mood_of(words: list[str]) -> float:
    """The score of a text from the moods of its words: 0.25, 0.5 (no mood) or 0.75."""
    mood = sum(MOODS.get(word, 0) for word in words) * (-1 if "not" in words else 1)
    return 0.5 + 0.25 * float(np.sign(mood))


def lexicon(texts: list[str]) -> Scores:
    """A correct model. Like Keras models, it gives scores in single precision."""
    return np.array([mood_of(text.lower().split()) for text in texts], dtype=np.float32)


def each(score_one: Callable[[str], float]) -> Scorer:
    """A scorer that scores each text alone."""
    return lambda texts: np.array([score_one(text) for text in texts], dtype=np.float32)


def outcomes(score: Scorer, threshold: float = 0.5, knows: Callable[[str], bool] = bool) -> dict[str, Check]:
    checks = check_behaviour(score, knows, threshold)
    assert len(checks) == len({check.name for check in checks})
    return {check.name: check for check in checks}


def failed(score: Scorer, threshold: float = 0.5) -> list[str]:
    return [name for name, check in outcomes(score, threshold).items() if not check.passed]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_correct_model_passes_every_check(dtype: type[np.floating]) -> None:
    checks = outcomes(lambda texts: lexicon(texts).astype(dtype))
    assert {name for name, check in checks.items() if check.passed} == set(checks) == CHECKS


# Models with one defect.


def with_score(value: float, condition: Callable[[str], bool]) -> Scorer:
    """The correct model, but texts that meet the condition get this score."""
    return each(lambda text: value if condition(text) else mood_of(text.lower().split()))


def is_empty(text: str) -> bool:
    return not text.strip()


def is_long(text: str) -> bool:
    return len(text.split()) > 10_000


def skips_empty_texts(texts: list[str]) -> Scores:
    return lexicon([text for text in texts if not is_empty(text)])


def shifted_in_batches(shift: float) -> Scorer:
    return lambda texts: lexicon(texts) - np.float32(shift if len(texts) > 1 else 0)


def depends_on_other_texts(texts: list[str]) -> Scores:
    return np.array([0.9 * score + 0.1 * lexicon(texts).mean() for score in lexicon(texts)])


def ignores_negation(text: str) -> float:
    return mood_of(text.lower().replace("not ", "").split())


@pytest.mark.parametrize(
    ("score", "name"),
    [
        pytest.param(with_score(np.nan, is_empty), "empty text", id="NaN for an empty text"),
        pytest.param(with_score(-0.25, is_empty), "empty text", id="below 0 for an empty text"),
        pytest.param(
            with_score(np.nan, lambda text: text == "!!!"), "empty text", id="NaN for a text without words"
        ),
        pytest.param(skips_empty_texts, "empty text", id="no score for an empty text"),
        pytest.param(
            lambda texts: np.append(lexicon(texts), [0.5] * any(map(is_empty, texts))),
            "empty text",
            id="two scores for an empty text",
        ),
        pytest.param(with_score(1.5, is_long), "very long text", id="above 1 for a long text"),
        pytest.param(with_score(-0.5, is_long), "very long text", id="below 0 for a long text"),
        pytest.param(with_score(np.nan, is_long), "very long text", id="NaN for a long text"),
        pytest.param(with_score(np.inf, is_long), "very long text", id="infinite for a long text"),
        pytest.param(shifted_in_batches(1e-3), "alone and in a batch", id="lower in a batch"),
        pytest.param(shifted_in_batches(-1e-3), "alone and in a batch", id="higher in a batch"),
        pytest.param(depends_on_other_texts, "alone and in a batch", id="depends on the other texts"),
        pytest.param(each(lambda text: mood_of(text.split())), "case", id="knows only lower case"),
        pytest.param(with_score(0.6, str.isupper), "case", id="higher score for capitals"),
        pytest.param(
            each(lambda text: mood_of(text.lower().split(" "))), "white space", id="splits only at spaces"
        ),
        pytest.param(
            with_score(0.6, lambda text: "\t" in text.strip()), "white space", id="higher score for tabs"
        ),
        pytest.param(each(ignores_negation), NEGATION, id="ignores negation"),
        pytest.param(
            each(lambda text: ignores_negation(text) + 0.1 * (" not " in text)),
            NEGATION,
            id="higher score for negation",
        ),
    ],
)
def test_a_defect_fails_only_its_own_check(score: Scorer, name: str) -> None:
    assert failed(score) == [name]


@pytest.mark.parametrize("shift", [1e-6, -1e-6])
def test_rounding_differences_in_batches_pass(shift: float) -> None:
    assert failed(shifted_in_batches(shift)) == []


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_scores_of_exactly_0_and_1_pass(score: float) -> None:
    assert failed(with_score(score, lambda text: is_empty(text) or is_long(text))) == []


@pytest.mark.parametrize(
    ("shouted", "expected"),
    [(("SAD",), []), (("SAD", "BAD"), ["case"])],
    ids=["one of nine words", "two of nine words"],
)
def test_a_few_labels_may_change_with_case(shouted: tuple[str, ...], expected: list[str]) -> None:
    # The label changes only in capitals. Half of the variants are titles: 1/18 or 1/9 of the labels change.
    def score(text: str) -> float:
        return 0.5 if any(word in text.split() for word in shouted) else mood_of(text.lower().split())

    assert failed(each(score)) == expected


@pytest.mark.parametrize(
    ("ignored", "expected"),
    [({"good"}, []), ({"good", "great"}, [NEGATION])],
    ids=["one of six words", "two of six words"],
)
def test_a_few_negations_may_be_missed(ignored: set[str], expected: list[str]) -> None:
    def score(text: str) -> float:
        ignore = ignored & set(text.lower().split())
        return ignores_negation(text) if ignore else mood_of(text.lower().split())

    assert failed(each(score)) == expected


# Words that are not in the vocabulary.


def test_negation_of_unknown_words_is_not_checked() -> None:
    check = outcomes(each(ignores_negation), knows=lambda text: "not" not in text.split())[NEGATION]
    assert check.passed
    assert "not checked" in check.seen


def test_the_check_of_known_negations_reports_no_skip() -> None:
    assert "not checked" not in outcomes(lexicon)[NEGATION].seen


@pytest.mark.parametrize(("known", "passed"), [("good", True), ("great", False)])
def test_only_negations_of_known_words_count(known: str, passed: bool) -> None:
    def negates_only_good(text: str) -> float:
        return mood_of(text.lower().split()) if "good" in text.lower() else ignores_negation(text)

    check = outcomes(each(negates_only_good), knows=lambda text: known in text.split())[NEGATION]
    assert check.passed == passed
    assert "4 pairs" in check.seen  # one for each subject


# The threshold.


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [(0.5, []), (0.6, ["case"]), (0.75, ["case"]), (0.9, [])],
    ids=["at the lower score", "between", "at the higher score", "above both"],
)
def test_labels_depend_on_the_threshold(threshold: float, expected: list[str]) -> None:
    # A positive text has the score 0.75, and 0.5 in capitals.
    score = each(lambda text: min(mood_of(text.lower().split()), 0.5 if text.isupper() else 1.0))
    assert failed(score, threshold) == expected


# The report of a failed check.


@pytest.mark.parametrize(
    ("score", "name", "seen"),
    [
        (with_score(np.nan, is_empty), "empty text", "nan"),
        (with_score(1.5, is_long), "very long text", "1.500"),
        (shifted_in_batches(1e-3), "alone and in a batch", "1e-03"),
        (each(lambda text: mood_of(text.split())), "case", "33%"),
        (each(ignores_negation), NEGATION, "0% of 24 pairs"),
    ],
    ids=["empty text", "very long text", "batch", "case", "negation"],
)
def test_a_failed_check_reports_the_observed_value(score: Scorer, name: str, seen: str) -> None:
    assert seen in outcomes(score)[name].seen
