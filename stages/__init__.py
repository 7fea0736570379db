"""One Typer command for each stage of the pipeline: `python -m stages.train --help`."""

import os
import sys
from pathlib import Path

# A stage runs the code of its own checkout: DVC runs queued experiments in copies of it, and the
# package that is installed for editing would be the main checkout's.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's start-up notes are no news to anyone
