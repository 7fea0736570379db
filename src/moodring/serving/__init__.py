"""The model in use: scorer, registry, publishing."""

from typing import Any


def __getattr__(name: str) -> Any:
    # Models that were logged before this package had modules import `moodring.serving.TextScorer`.
    if name == "TextScorer":
        from moodring.serving.scorer import TextScorer

        return TextScorer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
