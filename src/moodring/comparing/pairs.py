"""Results put side by side: the paired test between any two, and the conclusion in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from moodring.collecting.collect import Collected
from moodring.collecting.results import Result
from moodring.evaluation.comparison import SURE, chance_of, describe, paired

ORDER = "Best first by validation accuracy. The test accuracy decides nothing."
DIFFERING = 8  # texts that are shown of each side of a pair


@dataclass(frozen=True)
class Pair:
    """The paired comparison of two results.

    Args:
        one: the result that is better on the validation split.
        other: the other one.
        gain: test accuracy of `one` minus that of `other`, from the texts that both scored.
        low: lower bound of the 95 % interval of the gain (Agresti & Min 2005).
        high: upper bound.
        p: of McNemar's exact test.
        won: texts on which only `one` is right.
        lost: texts on which only `other` is right.
        rows: texts.
    """

    one: Result
    other: Result
    gain: float
    low: float
    high: float
    p: float
    won: int
    lost: int
    rows: int

    @property
    def sure(self) -> bool:
        """Whether a difference is shown."""
        return self.p < SURE


@dataclass(frozen=True)
class Untested:
    """Two results that cannot be tested as a pair, and the reason."""

    one: Result
    other: Result
    reason: str


@dataclass(frozen=True)
class Comparison:
    """Results of one dataset.

    Args:
        dataset: its name.
        results: at least one, the best first: see `ORDER`.
        pairs: of any two results, in their order.
        notes: what is missing or differs, as sentences.
    """

    dataset: str
    results: tuple[Result, ...]
    pairs: tuple[Pair | Untested, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def baseline(self) -> str:
        """The baseline's name; of several, those of all results."""
        return ", ".join(dict.fromkeys(result.baseline for result in self.results))


def compare_results(collected: Collected) -> Comparison:
    """Test any two of the collected results."""
    pairs = tuple(compare_pair(one, other) for one, other in combinations(collected.results, 2))
    return Comparison(collected.dataset, collected.results, pairs, collected.notes)


def compare_pair(one: Result, other: Result) -> Pair | Untested:
    """Compare two results on the same texts."""
    lacking = [result.name for result in (one, other) if result.right is None]
    if lacking:
        return Untested(one, other, f"no scores of {' and '.join(lacking)}")
    right, rival = one.right, other.right
    assert right is not None and rival is not None  # noqa: S101, PT018  # checked above
    if one.texts is None or one.texts != other.texts or not np.array_equal(one.labels, other.labels):
        return Untested(one, other, "they were tested on different texts")
    found = paired(right, rival)
    won, lost = int((right & ~rival).sum()), int((~right & rival).sum())
    bounds = (found["gain"], found["gain_low"], found["gain_high"])
    return Pair(one, other, *bounds, found["mcnemar_p"], won, lost, len(right))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values after Holm's correction for several tests (Holm 1979), in the same order."""
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def conclusion(compared: Comparison) -> list[str]:
    """What the comparison says about its first result, in sentences.

    The first result was chosen on the validation split, so its figures on the test split are an estimate, and
    the test of the pair is not one of many.
    """
    best = compared.results[0]
    if best.accuracy is None:
        return [f"{best.name} is not evaluated, so there is nothing to conclude."]
    return [*_first(best, len(compared.results)), *_against_second(compared), *_against_baseline(best)]


def _first(best: Result, count: int) -> list[str]:
    accuracy = f"{100 * (best.accuracy or 0):.1f} %"
    if best.interval is not None:
        low, high = (f"{100 * bound:.1f}" for bound in best.interval)
        accuracy += f" (95 % interval {low} to {high})"
    rows = f"{int(best.test['rows']):,} test texts" if "rows" in best.test else "the test texts"
    found = f"it labels {accuracy} of {rows} correctly."
    if count == 1:
        return [f"There is one result, {best.name}: {found}"]
    if best.validation is None:
        return [f"No validation accuracy is known. Of {count} results, {best.name} is first: {found}"]
    chosen = f"has the best validation accuracy of {count} results ({100 * best.validation:.1f} %)"
    return [f"{best.name} {chosen}; {found}"]


def _against_second(compared: Comparison) -> list[str]:
    if not compared.pairs:
        return []
    pair = compared.pairs[0]
    second = pair.other.name
    if isinstance(pair, Untested):
        return [f"It cannot be tested against the second, {second}: {pair.reason}."]
    figures = f"95 % interval {{}} to {{}}, {chance_of(pair.p)}"
    low, high = 100 * pair.low, 100 * pair.high
    if not pair.sure:
        shown = figures.format(f"{low:.1f}", f"{high:.1f}")
        gain = f"{100 * pair.gain:+.1f} points on the same texts"
        return [f"No difference from the second, {second}, is shown: {gain} ({shown})."]
    if pair.gain > 0:
        shown = figures.format(f"{low:.1f}", f"{high:.1f}")
        return [f"It is better than the second, {second}, by {100 * pair.gain:.1f} points ({shown})."]
    shown = figures.format(f"{-high:.1f}", f"{-low:.1f}")
    gain = f"{-100 * pair.gain:.1f} points"
    return [f"On the test texts it is worse than the second, {second}, by {gain} ({shown})."]


def _against_baseline(best: Result) -> list[str]:
    if best.arch == best.baseline:
        return ["It is the baseline."]
    if not {"gain", "gain_low", "gain_high", "mcnemar_p"} <= set(best.test):
        return []
    return [f"It is {describe(best.test, best.baseline)}."]


def differing_texts(pair: Pair, right_one: bool) -> list[int]:
    """The rows of test texts on which only one of two results is right, the farthest scores first.

    Args:
        pair: the two results.
        right_one: those on which only `pair.one` is right; else those on which only `pair.other` is.

    Returns:
        At most `DIFFERING` row numbers. Rows with equal distances keep their order.
    """
    one, other = (pair.one, pair.other) if right_one else (pair.other, pair.one)
    assert one.right is not None and other.right is not None  # noqa: S101, PT018  # the pair was tested
    rows = np.flatnonzero(one.right & ~other.right)
    distances = np.abs(one.scores[rows].astype(np.float64) - other.scores[rows])
    return [int(row) for row in rows[np.argsort(-distances, kind="stable")][:DIFFERING]]
