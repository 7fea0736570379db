"""Checks of behaviour on raw text that any sentiment model must pass, however accurate it is.

Source: Ribeiro et al. 2020, "Beyond Accuracy: Behavioral Testing of NLP Models with CheckList": minimum
functionality (empty, very long), invariance (case, white space, the batch) and direction (negation).

A check that nothing could fail does not pass: it decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.floating]
Scorer = Callable[[list[str]], Scores]
Pair = tuple[str, str]
# A batch adds in another order, so a text's score may differ from its score alone by rounding.
TOLERANCE = 1e-5
LONG = 100_000
SUBJECTS = ("this is", "it was", "the film is", "that was")
POSITIVE = ("good", "great", "funny", "nice", "happy", "beautiful")
SENTENCES = tuple(f"{subject} {word}" for subject in SUBJECTS for word in (*POSITIVE, "bad", "boring", "sad"))
PAIRS = tuple((f"{subject} {word}", f"{subject} not {word}") for subject in SUBJECTS for word in POSITIVE)
# With fewer pairs one of them decides: at 12, the limits below allow one changed label and three directions.
MIN_PAIRS = 12
MAX_CHANGED = 0.1
MIN_DIRECTED = 0.75
EMPTY, VERY_LONG, BATCH, CASE = "empty text", "very long text", "alone and in a batch", "case"
WHITE_SPACE, NEGATION, OWN_PAIRS = "white space", "negation", "own pairs"
CHECKS = (EMPTY, VERY_LONG, BATCH, CASE, WHITE_SPACE, NEGATION, OWN_PAIRS)


@dataclass(frozen=True)
class Check:
    """A check's outcome.

    Args:
        name: of the check.
        passed: None if it decides nothing, for example because the vocabulary knows too few of its words.
        seen: a sentence on what it saw.
        failing: a line for each pair that fails, with both scores.
    """

    name: str
    passed: bool | None
    seen: str
    failing: tuple[str, ...] = ()


def check_behaviour(
    score: Scorer, is_known: Callable[[str], bool], threshold: float, own: Sequence[Pair] = ()
) -> list[Check]:
    """Run every check.

    Args:
        score: raw texts to probabilities of positive, shape (texts,).
        is_known: whether every word of a cleaned text is in the vocabulary. Pairs of texts with other words
            show nothing about the model.
        threshold: a score at or above it is positive.
        own: the user's pairs; the first text must score higher than the second.
    """
    known = [text for text in SENTENCES if is_known(text)]
    checks = [
        _scores(EMPTY, score, ["", " \t\n", "!!!"]),
        _scores(VERY_LONG, score, [" ".join(["good bad film"] * (LONG // 3))]),
        _alone_and_together(score),
        _unchanged(CASE, score, threshold, known, (str.upper, str.title)),
        _unchanged(
            WHITE_SPACE,
            score,
            threshold,
            known,
            (lambda text: f"  {text}\n", lambda text: text.replace(" ", " \t ")),
        ),
        _directed(NEGATION, score, is_known, PAIRS),
    ]
    return [*checks, _directed(OWN_PAIRS, score, is_known, own)] if own else checks


def _scores(name: str, score: Scorer, texts: list[str]) -> Check:
    scores = score(texts)
    passed = len(scores) == len(texts) and bool(np.all((scores >= 0) & (scores <= 1)))
    seen = f"{len(texts)} texts, scores {', '.join(f'{value:.3f}' for value in scores)}"
    return Check(name, passed, seen)


def _alone_and_together(score: Scorer) -> Check:
    texts = list(SENTENCES[::4])
    alone, together = np.concatenate([score([text]) for text in texts]), score(texts)
    if _is_constant(alone) and _is_constant(together):
        return Check(BATCH, None, f"not checked: each of {len(texts)} texts has the score {alone[0]:.3f}")
    differences = np.abs(alone - together)
    failing = [
        f'"{text}" {one:.6f} alone, {other:.6f} in a batch'
        for text, one, other, difference in zip(texts, alone, together, differences, strict=True)
        if not difference <= TOLERANCE
    ]
    seen = f"scores differ by {float(np.max(differences)):.0e} at most"
    return Check(BATCH, not failing, seen, tuple(failing))


def _unchanged(
    name: str,
    score: Scorer,
    threshold: float,
    texts: list[str],
    variants: Sequence[Callable[[str], str]],
) -> Check:
    """Whether variants of texts keep their labels."""
    pairs = [(text, variant(text)) for variant in variants for text in texts]
    if len(pairs) < MIN_PAIRS:
        return _unknown(name, len(pairs), len(variants) * len(SENTENCES))
    plain, changed = _score_pairs(score, pairs)
    if _is_constant(plain):
        return Check(name, False, f"each of {len(texts)} texts has the score {plain[0]:.3f}: no text matters")
    wrong = ((plain >= threshold) != (changed >= threshold)) | ~np.isfinite(plain + changed)
    share = float(np.mean(wrong))
    seen = f"{share:.0%} of the labels change, the limit is {MAX_CHANGED:.0%}"
    return Check(name, share <= MAX_CHANGED, seen, _lines(pairs, plain, changed, wrong))


def _directed(name: str, score: Scorer, is_known: Callable[[str], bool], pairs: Sequence[Pair]) -> Check:
    """Whether the second text of each pair has a lower score than the first."""
    pairs = list(dict.fromkeys(pairs))  # a pair that is written twice shows nothing more
    known = [pair for pair in pairs if all(map(is_known, pair))]
    if len(known) < MIN_PAIRS:
        return _unknown(name, len(known), len(pairs))
    higher, lower = _score_pairs(score, known)
    wrong = ~(lower < higher)
    share = 1 - float(np.mean(wrong))
    seen = f"the score falls in {share:.0%} of {len(known)} pairs, at least {MIN_DIRECTED:.0%} are needed"
    return Check(name, share >= MIN_DIRECTED, seen, _lines(known, higher, lower, wrong))


def _score_pairs(score: Scorer, pairs: Sequence[Pair]) -> tuple[Scores, Scores]:
    first, second = (score(list(texts)) for texts in zip(*pairs, strict=True))
    return first, second


def _lines(pairs: Sequence[Pair], first: Scores, second: Scores, wrong: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(
        f"{pair[0]!r} {one:.3f}, {pair[1]!r} {other:.3f}"
        for pair, one, other, fails in zip(pairs, first, second, wrong, strict=True)
        if fails
    )


def _unknown(name: str, known: int, pairs: int) -> Check:
    seen = f"not checked: the vocabulary knows the words of {known} of {pairs} pairs, {MIN_PAIRS} are needed"
    return Check(name, None, seen)


def _is_constant(scores: Scores) -> bool:
    return bool(np.ptp(scores) <= TOLERANCE)
