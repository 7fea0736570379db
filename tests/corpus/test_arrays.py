"""The files of the encoded corpus."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from moodring.corpus.arrays import read_split, read_vocabulary, write_corpus
from moodring.corpus.vocabulary import Vocabulary
from moodring.errors import MoodringError
from moodring.io.digests import tree_sha256
from moodring.io.growing_array import GrowingArray
from moodring.io.tables import make_table
from moodring.params.data import TokenizeParams
from tests.conftest import generated_rows

PARAMS = TokenizeParams(max_tokens=100, min_count=1, oov="mark")
ARRAYS = ["tokens", "offsets", "labels"]


def clean() -> pa.Table:
    return make_table(
        ["train", "train", "train", "validation", "validation", "test", "test"],
        [1, 0, 0, 1, 0, 0, 1],
        ["good good film", "", "bad film", "film valid valid valid", "bad", "unseen film unseen unseen", ""],
    )


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    write_corpus(tmp_path / "corpus", clean(), PARAMS)
    return tmp_path / "corpus"


def test_the_vocabulary_is_fitted_only_on_train(corpus: Path) -> None:
    assert read_vocabulary(corpus).words == ("film", "good", "bad")


def test_a_word_only_in_test_is_out_of_vocabulary(corpus: Path) -> None:
    assert read_split(corpus, "test").texts.tokens.tolist() == [1, 2, 1, 1]


def test_the_written_vocabulary_equals_the_returned_one(tmp_path: Path) -> None:
    assert write_corpus(tmp_path / "corpus", clean(), PARAMS) == Vocabulary.load(
        tmp_path / "corpus/vocabulary.json"
    )


@pytest.mark.parametrize(
    ("split", "tokens", "offsets", "labels"),
    [
        ("train", [3, 3, 2, 4, 2], [0, 3, 3, 5], [1, 0, 0]),
        ("validation", [2, 1, 1, 1, 4], [0, 4, 5], [1, 0]),
        ("test", [1, 2, 1, 1], [0, 4, 4], [0, 1]),
    ],
)
def test_each_split_is_read_in_its_written_order(
    corpus: Path, split: str, tokens: list[int], offsets: list[int], labels: list[int]
) -> None:
    read = read_split(corpus, split)
    assert read.texts.tokens.tolist() == tokens
    assert read.texts.offsets.tolist() == offsets
    assert read.labels.tolist() == labels


@pytest.mark.parametrize(
    ("array", "dtype", "shape"), [("tokens", "u1", (5,)), ("offsets", "<i8", (4,)), ("labels", "i1", (3,))]
)
def test_arrays_on_disk_have_the_documented_type_and_shape(
    corpus: Path, array: str, dtype: str, shape: tuple[int]
) -> None:
    stored = np.load(corpus / "train" / f"{array}.npy", allow_pickle=False)
    assert stored.dtype == np.dtype(dtype)
    assert stored.shape == shape


def test_a_split_is_memory_mapped(corpus: Path) -> None:
    read = read_split(corpus, "train")
    arrays = (read.texts.tokens, read.texts.offsets, read.labels)
    assert all(isinstance(array, np.memmap) and not array.flags.writeable for array in arrays)


def test_a_split_of_empty_texts_can_be_read(tmp_path: Path) -> None:
    table = make_table(["train", "validation", "test"], [1, 1, 0], ["a", "b", ""])
    write_corpus(tmp_path, table, PARAMS)
    read = read_split(tmp_path, "test")
    assert read.texts.lengths.tolist() == [0]
    assert read.texts.tokens.shape == (0,)


def test_a_second_write_removes_all_files_of_the_old_corpus(corpus: Path) -> None:
    (corpus / "train/stale.npy").write_bytes(b"")
    write_corpus(corpus, clean(), PARAMS)
    found = sorted(item.relative_to(corpus).as_posix() for item in corpus.rglob("*.npy"))
    assert found == sorted(
        f"{split}/{array}.npy" for split in ("train", "validation", "test") for array in ARRAYS
    )


def test_an_empty_vocabulary_keeps_the_old_corpus(corpus: Path) -> None:
    with pytest.raises(MoodringError, match="vocabulary is empty"):
        write_corpus(corpus, clean(), TokenizeParams(max_tokens=100, min_count=9, oov="mark"))
    assert read_split(corpus, "train").texts.tokens.tolist() == [3, 3, 2, 4, 2]


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("kept", [0, 4, 50, 128, -1])
def test_a_truncated_array_is_an_error(corpus: Path, array: str, kept: int) -> None:
    path = corpus / "train" / f"{array}.npy"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(MoodringError, match=r"cannot read .*train"):
        read_split(corpus, "train")


@pytest.mark.parametrize("array", ARRAYS)
def test_a_missing_array_is_an_error(corpus: Path, array: str) -> None:
    (corpus / "train" / f"{array}.npy").unlink()
    with pytest.raises(MoodringError, match=rf"{array}\.npy"):
        read_split(corpus, "train")


class Trap:
    """An object that creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_a_pickled_array_is_an_error_and_is_not_unpickled(corpus: Path, tmp_path: Path) -> None:
    content = np.empty(1, dtype=object)
    content[0] = Trap(tmp_path / "sprung")
    np.save(corpus / "train/labels.npy", content, allow_pickle=True)
    with pytest.raises(MoodringError, match=r"cannot read .*train"):
        read_split(corpus, "train")
    assert not (tmp_path / "sprung").exists()


def test_the_error_for_a_missing_vocabulary_names_it(tmp_path: Path) -> None:
    with pytest.raises(MoodringError, match=r"vocabulary\.json"):
        read_vocabulary(tmp_path)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64])
@pytest.mark.parametrize("lengths", [[], [0], [3], [1, 0, 70_000, 2]])
def test_a_growing_array_has_the_bytes_of_a_saved_array(
    tmp_path: Path, dtype: type[np.integer], lengths: list[int]
) -> None:
    parts = [np.arange(length).astype(dtype) for length in lengths]
    grown = GrowingArray(tmp_path / "grown.npy", np.dtype(dtype))
    for part in parts:
        grown.append(part)
    grown.close()
    np.save(tmp_path / "saved.npy", np.concatenate([*parts, np.empty(0, dtype)]))
    assert (tmp_path / "grown.npy").read_bytes() == (tmp_path / "saved.npy").read_bytes()


def test_a_table_in_pieces_gives_the_same_corpus_as_the_whole_table(tmp_path: Path) -> None:
    texts, labels = generated_rows(300)
    splits = [("train", "validation", "test")[i * 7 % 11 % 3] for i in range(300)]
    whole = make_table(splits, labels, texts)
    write_corpus(tmp_path / "whole", whole, PARAMS)
    cut = pa.concat_tables([whole.slice(start, 17) for start in range(0, 300, 17)])
    write_corpus(tmp_path / "cut", cut, PARAMS)
    assert tree_sha256(tmp_path / "cut") == tree_sha256(tmp_path / "whole")
    for split in ("train", "validation", "test"):
        rows = [i for i in range(300) if splits[i] == split]
        read, words = read_split(tmp_path / "cut", split), read_vocabulary(tmp_path / "cut").words
        decoded = [
            " ".join(words[token - 2] for token in read.texts.tokens[start:end])
            for start, end in itertools.pairwise(read.texts.offsets)
        ]
        assert decoded == [texts[i] for i in rows]
        assert read.labels.tolist() == [labels[i] for i in rows]
