"""Promotion: the rule by which a model becomes its dataset's champion, and the procedure that applies it.

The validation metric decides; the test metric never does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from moodring.params.pipeline import Params
    from moodring.serving.behaviour import Check
    from moodring.serving.registry import RunMetrics
    from moodring.serving.result_files import ResultFiles

Metric = Literal["val_accuracy", "val_loss"]


@dataclass(frozen=True)
class Promotion:
    """The outcome of `promote`.

    Args:
        model: the registered model's name.
        version: the present result's version of it.
        run_id: the present result's run.
        already: the version is the champion already; nothing was compared.
        challenger: the present result's metrics; None if `already`.
        champion: the champion's metrics; None if there is no champion, or if `already`.
        same_texts: whether both were validated on the same texts.
        checks: outcomes of the behavioural checks.
        objections: the reasons against a promotion; without any, the version is the champion now.
    """

    model: str
    version: int
    run_id: str
    already: bool = False
    challenger: RunMetrics | None = None
    champion: RunMetrics | None = None
    same_texts: bool = True
    checks: Sequence[Check] = ()
    objections: Sequence[str] = ()


def promote(files: ResultFiles, params: Params, metric: Metric, margin: float) -> Promotion:
    """Publish the present result, and make it the champion if it beats the champion and passes every check.

    Args:
        files: the present result's.
        params: its parameters.
        metric: the validation metric that decides.
        margin: the least gain over the champion.

    Raises:
        MoodringError: a file is missing or damaged, or another process changed the champion.
        StoreError: the store cannot be read or written.
    """
    from moodring.serving import registry
    from moodring.serving.publishing import check_served, publish

    published = publish(files, params)
    model = registry.registered_name(params.dataset)
    champion = registry.champion(params.dataset)
    if champion is not None and champion.version == published.version:
        return Promotion(model, published.version, published.run_id, already=True)
    checks = check_served(files, params, f"models:/{model}/{published.version}")
    ours = registry.run_metrics(published.run_id)
    theirs = registry.run_metrics(champion.run_id) if champion else None
    # A champion whose files are lost and whose result is promoted again: its metrics cannot beat themselves.
    again = champion is not None and not champion.whole and champion.run_id == published.run_id
    to_beat = theirs.metrics[metric] if theirs and not again else None
    against = objections(metric, margin, ours.metrics[metric], to_beat, checks)
    if not against:
        registry.set_champion(params.dataset, published.version, replaces=champion)
    same = theirs is None or same_validation_split(params.dataset, ours.params, theirs.params)
    return Promotion(model, published.version, published.run_id, False, ours, theirs, same, checks, against)


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
        checks: outcomes of the behavioural checks.
    """
    found = []
    if champion is not None:
        better = gain(metric, challenger, champion)
        # Metrics have six digits; half of the last one is the tolerance, so that 0.805 beats 0.804 by 0.001.
        if not (better > 0 and better >= margin - 5e-7):
            needed = f"at least {margin:+.6g}" if margin else "more than 0"
            found.append(
                f"{metric} {challenger:.4f} against the champion's {champion:.4f} is {better:+.6g}, "
                f"{needed} is needed"
            )
    return found + [f"{check.name}: {check.seen}" for check in checks if not check.passed]


def same_validation_split(dataset: str, one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two runs were validated on the same texts: the same source, seed and validation share.

    Args:
        dataset: of both runs.
        one: the logged parameters of one run.
        other: the logged parameters of the other run.
    """

    def split_params(params: Mapping[str, str]) -> dict[str, str]:
        block = f"datasets.{dataset}"
        names = (f"{block}.source.", f"{block}.preprocess.validation_share", "seed")
        return {name: value for name, value in params.items() if name.startswith(names)}

    return split_params(one) == split_params(other)
