"""What the experiments, runs and models of a real store say to people who open them in the MLflow UI."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from moodring.mlflow_ui.descriptions import NOTE
from moodring.mlflow_ui.saved_view import VIEW, is_current, runs_page
from moodring.params.pipeline import Params
from moodring.serving.registry import describe_version
from moodring.tracking.listing import run_pages
from moodring.tracking.store import KIND, Experiment
from tests.tracking.results import checkout, chosen, log_result


@pytest.fixture(scope="module")
def store(params: Params, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowClient]:
    """A store of two datasets; the second result of the first dataset is the best of three by validation."""
    root = tmp_path_factory.mktemp("a checkout")  # with a space
    with checkout(root):
        runs = (("lstm", 0.76, 0.82, 0.07), ("bilstm", 0.8, 0.8, 0.05), ("gru", 0.7, 0.7, -0.05))
        for arch, validation, accuracy, gain in runs:
            chosen_params = chosen(params, "one", arch)
            log_result(root, chosen_params, validation, accuracy, gain, model=arch == "bilstm")
        log_result(root, chosen(params, "two", "lstm"), 0.5, 0.5, 0.0, model=False)
        yield MlflowClient(f"sqlite:///{root}/mlflow.db")


@pytest.fixture
def version(store: MlflowClient) -> ModelVersion:
    return store.get_model_version("moodring-one", "1")


def tags_of(store: MlflowClient, name: str) -> dict[str, str]:
    return dict(store.get_experiment_by_name(name).tags)


@pytest.mark.parametrize("name", ["one", "two"])
def test_an_experiment_has_a_view_a_kind_and_a_description(store: MlflowClient, name: str):
    tags = tags_of(store, name)
    assert is_current(tags[VIEW])
    assert tags[KIND] == "custom_model_development"
    assert f"models:/moodring-{name}@champion" in tags[NOTE]


def test_the_description_of_the_experiment_names_the_best_run(store: MlflowClient):
    experiment = store.get_experiment_by_name("one")
    runs = store.search_runs([experiment.experiment_id], "params.arch = 'bilstm'")
    note = experiment.tags[NOTE]
    assert f"#/experiments/{experiment.experiment_id}/runs/{runs[0].info.run_id}" in note
    assert "one, bilstm: 80.0% of 2,000 test texts are correct" in note
    assert f"({runs_page(experiment.experiment_id)})" in note


def test_the_run_and_the_version_have_the_same_description(store: MlflowClient, version: ModelVersion):
    run = store.get_run(version.run_id)
    assert run.data.tags[NOTE] == version.description
    assert version.description.startswith(run.data.tags["verdict"])
    assert 'load_model("models:/moodring-one/1")' in version.description
    assert "| validation accuracy | 80.00% |" in version.description


def test_a_second_evaluation_updates_the_descriptions(store: MlflowClient, version: ModelVersion):
    for note in ("second", "third"):
        describe_version(version.run_id, "moodring-one", 1, note, "of the model")
        Experiment("one").describe(version.run_id, f"{note} verdict", note)
        assert store.get_run(version.run_id).data.tags[NOTE] == note
        assert store.get_model_version("moodring-one", "1").description == note
        assert f"{note} verdict" in tags_of(store, "one")[NOTE]
    assert "models:/moodring-one@champion" in store.get_registered_model("moodring-one").description


def test_a_description_that_a_person_wrote_stays(store: MlflowClient, version: ModelVersion):
    store.set_tag(version.run_id, NOTE, "mine")
    store.update_model_version("moodring-one", "1", description="mine too")
    store.set_experiment_tag(store.get_experiment_by_name("one").experiment_id, NOTE, "also mine")
    describe_version(version.run_id, "moodring-one", 1, "another description", "of the model")
    Experiment("one").describe(version.run_id, "a verdict", "another description")
    assert store.get_run(version.run_id).data.tags[NOTE] == "mine"
    assert store.get_run(version.run_id).data.tags["verdict"] == "a verdict"
    assert store.get_model_version("moodring-one", "1").description == "mine too"
    assert tags_of(store, "one")[NOTE] == "also mine"


def test_each_dataset_has_a_page_of_runs_and_older_experiments_get_their_view(
    store: MlflowClient, params: Params
):
    old, foreign = (store.create_experiment(name) for name in ("old", "of others"))
    run = store.create_run(old, tags={"data_sha256": "d" * 64})
    store.set_terminated(run.info.run_id)
    store.create_run(foreign)
    two = store.get_experiment_by_name("two").experiment_id
    store.set_experiment_tag(two, VIEW, "damaged")
    pages = run_pages()
    assert list(pages) == ["old", "one", "two"]
    assert pages["old"] == runs_page(old)
    for name in ("old", "two"):
        assert is_current(tags_of(store, name)[VIEW])
    assert "Best" not in tags_of(store, "old")[NOTE]
    assert set(tags_of(store, "of others")) == set(tags_of(store, "Default"))
    before = {name: tags_of(store, name) for name in pages}
    assert run_pages() == pages
    assert {name: tags_of(store, name) for name in pages} == before
