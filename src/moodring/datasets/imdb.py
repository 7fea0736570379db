"""The Large Movie Review Dataset (Maas et al., ACL 2011): 25,000 reviews to train on, 25,000 to test."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa

from moodring.errors import MoodringError
from moodring.io.tables import NEGATIVE, POSITIVE, make_table
from moodring.sources.archives import decode, read_tar
from moodring.sources.fetch import fetched

ARCHIVE = "aclImdb_v1.tar.gz"
HOME = "https://ai.stanford.edu/~amaas/data/sentiment/" + ARCHIVE
LABELS = {"neg": NEGATIVE, "pos": POSITIVE}
_MEMBER = re.compile(r"aclImdb/(?P<split>train|test)/(?P<label>neg|pos)/(?P<id>\d+)_\d+\.txt")


def read() -> pa.Table:
    """The labelled reviews: train before test, negative before positive, each group sorted by number.

    Raises:
        MoodringError: the archive is unreachable, damaged, or contains no reviews.
    """
    with fetched([ARCHIVE], home=HOME) as path:
        assert path is not None  # `home` is given
        return read_archive(path)


def read_archive(path: Path) -> pa.Table:
    """Like `read`, from an archive on disk; the order of its members does not matter."""
    reviews: list[tuple[bool, int, int, str]] = []
    for name, content in read_tar(path, lambda name: _MEMBER.fullmatch(name) is not None):
        place = _MEMBER.fullmatch(name)
        assert place is not None  # the filter above
        key = (place["split"] == "test", LABELS[place["label"]], int(place["id"]))
        reviews.append((*key, decode(content, name)))
    if not reviews:
        raise MoodringError(
            f"{path.name} contains no reviews: files such as aclImdb/train/pos/0_9.txt are expected"
        )
    reviews.sort(key=lambda review: review[:3])
    return make_table(
        ["test" if in_test else "train" for in_test, _, _, _ in reviews],
        [label for _, label, _, _ in reviews],
        [text for _, _, _, text in reviews],
    )
