"""NLTK's twitter_samples: 5,000 positive and 5,000 negative tweets, labelled by their emoticons."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from moodring.errors import MoodringError
from moodring.io.tables import NEGATIVE, POSITIVE, make_table
from moodring.sources.archives import decode, read_zip
from moodring.sources.fetch import fetched_corpus

MEMBERS = {
    POSITIVE: "twitter_samples/positive_tweets.json",
    NEGATIVE: "twitter_samples/negative_tweets.json",
}
TRAIN_ROWS = 4000


def read() -> pa.Table:
    """The tweets in corpus order, positive before negative, the first 4,000 of each class in `train`.

    Raises:
        MoodringError: the corpus is unreachable or damaged.
    """
    with fetched_corpus("twitter_samples", "twitter_samples") as path:
        return read_corpus(path)


def read_corpus(path: Path) -> pa.Table:
    """Like `read`, from the zip archive or the directory of NLTK's downloader."""
    if path.is_dir():
        contents = {name: _read_file(path.parent / name) for name in MEMBERS.values()}
    else:
        contents = read_zip(path, list(MEMBERS.values()))
    tweets = {label: _texts(contents[name], name) for label, name in MEMBERS.items()}
    splits: list[str] = []
    labels: list[int] = []
    texts: list[str] = []
    for split, part in (("train", slice(TRAIN_ROWS)), ("test", slice(TRAIN_ROWS, None))):
        for label in (POSITIVE, NEGATIVE):
            chosen = tweets[label][part]
            splits += [split] * len(chosen)
            labels += [label] * len(chosen)
            texts += chosen
    return make_table(splits, labels, texts)


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MoodringError(f"cannot read {path}: {error}. Unpack the corpus again, or remove it.") from error


def _texts(content: bytes, name: str) -> list[str]:
    texts = []
    # Not splitlines: it would cut a tweet at U+2028.
    for number, line in enumerate(decode(content, name).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            text = json.loads(line)["text"]
        except (ValueError, KeyError, TypeError) as error:
            raise MoodringError(f"{name}, line {number} is not a tweet: {line[:80]!r} ({error})") from error
        if not isinstance(text, str):
            raise MoodringError(f"{name}, line {number}: the text is not a string: {text!r:.80}")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise MoodringError(f"{name}, line {number}: the text is not valid Unicode: {error}") from error
        texts.append(text)
    return texts
