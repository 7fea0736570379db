"""Show the verdict on the present result."""

from __future__ import annotations

import os
from pathlib import Path

from moodring.checkout.root import checkout_root
from moodring.errors import shows_errors


@shows_errors
def verdict() -> None:
    """Show the test accuracy of the present result, its report, and what to look at next."""
    from moodring.evaluation.calibration import read_calibration
    from moodring.evaluation.verdict import closing_lines, notes_on
    from moodring.io.files import read_json
    from moodring.params.file import load_params

    root = checkout_root()
    params, metrics = load_params(root / "params.yaml"), read_json(root / "metrics/test.json")
    calibration = read_calibration(root / "metrics/calibration.json")
    notes = notes_on(calibration, read_json(root / "metrics/data.json")["rows"])
    # The report's path as a user opens it from here.
    print(closing_lines(params, metrics, Path(os.path.relpath(root / "report")), notes))
