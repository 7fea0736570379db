"""Word vectors in the order of the vocabulary, and the errors for vectors that do not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from moodring.corpus.ragged import OOV, PAD
from moodring.corpus.vocabulary import Vocabulary
from moodring.errors import MoodringError
from moodring.io.vector_tables import vector_table, write_vectors
from moodring.params.arch import NoEmbedding
from moodring.params.pipeline import Params
from moodring.training.embeddings import Aligned, aligned

NAME = "data/own/words.txt"
WORDS = ["film", "good", "bad", "café"]
VECTORS = np.array([[1, 2, 3], [-4, 5, 6], [7, -8, 9], [0.5, 0.25, -2]], np.float32)
VOCABULARY = Vocabulary(("bad", "Good", "unheard", "film", "GOOD"))
FIRST = 2  # the id of the first word


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_vectors(tmp_path / "vectors.parquet", [vector_table(WORDS, VECTORS)])
    return tmp_path / "vectors.parquet"


@pytest.fixture
def given(params: Params) -> Params:
    """The lstm starts with the user's vectors. Each has three numbers."""
    return with_embedding(params, size=3, vectors=NAME)


def with_embedding(params: Params, **changes: object) -> Params:
    arch = params.archs["lstm"]
    embedding = arch.embedding.model_copy(update=changes)
    chosen = {"arch": "lstm", "archs": {"lstm": arch.model_copy(update={"embedding": embedding})}}
    return params.model_copy(update=chosen)


def align(path: Path, params: Params, vocabulary: Vocabulary = VOCABULARY) -> Aligned:
    found = aligned(path, vocabulary, params)
    assert found is not None
    return found


def test_the_row_of_a_word_is_the_vector_of_the_exact_or_the_lower_case_word(
    path: Path, given: Params
) -> None:
    found = align(path, given)
    assert found.matrix.shape == (len(VOCABULARY), 3)
    assert found.matrix.dtype == np.float32
    np.testing.assert_array_equal(found.matrix[FIRST:][[0, 1, 3, 4]], VECTORS[[2, 1, 0, 1]])
    assert found.covered.tolist() == [False, False, True, True, False, True, True]


def test_the_exact_word_comes_before_its_lower_case(tmp_path: Path, given: Params) -> None:
    write_vectors(tmp_path / "v.parquet", [vector_table(["us", "US"], VECTORS[:2])])
    found = align(tmp_path / "v.parquet", given, Vocabulary(("US", "Us")))
    np.testing.assert_array_equal(found.matrix[FIRST:], VECTORS[[1, 0]])


def test_words_with_non_ascii_letters_are_found(path: Path, given: Params) -> None:
    found = align(path, given, Vocabulary(("CAFÉ", "film")))
    np.testing.assert_array_equal(found.matrix[FIRST], VECTORS[3])


def test_padding_is_zero_and_words_without_vectors_are_not(path: Path, given: Params) -> None:
    found = align(path, given)
    assert not found.matrix[PAD].any()
    assert found.matrix[[OOV, 4]].all()


def test_unknown_words_have_half_the_deviation_of_known_ones_in_each_dimension(
    tmp_path: Path, given: Params
) -> None:
    scales = np.array([0.1, 1, 10])
    known = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32) * scales.astype(np.float32)
    write_vectors(tmp_path / "v.parquet", [vector_table([f"w{i}" for i in range(50)], known)])
    words = (*(f"w{i}" for i in range(50)), *(f"unheard{i}" for i in range(20_000)))
    found = align(tmp_path / "v.parquet", given, Vocabulary(words))
    unknown = found.matrix[FIRST + 50 :]
    np.testing.assert_allclose(unknown.std(axis=0), known.std(axis=0) / 2, rtol=0.03)
    np.testing.assert_allclose(unknown.mean(axis=0) / scales, 0, atol=0.02)


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(path: Path, given: Params) -> None:
    first, again = align(path, given).matrix, align(path, given).matrix
    other = align(path, given.model_copy(update={"seed": given.seed + 1})).matrix
    assert first.tobytes() == again.tobytes()
    assert (other[[OOV, 4]] != first[[OOV, 4]]).all()
    np.testing.assert_array_equal(other[[PAD, 2, 3, 5, 6]], first[[PAD, 2, 3, 5, 6]])


def test_coverage_counts_words_of_the_vocabulary_and_tokens_of_the_split(path: Path, given: Params) -> None:
    tokens = np.array([2, 2, 5, OOV, 4, 3], np.uint8)
    shares = align(path, given).coverage(tokens)
    assert shares == {"vectors_words": 0.8, "vectors_tokens": pytest.approx(4 / 6, abs=1e-6)}


def test_an_embedding_without_vectors_reads_no_file(tmp_path: Path, params: Params) -> None:
    assert aligned(tmp_path / "none.parquet", VOCABULARY, with_embedding(params, vectors="none")) is None


def test_an_arch_without_an_embedding_has_no_vectors(tmp_path: Path, params: Params) -> None:
    assert isinstance(params.archs["nbsvm"].embedding, NoEmbedding)
    linear = params.model_copy(update={"arch": "nbsvm"})
    assert aligned(tmp_path / "none.parquet", VOCABULARY, linear) is None


def test_the_error_for_vectors_of_another_size_names_both_sizes(path: Path, given: Params) -> None:
    with pytest.raises(
        MoodringError, match=r"words\.txt have 3 numbers .*archs\.lstm\.embedding\.size is 64"
    ):
        aligned(path, VOCABULARY, with_embedding(given, size=64))


def test_the_error_for_vectors_without_a_known_word_names_both_counts(path: Path, given: Params) -> None:
    words = tuple(f"unheard{i}" for i in range(1234))
    with pytest.raises(MoodringError, match=r"words\.txt cover 0 of 1,234 words"):
        aligned(path, Vocabulary(words), given)


@pytest.mark.parametrize("content", [None, b"", b"no parquet"])
def test_a_table_that_cannot_be_read_is_an_error(
    tmp_path: Path, given: Params, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "vectors.parquet").write_bytes(content)
    with pytest.raises(MoodringError, match=r"cannot read .*vectors\.parquet.*dvc repro"):
        aligned(tmp_path / "vectors.parquet", VOCABULARY, given)
