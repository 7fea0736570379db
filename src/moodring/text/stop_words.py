"""NLTK's English stop words, fetched like a dataset and checked by content."""

from __future__ import annotations

import hashlib

from moodring.errors import MoodringError
from moodring.sources.archives import decode, read_zip
from moodring.sources.fetch import fetched_corpus

MEMBER = "stopwords/english"
DIGEST = "63c081f949766b37ecdc95ac5b55639990d34295166996357ff47df805fda211"


def english_stop_words() -> tuple[str, ...]:
    """The words, sorted.

    Raises:
        MoodringError: the list is unreachable, damaged, or not the published one.
    """
    with fetched_corpus("stopwords", MEMBER) as path:
        packed = path.suffix == ".zip"
        content = read_zip(path, [MEMBER])[MEMBER] if packed else path.read_bytes()
    words = tuple(sorted(decode(content, MEMBER).split()))
    received = hashlib.sha256("\n".join(words).encode()).hexdigest()
    if received != DIGEST:
        raise MoodringError(
            f"the stop words are not the published ones; expected the digest {DIGEST}, received "
            f"{received} over {len(words)} words. Fetch NLTK's stopwords again."
        )
    return words
