"""Which registered result a name means, and which is the best, in a real SQLite store and git repository."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Run

from moodring.checkout.revisions import results_of
from moodring.errors import MoodringError
from moodring.promotion.candidates import Candidate, best, find, read_validations
from moodring.promotion.promote import Metric
from moodring.serving.publishing import record_validation
from moodring.tracking.store import Experiment
from tests.checkout.test_revisions import LOCK, Repository

TEXTS = {"negative": 9, "positive": 9}
DATA = {"rows": {"train": 90, "validation": 18, "test": 600}, "texts": {"validation": TEXTS}}


class Results:
    """A store with registered results of the dataset `made`; their names are their runs' names."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.client = Experiment("made").client
        self.client.create_registered_model("moodring-made")
        self.ids: dict[str, str] = {}
        self.places: dict[str, Path] = {}

    def add(
        self,
        name: str,
        accuracy: float,
        loss: float,
        *,
        digest: str | None = "same",
        data: str | None = None,
        texts: dict[str, int] = TEXTS,
        **tags: str,
    ) -> None:
        """Add a run and its version; without a digest, the run does not say how it was validated."""
        experiment = self.client.get_experiment_by_name("made").experiment_id
        tags = {"data_sha256": data or name, "dataset": "made", "arch": "lstm", **tags}
        run = self.client.create_run(experiment, run_name=name, tags=tags)
        for key, value in {
            "best_val_accuracy": accuracy,
            "best_val_loss": loss,
            "test_accuracy": 0.5,
        }.items():
            self.client.log_metric(run.info.run_id, key, value)
        self.client.set_terminated(run.info.run_id)
        if digest is not None:
            said = {**DATA, "texts": {"validation": texts}, "validation_digest": digest}
            record_validation(run, said)
        self.ids[name] = run.info.run_id
        self.register(name)

    def register(self, name: str) -> int:
        """Register another version of a run."""
        versions = len(self.client.search_model_versions())
        self.places[name] = self.root / f"files-{versions}"
        self.places[name].mkdir()
        (self.places[name] / "MLmodel").write_text("flavors: {}")
        made = self.client.create_model_version(
            "moodring-made", self.places[name].as_uri(), self.ids[name], tags={"bundle_sha256": name}
        )
        return int(made.version)

    def run(self, name: str) -> Run:
        return self.client.get_run(self.ids[name])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Results]:
    """Eight results: version and name are in the order of their numbers."""
    root = tmp_path_factory.mktemp("results")
    (root / ".dvc").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_ROOT", str(root))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv("MLFLOW_ALLOW_FILE_URI_AS_MODEL_VERSION_SOURCE", "true")
        results = Results(root)
        results.add("one", 0.75, 0.4, models_md5="RESULT.dir", dvc_experiment="amort-sena")
        results.add("two", 0.875, 0.5, dvc_experiment="named", models_md5="other.dir")
        results.add("three", 0.875, 0.45, arch="gru")
        results.add("few", 1.0, 0.01, texts={"negative": 18, "positive": 0})
        results.add("seed 8", 0.99, 0.02, digest="another")
        results.add("broken", math.nan, 0.01)
        results.add("older", 0.8, 0.6, digest=None, data="one")
        results.add("unknown", 0.98, 0.05, digest=None)
        results.add("newest", 0.5, 0.7)
        yield results


@pytest.fixture
def results(store: Results, monkeypatch: pytest.MonkeyPatch) -> Results:
    monkeypatch.setenv("DVC_ROOT", str(store.root))
    return store


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """The results of a git repository; its revision `old` has the result of `one`."""
    repository = Repository(tmp_path_factory.mktemp("repository"))
    (repository.root / "dvc.lock").write_text(LOCK)
    repository.git("add", ".")
    repository.git("commit", "--quiet", "--message", "one")
    repository.git("tag", "old")
    return partial(results_of, repository.root)


def number(results: Results, name: str) -> int:
    return list(results.ids).index(name) + 1


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("2", "two"),
        ("v2", "two"),
        ("moodring-made/2", "two"),
        ("models:/moodring-made/2", "two"),
        ("two", "two"),
        ("seed 8", "seed 8"),
        ("named", "two"),
        ("amort-sena", "one"),
        ("old", "one"),
    ],
)
def test_a_version_a_run_an_experiment_and_a_revision_are_names(
    results: Results, repository: Callable[[str], list[str]], said: str, name: str
) -> None:
    found = find(said, "made", repository)
    assert (found.version, found.run_id) == (number(results, name), results.ids[name])


def test_a_run_is_found_by_its_id_and_by_the_beginning_of_it(
    results: Results, repository: Callable[[str], list[str]]
) -> None:
    run_id = results.ids["three"]
    expected = Candidate("made", number(results, "three"), run_id, "gru")
    assert find(run_id, "made", repository) == find(run_id[:8], "made", repository) == expected
    assert expected.describe() == f"moodring-made version 3: gru, run {run_id}"
    assert ", experiment amort-sena, run" in find("1", "made", repository).describe()


@pytest.mark.parametrize("name", ["99", "nobody", "moodring-other/1", "abc", "a b"])
def test_the_error_for_an_unknown_name_says_where_names_are_listed(
    results: Results, repository: Callable[[str], list[str]], name: str
) -> None:
    with pytest.raises(MoodringError) as refused:
        find(name, "made", repository)
    for part in (repr(name), "moodring runs", "neither an experiment nor a git revision"):
        assert part in str(refused.value)


def test_a_name_of_several_runs_is_refused_with_their_ids(
    results: Results, repository: Callable[[str], list[str]]
) -> None:
    client = results.client
    try:
        for name in ("few", "broken"):
            client.set_tag(results.ids[name], "dvc_experiment", "twice")
        with pytest.raises(MoodringError) as refused:
            find("twice", "made", repository)
    finally:
        for name in ("few", "broken"):
            client.delete_tag(results.ids[name], "dvc_experiment")
    for part in ("2 runs", results.ids["few"], results.ids["broken"], "Give the id"):
        assert part in str(refused.value)


@pytest.mark.parametrize(
    ("metric", "name"), [("val_accuracy", "three"), ("val_loss", "one")], ids=["accuracy, then loss", "loss"]
)
def test_the_best_result_is_chosen_by_validation_on_the_newest_results_texts(
    results: Results, metric: Metric, name: str
) -> None:
    found, said = best("made", metric)
    assert found.run_id == results.ids[name]
    # `few`, `broken` and `unknown` decide nothing, `seed 8` has other texts; `older` has the data of `one`.
    assert f"the best of 5 registered results on the same validation texts, by {metric}" in said
    assert "not compared: 4 " in said


def test_a_result_without_files_is_neither_the_best_nor_found(
    results: Results, repository: Callable[[str], list[str]]
) -> None:
    place = results.places["three"]
    shutil.move(place, aside := place.with_name("aside"))
    try:
        found, _ = best("made", "val_accuracy")
        with pytest.raises(MoodringError, match=r"'three' has no registered model with files.*moodring sync"):
            find("three", "made", repository)
    finally:
        shutil.move(aside, place)
    assert found.run_id == results.ids["two"]


def test_a_dataset_without_comparable_results_has_no_best_one(results: Results) -> None:
    with pytest.raises(MoodringError, match=r"none of the 0 registered results of other"):
        best("other", "val_accuracy")


def test_a_run_says_how_it_was_validated(results: Results) -> None:
    validations = read_validations()
    one = validations[results.ids["one"]]
    assert (one.rows, one.texts, one.digest) == (18, TEXTS, "same")
    assert one.metrics == {"val_accuracy": 0.75, "val_loss": 0.4, "test_accuracy": 0.5}
    assert validations[results.ids["older"]].digest == "same"
    assert validations[results.ids["unknown"]].problems() != []
    tags = results.run("one").data.tags
    assert json.loads(tags["validation"])["texts"] == TEXTS
    assert tags["small_splits"] == (
        "The validation split has 18 texts: the 95 % interval of an accuracy of 80 % is 57 to 92 %."
    )


def test_the_newest_version_of_a_run_is_found(
    results: Results, repository: Callable[[str], list[str]]
) -> None:
    try:
        version = results.register("one")
        assert find("one", "made", repository).version == version
        assert find("1", "made", repository).version == 1
    finally:
        mlflow.MlflowClient().delete_model_version("moodring-made", str(version))
