"""One Typer command for each stage of the pipeline: `python -m stages.train --help`."""

import sys
from pathlib import Path

# A stage runs the code of its own checkout. DVC runs queued experiments in copies of the checkout, but the
# installed package is the code of the original checkout.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
