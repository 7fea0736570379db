"""`moodring promote`: which model becomes the champion, and a champion whose files are lost."""

from __future__ import annotations

import csv
import itertools
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from tests.pipeline.conftest import Project, Store, make_project

pytestmark = pytest.mark.slow

Done = subprocess.CompletedProcess[str]
CHAMPION = "models:/moodring-tiny@champion"


@dataclass(frozen=True)
class Contest:
    """A project with two registered results.

    Version 1 is the present result and is better on the test split. Version 2 was trained for one epoch less
    and is better on the validation split.
    """

    project: Project
    store: Store
    validation: dict[int, float]
    test: dict[int, float]

    def promote(self, store: Store, *arguments: str) -> Done:
        return self.project.run(
            "moodring", "promote", *arguments, check=False, MLFLOW_TRACKING_URI=store.address
        )


@pytest.fixture(scope="module")
def contrary_started(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Project, subprocess.Popen[str]]]:
    """A project with contrary labels: a text is positive if it has the word `not`.

    Its pipeline runs while other tests run.
    """
    directory = tmp_path_factory.mktemp("contrary")
    project = make_project(directory / "checkout", directory / "home")
    subjects = ("this is", "it was", "the film is", "that was")
    words = ("good", "great", "funny", "nice", "happy", "bad", "boring", "sad")
    ends = ("", " indeed", " again", " now", " here")
    with (project.root / "data/own/tiny.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["review", "stars"])
        for subject, word, end in itertools.product(subjects, words, ends):
            writer.writerow([f"{subject} {word}{end}", 1])
            writer.writerow([f"{subject} not {word}{end}", 5])
    project.run("dvc", "add", "--quiet", "data/own/tiny.csv")
    project.set(train__epochs=6)
    process = project.start("dvc", "repro")
    yield project, process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def contrary(contrary_started: tuple[Project, subprocess.Popen[str]]) -> Project:
    """The project with contrary labels after its pipeline has finished."""
    project, process = contrary_started
    _, stderr = process.communicate()
    assert process.returncode == 0, stderr
    return project


@pytest.fixture(scope="module")
def contest(
    shared_project: Project, contrary_started: object, tmp_path_factory: pytest.TempPathFactory
) -> Contest:
    """A clone of the shared project with two results: one pulled from its cache, and a new one."""
    directory = tmp_path_factory.mktemp("promote")
    shared_project.run("git", "clone", "--quiet", str(shared_project.root), str(directory / "checkout"))
    project = Project(directory / "checkout", shared_project.home)
    cache = str(shared_project.root / ".dvc/cache")
    project.run("dvc", "remote", "add", "--quiet", "--local", "--default", "shared", cache)
    project.run("dvc", "pull", "--quiet")
    project.run("moodring", "sync")
    validation, test = {}, {}
    for version in (1, 2):
        if version == 2:
            project.set(train__epochs=2)
            assert project.repro() == ["train", "evaluate"]
        validation[version] = project.json("metrics/train.json")["best_val_accuracy"]
        test[version] = project.json("metrics/test.json")["accuracy"]
    project.undo()
    # All tests below depend on these facts.
    assert validation[2] > validation[1] + 0.01
    assert test[2] < test[1]
    assert project.store.versions() == [1, 2]
    return Contest(project, project.store, validation, test)


@pytest.fixture
def second(contest: Contest) -> Iterator[None]:
    """Version 2 is the present result, from DVC's cache."""
    contest.project.set(train__epochs=2)
    assert contest.project.repro() == []
    yield
    contest.project.undo()


@pytest.fixture(scope="module")
def first_promoted(contest: Contest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Done]:
    """The store after version 1 was promoted, and the result of the command."""
    store = contest.store.copy(tmp_path_factory.mktemp("stores") / "first.db")
    return store, contest.promote(store)


@pytest.fixture(scope="module")
def second_promoted(
    contest: Contest, first_promoted: tuple[Store, Done], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Store, Done]:
    """The store after version 2 replaced version 1 as champion, and the result of the command."""
    store = first_promoted[0].copy(tmp_path_factory.mktemp("stores") / "second.db")
    contest.project.set(train__epochs=2)
    assert contest.project.repro() == []
    done = contest.promote(store)
    contest.project.undo()
    return store, done


def test_the_first_promoted_model_is_the_champion(
    contest: Contest, first_promoted: tuple[Store, Done]
) -> None:
    store, done = first_promoted
    assert contest.store.champion() is None
    assert done.returncode == 0, done.stderr
    assert store.champion() == 1
    assert f"promoted: {CHAMPION} is version 1" in done.stdout
    # There is no champion to compare with.
    assert "against" not in done.stdout
    assert "FAILED" not in done.stdout


def test_promoting_the_champion_again_says_that_it_is(
    contest: Contest, first_promoted: tuple[Store, Done]
) -> None:
    store, _ = first_promoted
    done = contest.promote(store)
    assert done.returncode == 0, done.stderr
    assert "it already is the champion" in done.stdout
    assert (store.champion(), store.versions()) == (1, [1, 2])


def test_a_model_with_better_validation_and_worse_test_becomes_the_champion(
    contest: Contest, second_promoted: tuple[Store, Done]
) -> None:
    store, done = second_promoted
    assert done.returncode == 0, done.stderr
    assert store.champion() == 2
    validation, test = contest.validation, contest.test
    counts = contest.project.json("metrics/data.json")
    rows, texts = counts["rows"]["validation"], counts["texts"]["validation"]
    assert (
        f"val_accuracy decides, on {rows} validation texts (different ones: {texts['negative']} negative, "
        f"{texts['positive']} positive); needed gain +0.001"
    ) in done.stdout
    assert "passed same validation texts" in done.stdout
    assert f"val_accuracy {validation[2]:.4f} against {validation[1]:.4f}" in done.stdout
    assert "95 % interval 0." in done.stdout
    assert f"test_accuracy {test[2]:.4f} against {test[1]:.4f}" in done.stdout


def test_a_model_with_worse_validation_and_better_test_is_refused(
    contest: Contest, second_promoted: tuple[Store, Done]
) -> None:
    store, _ = second_promoted
    done = contest.promote(store)
    assert done.returncode == 1
    assert f"{contest.validation[1]:.4f} against the champion's {contest.validation[2]:.4f}" in done.stderr
    assert "Traceback" not in done.stderr
    assert store.champion() == 2


@pytest.mark.usefixtures("second")
def test_a_better_model_below_the_margin_is_refused(
    contest: Contest, first_promoted: tuple[Store, Done]
) -> None:
    store, _ = first_promoted
    margin = contest.validation[2] - contest.validation[1] + 0.01
    done = contest.promote(store, "--margin", f"{margin:.4f}")
    assert done.returncode == 1
    assert f"{margin:.4f}" in done.stderr
    assert f"{contest.validation[2]:.4f} against the champion's {contest.validation[1]:.4f}" in done.stderr
    assert store.champion() == 1


def test_a_stale_checkout_cannot_promote_its_model(
    contest: Contest, first_promoted: tuple[Store, Done]
) -> None:
    store, _ = first_promoted
    contest.project.set(train__epochs=2)
    try:
        done = contest.promote(store)
    finally:
        contest.project.undo()
    assert done.returncode == 1
    assert "dvc repro" in done.stderr
    assert "train" in done.stderr
    assert "Traceback" not in done.stderr
    assert store.champion() == 1


def test_a_named_version_is_promoted_from_a_stale_checkout(
    contest: Contest, first_promoted: tuple[Store, Done], tmp_path: Path
) -> None:
    store = first_promoted[0].copy(tmp_path / "named.db")
    contest.project.set(train__epochs=9)
    try:
        done = contest.promote(store, "2")
    finally:
        contest.project.undo()
    assert done.returncode == 0, done.stderr
    assert store.champion() == 2
    assert "moodring-tiny version 2: lstm, run " in done.stdout
    # The tiny texts have none of the words of the checks' pairs.
    for check in ("case", "white space", "negation"):
        assert f"undecided {check}: not checked" in done.stdout
        assert f"warning: the check '{check}' decides nothing: not checked" in done.stderr


def test_the_best_result_by_validation_is_promoted(contest: Contest, tmp_path: Path) -> None:
    store = contest.store.copy(tmp_path / "best.db")
    done = contest.promote(store, "--best")
    assert done.returncode == 0, done.stderr
    assert "tiny: the best of 2 registered results on the same validation texts" in done.stdout
    assert store.champion() == 2


def change_validation(store: Store, **changes: Any) -> MlflowClient:
    """Change what the run of version 2 says about its validation; returns the store's client."""
    client = MlflowClient(store.address)
    run_id = client.get_model_version("moodring-tiny", "2").run_id
    said = json.loads(client.get_run(run_id).data.tags["validation"])
    client.set_tag(run_id, "validation", json.dumps({**said, **changes}))
    return client


def test_a_champion_whose_validation_decides_nothing_is_replaced(
    contest: Contest, second_promoted: tuple[Store, Done], tmp_path: Path
) -> None:
    store = second_promoted[0].copy(tmp_path / "few.db")
    change_validation(store, texts={"negative": 36, "positive": 0})
    done = contest.promote(store)
    assert done.returncode == 0, done.stderr
    assert "the champion is not compared, its validation decides nothing" in done.stdout
    assert "0 positive texts, at least 5 are needed" in done.stdout
    assert store.champion() == 1
    # The former champion cannot come back.
    refused = contest.promote(store, "2")
    assert refused.returncode == 1
    assert "not promoted: nothing can be decided" in refused.stderr
    assert store.champion() == 1


def test_a_champion_on_other_texts_is_replaced_only_with_a_reason(
    contest: Contest, second_promoted: tuple[Store, Done], tmp_path: Path
) -> None:
    store = second_promoted[0].copy(tmp_path / "other.db")
    client = change_validation(store, digest="of other texts")
    refused = contest.promote(store, "1")
    assert refused.returncode == 1
    assert "the champion was validated on other texts" in refused.stderr
    assert store.champion() == 2
    reason = "the reviews of June were added"
    done = contest.promote(store, "1", "--accept", "same validation texts", "--reason", reason)
    assert done.returncode == 0, done.stderr
    assert store.champion() == 1
    tags = client.get_model_version("moodring-tiny", "1").tags
    assert tags["accepted.same_validation_texts"] == reason


@dataclass(frozen=True)
class Lost:
    """A champion that lost its files. Commands ran before the loss, after it, and as `moodring sync`."""

    store: Store
    before: Done
    missing: Done
    sync: Done


@pytest.fixture(scope="module")
def lost(
    contest: Contest, first_promoted: tuple[Store, Done], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lost]:
    directory = tmp_path_factory.mktemp("lost")
    store = first_promoted[0].copy(directory / "lost.db")

    def run(*command: str) -> Done:
        return contest.project.run("moodring", *command, check=False, MLFLOW_TRACKING_URI=store.address)

    before = run("predict", "--model", CHAMPION, "a wonderful film", "a dull film")
    files = store.files_of(1)
    files.rename(directory / "aside")
    try:
        missing = run("predict", "--model", CHAMPION, "a wonderful film")
        yield Lost(store, before, missing, run("sync"))
    finally:
        (directory / "aside").rename(files)


def test_the_champion_scores_texts(lost: Lost) -> None:
    assert lost.before.returncode == 0, lost.before.stderr
    labels = [json.loads(line)["label"] for line in lost.before.stdout.splitlines()]
    assert labels == ["positive", "negative"]


def test_a_champion_without_its_files_is_an_error(lost: Lost) -> None:
    assert lost.missing.returncode == 1
    assert lost.missing.stderr.startswith("error: ")
    assert CHAMPION in lost.missing.stderr
    assert "moodring sync" in lost.missing.stderr
    assert "Traceback" not in lost.missing.stderr


def test_sync_logs_a_new_version_of_a_model_without_files(contest: Contest, lost: Lost) -> None:
    assert lost.sync.returncode == 0, lost.sync.stderr
    assert lost.store.versions() == [1, 2, 3]
    done = contest.project.run(
        "moodring",
        *("predict", "--model", "models:/moodring-tiny/3", "a wonderful film", "a dull film"),
        MLFLOW_TRACKING_URI=lost.store.address,
    )
    assert done.stdout == lost.before.stdout


def test_the_new_version_of_a_lost_champion_can_be_promoted(contest: Contest, lost: Lost) -> None:
    # Its result is still the best one. The alias must name the version that has files.
    done = contest.promote(lost.store)
    assert done.returncode == 0, done.stderr
    assert lost.store.champion() == 3


def test_a_model_that_fails_a_behaviour_check_is_refused_despite_its_high_accuracy(contrary: Project) -> None:
    # It is nearly perfect on its own texts, and there is no champion yet.
    assert contrary.json("metrics/train.json")["best_val_accuracy"] > 0.95
    done = contrary.run("moodring", "promote", check=False)
    assert done.returncode == 1
    assert "FAILED negation" in done.stdout
    pairs = re.findall(r"^    'this is good' (0\.\d{3}), 'this is not good' (0\.\d{3})$", done.stdout, re.M)
    assert len(pairs) == 1
    assert float(pairs[0][0]) < float(pairs[0][1])
    assert "not promoted: negation" in done.stderr
    assert "Traceback" not in done.stderr
    assert contrary.store.champion() is None


def test_a_failed_check_can_be_accepted_with_a_reason(contrary: Project) -> None:
    reason = "the labels are contrary on purpose"
    done = contrary.run("moodring", "promote", "--accept", "negation", "--reason", reason)
    assert "accepted negation" in done.stdout
    assert contrary.store.champion() == 1
    rows = contrary.store.rows("SELECT key, value FROM model_version_tags WHERE key LIKE 'accepted%'")
    assert rows == [("accepted.negation", reason)]
