"""The digest of the data of a result, and the key of its attempt."""

from __future__ import annotations

from pathlib import Path

import pytest

from moodring.errors import MoodringError
from moodring.io.digests import tree_sha256
from moodring.params.pipeline import Params
from moodring.serving.result_files import ResultFiles
from tests.conftest import ROOT


@pytest.fixture
def files(tmp_path: Path) -> ResultFiles:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/vocabulary.json").write_text("{}")
    (tmp_path / "vectors.parquet").write_bytes(b"vectors")
    stage = ROOT / "stages/train.py"
    return ResultFiles(corpus=tmp_path / "corpus", vectors=tmp_path / "vectors.parquet", stage=stage)


def with_vectors(params: Params, vectors: str) -> Params:
    arch = params.archs["lstm"]
    embedding = arch.embedding.model_copy(update={"vectors": vectors})
    chosen = {"arch": "lstm", "archs": {"lstm": arch.model_copy(update={"embedding": embedding})}}
    return params.model_copy(update=chosen)


def digests(files: ResultFiles, params: Params) -> tuple[str, str]:
    """The SHA-256 of the data and the key of the attempt."""
    data = files.data_sha256(params)
    return data, files.attempt_key(params, data)


def test_the_data_are_only_the_corpus_if_there_are_no_vectors(files: ResultFiles, params: Params) -> None:
    none = with_vectors(params, "none")
    assert files.data_sha256(none) == tree_sha256(files.corpus)
    files.vectors.unlink()
    assert files.data_sha256(none) == tree_sha256(files.corpus)


@pytest.mark.parametrize("changed", ["vectors", "corpus"])
def test_the_data_and_the_attempt_depend_on_the_corpus_and_the_vectors(
    files: ResultFiles, params: Params, changed: str
) -> None:
    given = with_vectors(params, "data/own/words.txt")
    before = digests(files, given)
    assert before == digests(files, given)
    file = {"vectors": files.vectors, "corpus": files.corpus / "vocabulary.json"}[changed]
    file.write_bytes(b"others")
    after = digests(files, given)
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_missing_vectors_are_an_error(files: ResultFiles, params: Params) -> None:
    files.vectors.unlink()
    with pytest.raises(MoodringError, match=r"cannot read .*vectors\.parquet.*dvc repro"):
        files.data_sha256(with_vectors(params, "glove-6b-50d"))
