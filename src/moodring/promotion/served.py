"""The behavioural checks of a registered model."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence

from moodring.corpus.arrays import VOCABULARY
from moodring.corpus.vocabulary import Vocabulary
from moodring.io.files import read_json
from moodring.promotion.behaviour import Check, Pair, check_behaviour
from moodring.serving.loading import fetch_bundled, load_model
from moodring.serving.scorer import SCORER
from moodring.text.cleaner import Cleaner


def knows(words: Collection[str], text: str) -> bool:
    """Whether a vocabulary has every word of a cleaned text. A text without a word shows nothing."""
    found = text.split()
    return bool(found) and all(word in words for word in found)


def check_served(address: str, pairs: Sequence[Pair]) -> list[Check]:
    """Run the behavioural checks on a registered model, with the vocabulary and threshold that it serves.

    Args:
        address: of the model, as `models:/NAME/VERSION`.
        pairs: the user's pairs of texts.

    Raises:
        MoodringError: the model cannot be loaded.
        StoreError: the store cannot be opened.
    """
    predict = load_model(address)
    with tempfile.TemporaryDirectory(prefix="moodring-") as directory:
        scorer = read_json(fetch_bundled(address, SCORER, directory))
        words = set(Vocabulary.load(fetch_bundled(address, VOCABULARY, directory)).words)
    cleaner = Cleaner.from_recipe(scorer["cleaning"])
    return check_behaviour(
        lambda texts: predict(texts)["score"].to_numpy(),
        lambda text: knows(words, cleaner(text)),
        scorer["threshold"],
        pairs,
    )
