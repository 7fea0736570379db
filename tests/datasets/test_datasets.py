"""The datasets of the catalogue, read from small archives with the layout of the publishers."""

from __future__ import annotations

import bz2
import csv
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from moodring.datasets import imdb, rotten_tomatoes, twitter
from moodring.datasets.load import DIGESTS, load_raw
from moodring.errors import MoodringError
from moodring.io.tables import content_digest
from moodring.params.data import ImdbSource, RottenTomatoesSource, TwitterSource
from moodring.text import stop_words

IMDB, TWITTER = ImdbSource(kind="imdb"), TwitterSource(kind="twitter")
REVIEWS = {
    f"aclImdb/{split}/{label}/{number}_{rating}.txt": f"{split} {label} review {number}, schön"
    for split in ("train", "test")
    for label, rating in (("neg", 2), ("pos", 9))
    for number in range(12)
}
# Files that are not reviews with a known label.
OTHERS = {
    "aclImdb/README": "read me",
    "aclImdb/train/unsup/0_0.txt": "no label",
    "aclImdb/train/urls_pos.txt": "http://x",
    "aclImdb/train/pos/notes.txt": "no number",
}


@pytest.fixture(autouse=True)
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory with the generated archives."""
    path = tmp_path / "mirror"
    path.mkdir()
    monkeypatch.setenv("MOODRING_MIRROR", str(path))
    return path


def make_imdb(path: Path, members: dict[str, str], order: Sequence[int] | None = None) -> Path:
    names = list(members)
    with tarfile.open(path / imdb.ARCHIVE, "w:gz") as archive:
        for name in [names[i] for i in order] if order is not None else names:
            content = members[name].encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path / imdb.ARCHIVE


def shuffled(rows: int, seed: int) -> list[int]:
    return [int(i) for i in np.random.default_rng(seed).permutation(rows)]


def lines(tweets: Sequence[str]) -> str:
    return "".join(json.dumps({"id": 1, "text": text}, ensure_ascii=False) + "\n" for text in tweets)


def make_twitter(path: Path, positive: str, negative: str) -> Path:
    with zipfile.ZipFile(path / "twitter_samples.zip", "w") as archive:
        archive.writestr("twitter_samples/positive_tweets.json", positive)
        archive.writestr("twitter_samples/negative_tweets.json", negative)
    return path / "twitter_samples.zip"


def make_wheel(path: Path, content: bytes) -> Path:
    with zipfile.ZipFile(path / rotten_tomatoes.WHEEL, "w") as archive:
        archive.writestr(rotten_tomatoes.MEMBER, bz2.compress(content))
    return path / rotten_tomatoes.WHEEL


def sentences(rows: Sequence[tuple[str, str]]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream).writerows(
        [("category", "filename", "text"), *((kind, "f", text) for kind, text in rows)]
    )
    return stream.getvalue().encode()


def accept(monkeypatch: pytest.MonkeyPatch, name: str, table: pa.Table) -> None:
    """Make the catalogue expect the digest of this table."""
    monkeypatch.setitem(DIGESTS, name, content_digest(table))


# IMDB


def test_imdb_reads_train_before_test_negative_before_positive_and_sorts_by_number(mirror: Path) -> None:
    members = REVIEWS | OTHERS
    table = imdb.read_archive(make_imdb(mirror, members, shuffled(len(members), 0)))
    assert table.to_pylist() == [
        {"split": split, "label": label, "text": f"{split} {name} review {number}, schön"}
        for split in ("train", "test")
        for label, name in ((0, "neg"), (1, "pos"))
        for number in range(12)
    ]


def test_a_repacked_archive_is_accepted(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = imdb.read_archive(make_imdb(mirror, REVIEWS, shuffled(len(REVIEWS), 1)))
    accept(monkeypatch, "imdb", table)
    make_imdb(mirror, REVIEWS | OTHERS, shuffled(len(REVIEWS | OTHERS), 2))
    assert load_raw(IMDB, "imdb").equals(table)


def test_the_error_for_a_changed_text_names_both_digests(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(monkeypatch, "imdb", imdb.read_archive(make_imdb(mirror, REVIEWS)))
    altered = REVIEWS | {"aclImdb/test/pos/3_9.txt": "test pos review 3, schon"}
    received = content_digest(imdb.read_archive(make_imdb(mirror, altered)))
    with pytest.raises(MoodringError) as caught:
        load_raw(IMDB, "imdb")
    assert f"expected the content digest {DIGESTS['imdb']}" in str(caught.value)
    assert f"received {received}" in str(caught.value)


def test_an_archive_with_other_texts_is_an_error(mirror: Path) -> None:
    make_imdb(mirror, REVIEWS)
    with pytest.raises(MoodringError, match="not the published ones"):
        load_raw(IMDB, "imdb")


def test_an_archive_without_reviews_is_an_error(mirror: Path) -> None:
    with pytest.raises(MoodringError, match="contains no reviews"):
        imdb.read_archive(make_imdb(mirror, OTHERS))


def test_the_error_for_a_review_that_is_not_utf8_names_it(mirror: Path) -> None:
    with tarfile.open(mirror / imdb.ARCHIVE, "w:gz") as archive:
        member = tarfile.TarInfo("aclImdb/train/pos/7_8.txt")
        member.size = 1
        archive.addfile(member, io.BytesIO(b"\xe9"))
    with pytest.raises(MoodringError, match=r"train/pos/7_8\.txt is not valid UTF-8: byte 0xe9 at 0"):
        load_raw(IMDB, "imdb")


# Twitter


def test_the_first_4000_tweets_of_each_class_are_train_and_positive_comes_first(mirror: Path) -> None:
    positive, negative = [f"good {i}" for i in range(4003)], [f"bad {i}" for i in range(4002)]
    table = twitter.read_corpus(make_twitter(mirror, lines(positive), lines(negative)))
    assert table["text"].to_pylist() == positive[:4000] + negative[:4000] + positive[4000:] + negative[4000:]
    assert table["split"].to_pylist() == ["train"] * 8000 + ["test"] * 5
    assert table["label"].to_pylist() == [1] * 4000 + [0] * 4000 + [1] * 3 + [0] * 2


def test_a_tweet_can_contain_unicode_line_ends(mirror: Path) -> None:
    tweets = ["one\u2028two\u2029three\u0085four", 'quote " and\nnewline', "naïve \U0001f600"]
    table = twitter.read_corpus(make_twitter(mirror, lines(tweets), lines(["bad"])))
    assert table["text"].to_pylist() == [*tweets, "bad"]


@pytest.mark.parametrize("name", ["nltk_data/corpora", "corpora", "."])
def test_the_mirror_can_have_the_layout_of_nltk_data(
    mirror: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (mirror / name).mkdir(parents=True, exist_ok=True)
    tweets = [f"tweet {i}" for i in range(4001)]
    accept(
        monkeypatch, "twitter", twitter.read_corpus(make_twitter(mirror / name, lines(tweets), lines(tweets)))
    )
    assert load_raw(TWITTER, "twitter").num_rows == 8002


def unpacked(path: Path) -> Path:
    directory = path / "twitter_samples"
    directory.mkdir()
    (directory / "positive_tweets.json").write_text(lines(["good"]), encoding="utf-8")
    (directory / "negative_tweets.json").write_text(lines(["bad"]), encoding="utf-8")
    return directory


def test_the_directory_that_nltk_unpacks_gives_the_table_of_its_archive(mirror: Path, tmp_path: Path) -> None:
    archive = twitter.read_corpus(make_twitter(mirror, lines(["good"]), lines(["bad"])))
    assert twitter.read_corpus(unpacked(tmp_path)).equals(archive)


def test_an_unpacked_directory_without_a_file_is_an_error(tmp_path: Path) -> None:
    directory = unpacked(tmp_path)
    (directory / "negative_tweets.json").unlink()
    with pytest.raises(MoodringError, match=r"negative_tweets\.json"):
        twitter.read_corpus(directory)


@pytest.mark.parametrize(
    "line",
    ['{"text": "cut', '{"txt": "a"}', "[1]", "7", '{"text": 7}', '{"text": null}', '{"text": "\\ud800"}'],
)
def test_the_error_for_a_line_that_is_not_a_tweet_names_it(mirror: Path, line: str) -> None:
    with pytest.raises(MoodringError, match=r"positive_tweets\.json, line 2\b"):
        twitter.read_corpus(make_twitter(mirror, lines(["good"]) + line + "\n", lines(["bad"])))


# Rotten Tomatoes

OPINIONS = [
    (("fresh" if i % 3 else "rotten"), f'sentence {i}, "quoted", schön\nsecond line') for i in range(60)
]


def test_sentences_are_read_in_file_order_without_plot_summaries(mirror: Path) -> None:
    rows = [("plot", "a plot"), *OPINIONS, ("plot", "another")]
    table = rotten_tomatoes.read_wheel(make_wheel(mirror, sentences(rows)))
    assert table.to_pylist() == [
        {"split": "train", "label": int(kind == "fresh"), "text": text} for kind, text in OPINIONS
    ]


def load(monkeypatch: pytest.MonkeyPatch, mirror: Path, seed: int, name: str = "rotten_tomatoes") -> pa.Table:
    accept(
        monkeypatch, "rotten_tomatoes", rotten_tomatoes.read_wheel(make_wheel(mirror, sentences(OPINIONS)))
    )
    return load_raw(RottenTomatoesSource(kind="rotten_tomatoes", test_share=0.2, split_seed=seed), name)


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_the_test_split_has_its_share_of_each_class(
    mirror: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rows = load(monkeypatch, mirror, seed).to_pandas()
    assert rows.groupby(["split", "label"]).size().to_dict() == {
        ("test", 0): 4,
        ("test", 1): 8,
        ("train", 0): 16,
        ("train", 1): 32,
    }


def test_a_random_test_split_keeps_the_order_of_texts_and_labels(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = load(monkeypatch, mirror, 7)
    assert table["text"].to_pylist() == [text for _, text in OPINIONS]
    assert table["label"].to_pylist() == [int(kind == "fresh") for kind, _ in OPINIONS]


def test_the_test_split_depends_only_on_its_seed(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.random.seed(1)
    first = load(monkeypatch, mirror, 7)
    np.random.seed(2)
    assert load(monkeypatch, mirror, 7, name="another name").equals(first)
    assert not load(monkeypatch, mirror, 8).equals(first)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"kind,words\nfresh,good\n", id="other columns"),
        pytest.param(b"category,text\nfresh,caf\xe9\n", id="not UTF-8"),
        pytest.param(b"category,text\nfresh\nrotten,bad\n", id="a row without a text"),
        pytest.param(b'category,text\nfresh,"' + b"x" * 200_000 + b'"\n', id="a field that is too long"),
    ],
)
def test_a_wheel_with_another_table_is_an_error(mirror: Path, content: bytes) -> None:
    make_wheel(mirror, content)
    with pytest.raises(MoodringError):
        load_raw(
            RottenTomatoesSource(kind="rotten_tomatoes", test_share=0.2, split_seed=7), "rotten_tomatoes"
        )


@pytest.mark.parametrize("damage", [lambda packed: packed[:-10], lambda packed: b"not bz2"])
def test_a_wheel_with_a_damaged_table_is_an_error(mirror: Path, damage) -> None:
    with zipfile.ZipFile(mirror / rotten_tomatoes.WHEEL, "w") as archive:
        archive.writestr(rotten_tomatoes.MEMBER, damage(bz2.compress(sentences(OPINIONS))))
    with pytest.raises(MoodringError, match=r"full\.csv\.bz2 .* is damaged"):
        rotten_tomatoes.read_wheel(mirror / rotten_tomatoes.WHEEL)


# Stop words


def make_stop_words(path: Path, words: Sequence[str]) -> None:
    with zipfile.ZipFile(path / "stopwords.zip", "w") as archive:
        archive.writestr("stopwords/english", "".join(f"{word}\n" for word in words))


def test_stop_words_are_accepted_in_any_order(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_words, "DIGEST", hashlib.sha256(b"a\ni\nthe").hexdigest())
    make_stop_words(mirror, ["the", "i", "a"])
    assert stop_words.english_stop_words() == ("a", "i", "the")


def test_the_error_for_other_stop_words_names_both_digests(mirror: Path) -> None:
    make_stop_words(mirror, ["the"])
    with pytest.raises(MoodringError) as caught:
        stop_words.english_stop_words()
    assert stop_words.DIGEST in str(caught.value)
    assert hashlib.sha256(b"the").hexdigest() in str(caught.value)
