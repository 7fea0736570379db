"""Make a model the champion."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moodring.checkout.backend import check_backend
from moodring.checkout.pipeline import refuse_stale, stale_stages
from moodring.checkout.revisions import results_of
from moodring.checkout.root import checkout_root
from moodring.errors import MoodringError, shows_errors, warn
from moodring.params.file import load_params
from moodring.promotion.promote import Metric, Promotion, Rules, Validation

if TYPE_CHECKING:
    from moodring.params.pipeline import Params
    from moodring.promotion.candidates import Candidate

OUTCOMES = {True: "passed", False: "FAILED", None: "undecided"}


@shows_errors
def promote(
    name: Annotated[
        str | None,
        typer.Argument(help="a DVC experiment, run or model version; none: the present result"),
    ] = None,
    best: Annotated[
        bool, typer.Option("--best", help="the best registered result of the dataset by validation")
    ] = False,
    metric: Annotated[
        Metric, typer.Option(help="of the validation split, at the kept epoch")
    ] = "val_accuracy",
    margin: Annotated[float, typer.Option(min=0, help="by how much the champion is to be beaten")] = 0.001,
    accept: Annotated[
        list[str] | None, typer.Option(help="a check that may fail; may be repeated; needs --reason")
    ] = None,
    reason: Annotated[str, typer.Option(help="why the checks of --accept may fail")] = "",
) -> None:
    """Make a model its dataset's champion, if it beats the champion and behaves.

    The alias `champion` of the registered model moves only where the validation metric is better by the
    margin and no behavioural check fails. The test metric is shown and decides nothing. With a name or
    --best, the files in the working directory do not matter.
    """
    if name is not None and best:
        raise MoodringError(f"give a name or --best, received both: {name!r} and --best")
    rules = Rules(metric, margin, accept or (), reason)
    from moodring.mlflow_ui.names import CHAMPION
    from moodring.promotion import promote as promotion

    os.chdir(checkout_root())
    params = load_params(Path("params.yaml"))
    check_backend()
    candidate = _candidate(params, name, best, metric)
    print(candidate.describe())
    promoted = promotion.promote(candidate, rules, params.behaviour.pairs_of_texts)
    _show(promoted, rules)
    if promoted.objections:
        raise MoodringError("not promoted: " + "; ".join(promoted.objections))
    if not promoted.already:
        print(f"promoted: models:/{candidate.model}@{CHAMPION} is version {candidate.version}")


def _candidate(params: Params, name: str | None, best: bool, metric: Metric) -> Candidate:
    from moodring.promotion import candidates

    if best:
        found, said = candidates.best(params.dataset, metric)
        print(f"{params.dataset}: {said}")
        return found
    if name is not None:
        return candidates.find(name, params.dataset, partial(results_of, Path.cwd()))
    from moodring.serving.publishing import publish
    from moodring.serving.result_files import ResultFiles

    refuse_stale(stale_stages())
    published = publish(ResultFiles(), params)
    return candidates.Candidate(params.dataset, published.version, published.run_id, params.arch)


def _show(promoted: Promotion, rules: Rules) -> None:
    if promoted.challenger is None:
        print("it already is the champion")
        return
    _show_metrics(promoted.challenger, promoted.champion, rules)
    if promoted.note:
        print(f"  note: {promoted.note}")
    for name in rules.accepted:
        if name not in promoted.accepted:
            print(f"  note: there was nothing to accept: {name}")
    for check in promoted.checks:
        outcome = "accepted" if check.name in promoted.accepted else OUTCOMES[check.passed]
        print(f"  {outcome} {check.name}: {check.seen}")
        for line in check.failing:
            print(f"    {line}")
        if check.passed is None:
            warn(f"the check {check.name!r} decides nothing: {check.seen}")


def _show_metrics(challenger: Validation, champion: Validation | None, rules: Rules) -> None:
    if challenger.rows:
        print(f"  {rules.metric} decides, on {challenger.describe()}; needed gain {rules.margin:+g}")
    if rules.metric == "val_accuracy" and (said := challenger.against_one_answer()):
        warn(said)
    known = champion.metrics if champion else {}
    for name, role in ((rules.metric, "decides"), ("test_accuracy", "shown, decides nothing")):
        if name in challenger.metrics:
            against = f" against {known[name]:.4f} of the champion" if name in known else ""
            print(f"  {name} {challenger.metrics[name]:.4f}{against} ({role})")
    if rules.metric == "val_accuracy" and not challenger.problems():
        print(f"  {_intervals([challenger, champion] if champion else [challenger])}")


def _intervals(validations: list[Validation]) -> str:
    """The 95 % intervals of the validation accuracies, and whether they overlap."""
    from moodring.io.splits import accuracy_interval

    each = [accuracy_interval(one.metrics["val_accuracy"], one.rows) for one in validations]
    said = "val_accuracy: 95 % interval " + " against ".join(f"{low:.4f} to {high:.4f}" for low, high in each)
    overlap = len(each) > 1 and each[0][0] <= each[1][1] and each[1][0] <= each[0][1]
    return f"{said}: they overlap, the difference may be chance" if overlap else said
