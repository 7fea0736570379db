"""Checks of behaviour on raw text that any sentiment model must pass, however accurate it is.

Source: Ribeiro et al. 2020, "Beyond Accuracy: Behavioral Testing of NLP Models with CheckList": minimum
functionality (empty, very long), invariance (case, white space, the batch) and direction (negation).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scorer = Callable[[list[str]], NDArray[np.floating]]
# A batch adds in another order, so a text's score may differ from its score alone by rounding.
TOLERANCE = 1e-5
LONG = 100_000
SUBJECTS = ("this is", "it was", "the film is", "that was")
POSITIVE = ("good", "great", "funny", "nice", "happy", "beautiful")
SENTENCES = tuple(f"{subject} {word}" for subject in SUBJECTS for word in (*POSITIVE, "bad", "boring", "sad"))
PAIRS = tuple((f"{subject} {word}", f"{subject} not {word}") for subject in SUBJECTS for word in POSITIVE)
MAX_CHANGED = 0.1
MIN_DIRECTED = 0.75


@dataclass(frozen=True)
class Check:
    """A check's outcome, and a sentence on what it saw."""

    name: str
    passed: bool
    seen: str


def check_behaviour(score: Scorer, is_known: Callable[[str], bool], threshold: float) -> list[Check]:
    """Run every check.

    Args:
        score: raw texts to probabilities of positive, shape (texts,).
        is_known: whether every word of a cleaned text is in the vocabulary. Only pairs of known words are
            checked for negation.
        threshold: a score at or above it is positive.
    """

    def label(texts: list[str]) -> NDArray[np.bool_]:
        return score(texts) >= threshold

    return [
        _scores("empty text", score, ["", " \t\n", "!!!"]),
        _scores("very long text", score, [" ".join(["good bad film"] * (LONG // 3))]),
        _alone_and_together(score),
        _unchanged("case", label, (str.upper, str.title)),
        _unchanged(
            "white space", label, (lambda text: f"  {text}\n", lambda text: text.replace(" ", " \t "))
        ),
        _negation(score, is_known),
    ]


def _scores(name: str, score: Scorer, texts: list[str]) -> Check:
    scores = score(texts)
    passed = len(scores) == len(texts) and bool(np.all((scores >= 0) & (scores <= 1)))
    seen = f"{len(texts)} texts, scores {', '.join(f'{value:.3f}' for value in scores)}"
    return Check(name, passed, seen)


def _alone_and_together(score: Scorer) -> Check:
    texts = list(SENTENCES[::4])
    alone = np.concatenate([score([text]) for text in texts])
    difference = float(np.max(np.abs(alone - score(texts))))
    return Check(
        "alone and in a batch", difference <= TOLERANCE, f"scores differ by {difference:.0e} at most"
    )


def _unchanged(
    name: str,
    label: Callable[[list[str]], NDArray[np.bool_]],
    variants: Sequence[Callable[[str], str]],
) -> Check:
    plain = label(list(SENTENCES))
    changed = [label([variant(text) for text in SENTENCES]) for variant in variants]
    share = float(np.mean([plain != other for other in changed]))
    return Check(
        name, share <= MAX_CHANGED, f"{share:.0%} of the labels change, the limit is {MAX_CHANGED:.0%}"
    )


def _negation(score: Scorer, is_known: Callable[[str], bool]) -> Check:
    known = [pair for pair in PAIRS if all(map(is_known, pair))]
    if not known:
        return Check("negation", True, "not checked: none of the words are in the vocabulary")
    plain, negated = (score(list(texts)) for texts in zip(*known, strict=True))
    share = float(np.mean(negated < plain))
    seen = f"lowers the score in {share:.0%} of {len(known)} pairs, at least {MIN_DIRECTED:.0%} are needed"
    return Check("negation", share >= MIN_DIRECTED, seen)
