"""The user's own word vectors, from a file in data/own to a trained model."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import pytest

from tests.conftest import BAD, GOOD, PLAIN
from tests.pipeline.conftest import Project

pytestmark = pytest.mark.slow

SIZE = 8
WORDS = [*GOOD, *BAD, *PLAIN[:6]]  # the generated texts have more words
NAME = "data/own/words.txt"


@pytest.fixture
def own(project: Project) -> Iterator[Project]:
    """The project with a file of frozen vectors. No stage has run on them."""
    write_vectors(project, SIZE)
    project.set(
        archs__lstm__embedding__size=SIZE,
        archs__lstm__embedding__vectors=NAME,
        archs__lstm__embedding__frozen_epochs="all",
    )
    yield project
    (project.root / NAME).unlink()  # git does not track it


def vector(word: str, size: int) -> list[float]:
    return [len(word) + index / 8 for index in range(size)]


def write_vectors(project: Project, size: int, last: str = "") -> None:
    lines = [f"{word} {' '.join(map(str, vector(word, size)))}" for word in WORDS]
    (project.root / NAME).write_text("\n".join([*lines, last]), encoding="utf-8")


def test_the_model_starts_with_the_vectors_of_the_file_and_reports_their_coverage(own: Project) -> None:
    assert own.repro() == ["download", "vectors", "train", "evaluate"]
    words = own.json("data/corpus/vocabulary.json")["words"]
    model = keras.models.load_model(own.root / "models/model.keras", compile=False)
    rows = model.get_layer("embedding").get_weights()[0]
    expected = [vector(word, SIZE) for word in WORDS]
    np.testing.assert_array_equal(
        rows[[2 + words.index(word) for word in WORDS]], np.array(expected, np.float32)
    )
    summary = own.json("metrics/train.json")
    assert summary["vectors_words"] == pytest.approx(len(WORDS) / len(words), abs=1e-6)
    tokens = np.load(own.root / "data/corpus/train/tokens.npy")
    seen = [words[token - 2] in WORDS for token in tokens]  # the train split has no unknown words
    assert summary["vectors_tokens"] == pytest.approx(np.mean(seen), abs=1e-6)
    assert own.run("moodring", "sync").stdout.count("this is run") == 1
    assert own.repro() == []


def test_a_changed_file_gives_a_new_result_with_a_new_run(own: Project) -> None:
    own.repro()
    before = own.runs()
    write_vectors(own, SIZE, last="and " + " ".join(["0.5"] * SIZE) + "\n")
    assert own.repro() == ["download", "vectors", "train", "evaluate"]
    after = own.runs()
    assert len(after) == len(before) + 1
    assert after[-1]["tags"]["data_sha256"] != before[-1]["tags"]["data_sha256"]


def test_the_metrics_have_no_coverage_without_vectors(project: Project) -> None:
    assert not [name for name in project.json("metrics/train.json") if name.startswith("vectors")]


def test_vectors_of_another_size_are_an_error_before_training(own: Project) -> None:
    write_vectors(own, SIZE + 5)
    own.run("python", "-m", "stages.vectors")
    assert_refused(own, "stages.train", f"{SIZE + 5} numbers", f"archs.lstm.embedding.size is {SIZE}")


def test_vectors_without_a_known_word_are_an_error_before_training(own: Project) -> None:
    (own.root / NAME).write_text(f"unheard {' '.join(['1'] * SIZE)}\n", encoding="utf-8")
    own.run("python", "-m", "stages.vectors")
    words = len(own.json("data/corpus/vocabulary.json")["words"])
    assert_refused(own, "stages.train", f"0 of {words} words")


def test_a_broken_line_is_an_error_with_the_expected_and_the_received_size(own: Project) -> None:
    write_vectors(own, SIZE, last="and 1 2 3\n")
    assert_refused(own, "stages.vectors", f"line {len(WORDS) + 1}", f"{SIZE} numbers", "received 3: ")


def assert_refused(project: Project, stage: str, *parts: str) -> None:
    """Check that the stage ends with one message, writes nothing and starts no run."""
    before, runs = project.outputs(), project.runs()
    done = project.run("python", "-m", stage, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in done.stderr
    assert project.outputs() == before
    assert project.runs() == runs
