"""Word vectors of the user's own, from a file in data/own to a trained model."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import pytest

from tests.conftest import BAD, GOOD, PLAIN
from tests.pipeline.conftest import Project

pytestmark = pytest.mark.slow

SIZE = 8
WORDS = [*GOOD, *BAD, *PLAIN[:6]]  # not all of the made texts'
NAME = "data/own/words.txt"


@pytest.fixture
def own(project: Project) -> Iterator[Project]:
    """The made project with a file of vectors that are not tuned; nothing has run on them."""
    write_vectors(project, SIZE)
    project.set(
        archs__lstm__embedding__size=SIZE,
        archs__lstm__embedding__vectors=NAME,
        archs__lstm__embedding__frozen_epochs="all",
    )
    yield project
    (project.root / NAME).unlink()  # git does not know it


def vector(word: str, size: int) -> list[float]:
    return [len(word) + place / 8 for place in range(size)]


def write_vectors(project: Project, size: int, last: str = "") -> None:
    lines = [f"{word} {' '.join(map(str, vector(word, size)))}" for word in WORDS]
    (project.root / NAME).write_text("\n".join([*lines, last]), encoding="utf-8")


def test_a_model_begins_with_the_files_vectors_and_says_how_much_they_cover(own: Project) -> None:
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
    seen = [words[token - 2] in WORDS for token in tokens]  # the training split has no unknown word
    assert summary["vectors_tokens"] == pytest.approx(np.mean(seen), abs=1e-6)
    assert own.run("moodring", "sync").stdout.count("this is run") == 1
    assert own.repro() == []


def test_a_changed_file_is_another_result_with_a_run_of_its_own(own: Project) -> None:
    own.repro()
    before = own.runs()
    write_vectors(own, SIZE, last="and " + " ".join(["0.5"] * SIZE) + "\n")
    assert own.repro() == ["download", "vectors", "train", "evaluate"]
    after = own.runs()
    assert len(after) == len(before) + 1
    assert after[-1]["tags"]["data_sha256"] != before[-1]["tags"]["data_sha256"]


def test_without_vectors_metrics_have_no_coverage(project: Project) -> None:
    assert not [name for name in project.json("metrics/train.json") if name.startswith("vectors")]


def test_vectors_of_another_width_stop_before_training(own: Project) -> None:
    write_vectors(own, SIZE + 5)
    own.run("python", "-m", "stages.vectors")
    refused(own, "stages.train", f"{SIZE + 5} numbers", f"archs.lstm.embedding.size is {SIZE}")


def test_vectors_of_no_known_word_stop_before_training(own: Project) -> None:
    (own.root / NAME).write_text(f"unheard {' '.join(['1'] * SIZE)}\n", encoding="utf-8")
    own.run("python", "-m", "stages.vectors")
    words = len(own.json("data/corpus/vocabulary.json")["words"])
    refused(own, "stages.train", f"0 of {words} words")


def test_a_broken_line_stops_before_training_with_both_numbers(own: Project) -> None:
    write_vectors(own, SIZE, last="and 1 2 3\n")
    refused(own, "stages.vectors", f"line {len(WORDS) + 1}", f"{SIZE} numbers", "received 3: ")


def refused(project: Project, stage: str, *parts: str) -> None:
    """The stage ends with one message, writes nothing and opens no run."""
    before, runs = project.outputs(), project.runs()
    done = project.run("python", "-m", stage, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in done.stderr
    assert project.outputs() == before
    assert project.runs() == runs
