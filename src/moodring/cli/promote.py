"""Make the present model the champion."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from moodring.checkout.backend import check_backend
from moodring.checkout.pipeline import refuse_stale, stale_stages
from moodring.checkout.root import checkout_root
from moodring.errors import MoodringError, shows_errors
from moodring.params.file import load_params
from moodring.serving.promotion import Metric, Promotion


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
    from moodring.serving import promotion
    from moodring.serving.registry import CHAMPION
    from moodring.serving.result_files import ResultFiles

    os.chdir(checkout_root())
    params = load_params(Path("params.yaml"))
    check_backend()
    refuse_stale(stale_stages())
    promoted = promotion.promote(ResultFiles(), params, metric, margin)
    _show(promoted, params.arch, metric)
    if promoted.objections:
        raise MoodringError("not promoted: " + "; ".join(promoted.objections))
    if not promoted.already:
        print(f"promoted: models:/{promoted.model}@{CHAMPION} is version {promoted.version}")


def _show(promoted: Promotion, arch: str, metric: Metric) -> None:
    print(f"{promoted.model} version {promoted.version}: {arch}, run {promoted.run_id}")
    if promoted.challenger is None:
        print("it already is the champion")
        return
    for name, role in ((metric, "decides"), ("test_accuracy", "shown, decides nothing")):
        champion = promoted.champion
        against = f" against {champion.metrics[name]:.4f} of the champion" if champion else ""
        print(f"  {name} {promoted.challenger.metrics[name]:.4f}{against} ({role})")
    if not promoted.same_texts:
        print("  note: the champion was validated on other texts (another source, seed or share)")
    for check in promoted.checks:
        print(f"  {'passed' if check.passed else 'FAILED'} {check.name}: {check.seen}")
