"""Promotion: the rule by which a model becomes its dataset's champion, and the procedure that applies it.

The validation metric decides; the test metric never does. Data that cannot decide promote nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from moodring.errors import MoodringError

if TYPE_CHECKING:
    from moodring.promotion.behaviour import Check, Pair
    from moodring.promotion.candidates import Candidate
    from moodring.serving.registry import Champion

Metric = Literal["val_accuracy", "val_loss"]
ROUNDING = 5e-7  # metrics have six digits; half of the last one
LONGEST_REASON = 5000  # MLflow limits the length of a tag
SAME_TEXTS = "same validation texts"


@dataclass(frozen=True)
class Validation:
    """How a result was validated, as its run says; what the run does not say is missing.

    Args:
        metrics: val_accuracy and val_loss of the kept epoch, and test_accuracy.
        rows: number of validation texts.
        texts: number of different validation texts of each class that are not empty.
        digest: of the validation texts and labels, however they are cleaned.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    rows: int = 0
    texts: Mapping[str, int] = field(default_factory=dict)
    digest: str | None = None

    def problems(self) -> list[str]:
        """The reasons for which this validation decides nothing; empty: it can decide."""
        from moodring.io.splits import LEAST_TEXTS

        found = []
        for name in ("val_accuracy", "val_loss"):
            value = self.metrics.get(name)
            if value is None:
                found.append(f"its run has no {name}")
            elif not math.isfinite(value):
                found.append(f"its {name} is {value}")
        if not self.texts:
            found.append("its run does not say on how many texts of each class it was validated")
        return found + [
            f"its validation split has {count} {label} texts, at least {LEAST_TEXTS} are needed"
            for label, count in self.texts.items()
            if count < LEAST_TEXTS
        ]

    def describe(self) -> str:
        """The number of validation texts, in all and of each class."""
        classes = ", ".join(f"{count:,} {label}" for label, count in self.texts.items())
        return f"{self.rows:,} validation texts (different ones: {classes})"

    def against_one_answer(self) -> str:
        """A sentence if a model that always gives the same answer is as accurate; empty: it is not."""
        accuracy = self.metrics.get("val_accuracy")
        if accuracy is None or not any(self.texts.values()):
            return ""
        label, most = max(self.texts.items(), key=lambda item: item[1])
        share = most / sum(self.texts.values())
        if accuracy > share + ROUNDING:
            return ""
        return (
            f"val_accuracy {accuracy:.4f} shows no skill: the answer {label!r} for every text has {share:.4f}"
            ". Add texts of the other class, or decide with --metric val_loss"
        )


@dataclass(frozen=True)
class Rules:
    """What a promotion asks for.

    Args:
        metric: the validation metric that decides.
        margin: the least gain over the champion.
        accepted: names of checks that may fail.
        reason: why they may.

    Raises:
        MoodringError: there is no such check, or a reason is missing or for nothing.
    """

    metric: Metric = "val_accuracy"
    margin: float = 0.001
    accepted: Sequence[str] = ()
    reason: str = ""

    def __post_init__(self) -> None:
        from moodring.promotion.behaviour import CHECKS

        known = (SAME_TEXTS, *CHECKS)
        for name in self.accepted:
            if name not in known:
                raise MoodringError(f"there is no check {name!r} to accept; known: {', '.join(known)}")
        if bool(self.accepted) != bool(self.reason.strip()):
            raise MoodringError(
                f"--accept and --reason belong together, received: --accept {list(self.accepted)}, --reason "
                f"{self.reason!r}. Give both, or neither."
            )
        if len(self.reason) > LONGEST_REASON:
            raise MoodringError(
                f"--reason may have {LONGEST_REASON:,} characters, received {len(self.reason):,}. Shorten it."
            )


@dataclass(frozen=True)
class Promotion:
    """The outcome of `promote`.

    Args:
        already: the version is the champion already; nothing was compared.
        challenger: how it was validated; None if `already`.
        champion: how the champion was validated; None if it was not compared.
        note: a sentence on a champion that was not compared.
        checks: outcomes of the comparison of the validation texts and of the behavioural checks.
        accepted: names of the failed checks that were accepted.
        objections: the reasons against a promotion; without any, the version is the champion now.
    """

    already: bool = False
    challenger: Validation | None = None
    champion: Validation | None = None
    note: str = ""
    checks: Sequence[Check] = ()
    accepted: Sequence[str] = ()
    objections: Sequence[str] = ()


def promote(candidate: Candidate, rules: Rules, pairs: Sequence[Pair] = ()) -> Promotion:
    """Make a registered version the champion if it beats the champion and passes every check.

    Args:
        candidate: the version.
        rules: of the decision.
        pairs: the user's pairs of texts, for the behavioural checks.

    Raises:
        MoodringError: a model cannot be loaded, the champion cannot be compared with, or another process
            changed the champion.
        StoreError: the store cannot be read or written.
    """
    from moodring.promotion.candidates import read_validations
    from moodring.promotion.served import check_served
    from moodring.serving import registry

    champion = registry.champion(candidate.dataset)
    if champion is not None and champion.version == candidate.version:
        return Promotion(already=True)
    validations = read_validations()
    ours = validations.get(candidate.run_id, Validation())
    if problems := ours.problems():
        return Promotion(challenger=ours, objections=[f"nothing can be decided: {'; '.join(problems)}"])
    theirs: Validation | None = None
    note = ""
    checks: list[Check] = []
    # A champion that lost its files or its run, and whose model is promoted again, cannot beat itself.
    if champion is not None and (champion.whole or not _same_model(candidate, champion)):
        registry.check_champion(candidate.dataset, champion)
        theirs, note, checks = compared_with(ours, validations.get(champion.run_id, Validation()))
    checks += check_served(f"models:/{candidate.model}/{candidate.version}", pairs)
    accepted = [check.name for check in checks if check.passed is False and check.name in rules.accepted]
    to_beat = theirs.metrics[rules.metric] if theirs else None
    open_checks = [check for check in checks if check.name not in accepted]
    against = objections(rules.metric, rules.margin, ours.metrics[rules.metric], to_beat, open_checks)
    if not against:
        reasons = dict.fromkeys(accepted, rules.reason.strip())
        registry.set_champion(candidate.dataset, candidate.version, champion, reasons)
    return Promotion(False, ours, theirs, note, checks, accepted, against)


def _same_model(candidate: Candidate, champion: Champion) -> bool:
    from moodring.serving.registry import bundle_of

    same = champion.bundle is not None and champion.bundle == bundle_of(candidate.dataset, candidate.version)
    return same or champion.run_id == candidate.run_id


def compared_with(ours: Validation, theirs: Validation) -> tuple[Validation | None, str, list[Check]]:
    """Whether a challenger can be compared with the champion.

    Returns:
        The champion's validation if the metrics are to be compared; a sentence if the champion's validation
        decides nothing; and the check of the validation texts.
    """
    from moodring.promotion.behaviour import Check

    if problems := theirs.problems():
        note = f"the champion is not compared, its validation decides nothing: {'; '.join(problems)}"
        return None, note, []
    if ours.digest == theirs.digest:
        return theirs, "", [Check(SAME_TEXTS, True, "the champion was validated on the same texts")]
    seen = (
        f"the champion was validated on other texts ({theirs.rows:,}, here {ours.rows:,}), so their figures "
        f'cannot be compared. If it is to be replaced, give --accept "{SAME_TEXTS}" --reason TEXT'
    )
    return None, "", [Check(SAME_TEXTS, False, seen)]


def gain(metric: Metric, challenger: float, champion: float) -> float:
    """The challenger's gain over the champion; a lower loss is better."""
    return champion - challenger if metric == "val_loss" else challenger - champion


def objections(
    metric: Metric, margin: float, challenger: float, champion: float | None, checks: Sequence[Check]
) -> list[str]:
    """The reasons against a promotion; empty: the model is promoted.

    Args:
        metric: the validation metric that decides.
        margin: the champion must be beaten by at least this, and by more than 0.
        challenger: the new model's metric, of its kept epoch.
        champion: the champion's; None if there is no champion yet.
        checks: their outcomes; one that decided nothing is no reason.
    """
    found = []
    if champion is not None:
        better = gain(metric, challenger, champion)
        # So that 0.805 beats 0.804 by 0.001.
        if not (better > 0 and better >= margin - ROUNDING):
            needed = f"at least {margin:+.6g}" if margin else "more than 0"
            found.append(
                f"{metric} {challenger:.4f} against the champion's {champion:.4f} is {better:+.6g}, "
                f"{needed} is needed"
            )
    return found + [f"{check.name}: {check.seen}" for check in checks if check.passed is False]
