"""Make the present model the champion."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moodring.checkout.backend import check_backend
from moodring.checkout.pipeline import refuse_stale, stale_stages
from moodring.checkout.root import checkout_root
from moodring.errors import MoodringError, shows_errors
from moodring.params.file import load_params
from moodring.serving.promotion import Metric

if TYPE_CHECKING:
    pass


@shows_errors
def promote(
    metric: Annotated[
        Metric, typer.Option(help="of the validation split, at the kept epoch")
    ] = "val_accuracy",
    margin: Annotated[float, typer.Option(min=0, help="by how much the champion is to be beaten")] = 0.001,
) -> None:
    """Make the present model its dataset's champion, if it beats the champion and behaves.

    The alias `champion` of the registered model moves only where the validation metric is better by the
    margin and every behavioural check passes. The test metric is shown and decides nothing.
    """
    from moodring.serving import promotion, registry
    from moodring.serving.publishing import check_served, publish
    from moodring.serving.result_files import ResultFiles

    os.chdir(checkout_root())
    params = load_params(Path("params.yaml"))
    check_backend()
    refuse_stale(stale_stages())
    files = ResultFiles()
    published = publish(files, params)
    champion = registry.champion(params.dataset)
    name = registry.registered_name(params.dataset)
    print(f"{name} version {published.version}: {params.arch}, run {published.run_id}")
    if champion is not None and champion.version == published.version:
        print("it already is the champion")
        return
    checks = check_served(files, params, f"models:/{name}/{published.version}")
    figures = registry.figures_of(published.run_id)
    theirs = registry.figures_of(champion.run_id) if champion else None
    for shown, word in ((metric, "decides"), ("test_accuracy", "shown, decides nothing")):
        against = f" against {theirs.metrics[shown]:.4f} of the champion" if theirs else ""
        print(f"  {shown} {figures.metrics[shown]:.4f}{against} ({word})")
    if theirs and not promotion.same_validation_split(params.dataset, figures.params, theirs.params):
        print("  note: the champion was validated on other texts (another source, seed or share)")
    for check in checks:
        print(f"  {'passed' if check.passed else 'FAILED'} {check.name}: {check.seen}")
    # The very result of a champion whose files are gone has nobody to beat.
    lost = champion is not None and not champion.whole and champion.run_id == published.run_id
    best = theirs.metrics[metric] if theirs and not lost else None
    if against_it := promotion.objections(metric, margin, figures.metrics[metric], best, checks):
        raise MoodringError("not promoted: " + "; ".join(against_it))
    registry.crown(params.dataset, published.version, instead_of=champion)
    print(f"promoted: models:/{name}@{registry.CHAMPION} is version {published.version}")
