"""The rule by which a model becomes its dataset's champion: validation decides, the test split never."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from moodring.serving.behaviour import Check

Metric = Literal["val_accuracy", "val_loss"]


def gain(metric: Metric, challenger: float, champion: float) -> float:
    """By how much the challenger is better; a loss is better where it is lower."""
    return champion - challenger if metric == "val_loss" else challenger - champion


def objections(
    metric: Metric, margin: float, challenger: float, champion: float | None, checks: Sequence[Check]
) -> list[str]:
    """Why a model is not to be promoted; empty: it is.

    Args:
        metric: the validation metric that decides.
        margin: the champion is beaten by at least this, and by more than nothing.
        challenger: the new model's metric, of its kept epoch.
        champion: the champion's; None where there is none yet.
        checks: outcomes of the behavioural checks.
    """
    found = []
    if champion is not None:
        better = gain(metric, challenger, champion)
        # Half of the figures' last digit, so that 0.805 beats 0.804 by 0.001.
        if not (better > 0 and better >= margin - 5e-7):
            wanted = f"at least {margin:+.6g}" if margin else "more"
            found.append(
                f"{metric} {challenger:.4f} against the champion's {champion:.4f} is {better:+.6g}, "
                f"{wanted} is wanted"
            )
    return found + [f"{check.name}: {check.seen}" for check in checks if not check.passed]


def same_validation_split(dataset: str, one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two runs were validated on the same texts, by what draws them: source, seed and share.

    Args:
        dataset: of both.
        one: the logged parameters of a run.
        other: those of the other.
    """

    def drawn(params: Mapping[str, str]) -> dict[str, str]:
        block = f"datasets.{dataset}"
        names = (f"{block}.source.", f"{block}.preprocess.validation_share", "seed")
        return {name: value for name, value in params.items() if name.startswith(names)}

    return drawn(one) == drawn(other)
