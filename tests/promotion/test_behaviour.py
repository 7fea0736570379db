"""A correct model passes the behaviour checks. A model with a defect fails the check that names it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from moodring.promotion.behaviour import CHECKS as KNOWN
from moodring.promotion.behaviour import MIN_PAIRS, OWN_PAIRS, Check, check_behaviour
from moodring.promotion.served import knows

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
    return [name for name, check in outcomes(score, threshold).items() if check.passed is False]


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


def test_negation_of_unknown_words_decides_nothing() -> None:
    check = outcomes(each(ignores_negation), knows=lambda text: "not" not in text.split())[NEGATION]
    assert check.passed is None
    assert "not checked: the vocabulary knows the words of 0 of 24 pairs, 12 are needed" in check.seen


def test_the_check_of_known_negations_reports_no_skip() -> None:
    assert "not checked" not in outcomes(lexicon)[NEGATION].seen


def negates_only_three(text: str) -> float:
    negated = {"good", "great", "funny"} & set(text.lower().split())
    return mood_of(text.lower().split()) if negated else ignores_negation(text)


@pytest.mark.parametrize(
    ("known", "passed", "pairs"),
    [
        pytest.param({"good", "great", "funny"}, True, 12, id="three negated words"),
        pytest.param({"nice", "happy", "beautiful"}, False, 12, id="three ignored words"),
        pytest.param({"good", "great", "funny", "nice"}, True, 16, id="one of four words ignored"),
        pytest.param({"good", "great", "nice", "happy"}, False, 16, id="two of four words ignored"),
        pytest.param({"nice", "happy"}, None, 8, id="too few words"),
    ],
)
def test_only_negations_of_known_words_count(known: set[str], passed: bool | None, pairs: int) -> None:
    def knows(text: str) -> bool:
        return bool(known & set(text.split()))

    check = outcomes(each(negates_only_three), knows=knows)[NEGATION]
    assert check.passed == passed
    assert f"{pairs} pairs" in check.seen or f"{pairs} of 24 pairs" in check.seen


def test_a_vocabulary_of_other_words_decides_nothing_about_pairs() -> None:
    # For example of reviews in another language: every sentence has unknown words only.
    checks = outcomes(each(lambda text: 0.25 + 0.5 * (len(text.split()) > 3)), knows=lambda text: False)
    assert {name for name, check in checks.items() if check.passed is None} == {
        "case",
        "white space",
        NEGATION,
    }


# No check passes that nothing could fail.


@pytest.mark.parametrize("value", [0.0, 0.3, 0.5, 1.0])
def test_a_model_with_one_score_for_every_text_fails(value: float) -> None:
    checks = outcomes(each(lambda text: value))
    assert {name for name, check in checks.items() if check.passed} == {"empty text", "very long text"}
    assert {name for name, check in checks.items() if check.passed is False} == {
        "case",
        "white space",
        NEGATION,
    }
    assert checks["alone and in a batch"].passed is None
    for name in ("case", "white space"):
        assert f"each of 36 texts has the score {value:.3f}" in checks[name].seen


def test_a_model_without_scores_fails_every_check() -> None:
    assert failed(each(lambda text: np.nan)) == [name for name in KNOWN if name != OWN_PAIRS]


# Own pairs.

FOOD = tuple((f"the {dish} was tasty", f"the {dish} was cold") for dish in "abcdefghijklmnop")


def tasty(texts: list[str]) -> Scores:
    plain = each(lambda text: 0.9 if "tasty" in text else 0.1 if "cold" in text else mood_of(text.split()))
    return plain([text.lower() for text in texts])


@pytest.mark.parametrize(
    ("pairs", "passed", "seen"),
    [
        pytest.param(FOOD, True, "100% of 16 pairs", id="all hold"),
        pytest.param([*FOOD[:12], *((b, a) for a, b in FOOD[12:])], True, "75% of 16 pairs", id="a quarter"),
        pytest.param([*FOOD[:11], *((b, a) for a, b in FOOD[11:])], False, "69% of 16 pairs", id="more"),
        pytest.param(FOOD[:MIN_PAIRS], True, "100% of 12 pairs", id="just enough"),
        pytest.param(FOOD[: MIN_PAIRS - 1], None, "11 of 11 pairs, 12 are needed", id="too few"),
    ],
)
def test_own_pairs_are_a_check(pairs: list[tuple[str, str]], passed: bool | None, seen: str) -> None:
    checks = check_behaviour(tasty, bool, 0.5, pairs)
    assert [check.name for check in checks] == list(KNOWN)
    assert checks[-1].passed == passed
    assert seen in checks[-1].seen


@pytest.mark.parametrize("times", [2, MIN_PAIRS, 100])
def test_a_pair_that_is_written_several_times_counts_once(times: int) -> None:
    *_, check = check_behaviour(tasty, bool, 0.5, [("tasty", "bland")] * times)
    assert check.passed is None
    assert "1 of 1 pairs" in check.seen


@pytest.mark.parametrize(
    ("text", "known"), [("good film", True), ("good plot", False), ("", False), (" \n", False)]
)
def test_a_text_without_a_word_is_not_known(text: str, known: bool) -> None:
    assert knows({"good", "film"}, text) is known


def test_without_own_pairs_there_is_no_check_of_them() -> None:
    assert OWN_PAIRS not in outcomes(lexicon)


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


def test_each_failing_pair_is_listed_with_both_scores() -> None:
    lines = outcomes(each(ignores_negation))[NEGATION].failing
    assert len(lines) == 24
    assert lines[0] == "'this is good' 0.750, 'this is not good' 0.750"
    case = outcomes(each(lambda text: mood_of(text.split())))["case"].failing
    assert len(case) == 24  # nine words and four subjects, twice; a third changes its label
    assert "'it was bad' 0.250, 'IT WAS BAD' 0.500" in case
    batch = outcomes(shifted_in_batches(1e-3))["alone and in a batch"].failing
    assert batch[0] == '"this is good" 0.750000 alone, 0.749000 in a batch'


def test_a_passed_check_lists_its_few_failing_pairs() -> None:
    def score(text: str) -> float:
        return ignores_negation(text) if "nice" in text.lower() else mood_of(text.lower().split())

    check = outcomes(each(score))[NEGATION]
    assert check.passed
    assert len(check.failing) == 4
    assert all("nice" in line for line in check.failing)
    assert outcomes(lexicon)[NEGATION].failing == ()
