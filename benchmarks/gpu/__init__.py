"""The speed of Moodring's models on a GPU. It needs numpy, Keras and one backend, and no other package."""

import os
import sys
from pathlib import Path

# This checkout's code, as in stages/: Moodring need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
