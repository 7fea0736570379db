"""What people see of runs: names, figures, descriptions and the saved view. No store is needed."""

from __future__ import annotations

import base64
import json
import zlib
from urllib.parse import parse_qs, urlsplit

import pytest

from moodring.mlflow_ui import descriptions, names, saved_view
from moodring.params.pipeline import Params

# Names of parameters.


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"arch": "lstm", "archs.lstm.units": "64"}, {"arch": "lstm", "arch.units": "64"}),
        ({"arch": "lstm", "archs.gru.units": "64"}, {"arch": "lstm", "archs.gru.units": "64"}),
        ({"arch": "lstm", "archs.lstm2.cell": "x"}, {"arch": "lstm", "archs.lstm2.cell": "x"}),
        ({"arch": "a-b_c", "archs.a-b_c.head.units": "0"}, {"arch": "a-b_c", "arch.head.units": "0"}),
        ({"dataset": "imdb", "datasets.imdb.max_length": "9"}, {"dataset": "imdb", "data.max_length": "9"}),
        ({"baseline": "nbsvm", "archs.nbsvm.cost": "1"}, {"baseline": "nbsvm", "archs.nbsvm.cost": "1"}),
        ({"train.epochs": "3", "seed": "7"}, {"train.epochs": "3", "seed": "7"}),
        ({"archs.lstm.units": "64"}, {"archs.lstm.units": "64"}),
        ({"arch": "lstm", "arch.units": "64"}, {"arch": "lstm", "arch.units": "64"}),
        ({"arch.units": "8", "arch": "lstm", "archs.lstm.units": "4"}, {"arch": "lstm", "arch.units": "8"}),
        ({"arch": "lstm", "archs.lstm.units": "4", "arch.units": "8"}, {"arch": "lstm", "arch.units": "8"}),
        ({}, {}),
    ],
)
def test_the_chosen_blocks_have_short_names(given: dict[str, str], expected: dict[str, str]):
    assert names.short_names(given) == expected
    assert names.short_names(expected) == expected


def test_all_architectures_and_datasets_have_the_same_parameters(params: Params):
    def parameters(**chosen: str) -> set[str]:
        values = params.model_copy(update=chosen).of_model()
        return set(names.short_names({name: str(value) for name, value in values.items()}))

    assert parameters(arch="lstm", dataset="imdb") == parameters(arch="bilstm_max", dataset="imdb")
    assert {"arch.units", "arch.cell", "data.max_length", "train.epochs"} <= parameters(arch="gru")
    assert not [name for name in parameters(dataset="imdb") if name.startswith(("archs.", "datasets."))]


# Figures.


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("loss", "train_loss"),
        ("accuracy", "train_accuracy"),
        ("best_loss", "best_train_loss"),
        ("best_accuracy", "best_train_accuracy"),
        ("val_accuracy", "val_accuracy"),
        ("best_val_accuracy", "best_val_accuracy"),
        ("learning_rate", "learning_rate"),
    ],
)
def test_a_figure_of_the_training_split_says_so(name: str, expected: str):
    assert names.metric_name(name) == expected


@pytest.mark.parametrize(
    ("name", "is_metric"),
    [
        ("test_accuracy", True),
        ("test_gain", True),
        ("test_log_loss", True),
        ("test_calibration_error", True),
        ("best_val_accuracy", True),
        ("train_accuracy", True),
        ("test_accuracy_low", False),
        ("test_accuracy_high", False),
        ("test_gain_low", False),
        ("test_gain_high", False),
        ("test_rows", False),
        ("test_mcnemar_p", False),
        ("test_temperature", False),
        ("epochs", False),
        ("best_epoch", False),
        ("weights", False),
        ("vocabulary_size", False),
    ],
)
@pytest.mark.parametrize("value", [0.25, 3, 1e-7, -0.5])
def test_bounds_and_counts_are_tags_and_come_back_as_numbers(name: str, is_metric: bool, value: float):
    metrics, tags = names.metrics_and_tags({name: value})
    assert (name in metrics, name in tags) == (is_metric, not is_metric)
    assert names.figures(metrics, tags) == {name: value}


@pytest.mark.parametrize(
    ("metrics", "tags", "expected"),
    [
        ({"test_rows": 40.0, "test_accuracy": 0.5}, {}, {"test_rows": 40.0, "test_accuracy": 0.5}),
        ({"test_rows": 40.0}, {"test_rows": "50"}, {"test_rows": 50.0}),
        ({}, {"evaluate.threshold": "0.5", "seed": "7"}, {}),
        ({}, {"test_rows": "some", "weights": ""}, {}),
        (
            {},
            {"test_mcnemar_p": "1e-05", "test_gain_low": "-0.01"},
            {"test_mcnemar_p": 1e-5, "test_gain_low": -0.01},
        ),
    ],
    ids=[
        "an older version's",
        "evaluated again by this version",
        "other tags",
        "no numbers",
        "small numbers",
    ],
)
def test_figures_come_from_metrics_and_tags(
    metrics: dict[str, float], tags: dict[str, str], expected: dict[str, float]
):
    assert names.figures(metrics, tags) == expected


# Names of runs.


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ({}, "bilstm"),
        ({"git_commit": "9be11f4" + "0" * 33, "git_dirty": "false"}, "bilstm (9be11f4)"),
        ({"git_commit": "9be11f4" + "0" * 33, "git_dirty": "true"}, "bilstm (9be11f4, dirty)"),
        (
            {"git_commit": "9" * 40, "git_dirty": "true", "dvc_experiment": "amort-sena"},
            "bilstm (amort-sena)",
        ),
        ({"dvc_experiment": "imdb-best-7"}, "bilstm (imdb-best-7)"),
    ],
)
def test_a_run_is_named_by_its_arch_and_its_origin(origin: dict[str, str], expected: str):
    assert names.run_name("bilstm", origin) == expected


# The saved view.


def unpacked(value: str) -> dict[str, object]:
    """The state of a saved view, as the JavaScript of MLflow reads it."""
    saved = json.loads(value)
    assert isinstance(saved["name"], str)
    assert isinstance(saved["createdAt"], int)
    kind, _, packed = saved["state"].partition(";")
    assert kind == "deflate"
    state: dict[str, object] = json.loads(zlib.decompress(base64.b64decode(packed)))
    return state


def test_the_view_has_the_best_run_first_and_the_columns_that_matter():
    state = unpacked(saved_view.view(1))
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`best_val_accuracy`", False)
    assert state["selectedColumns"] == [
        "params.`arch`",
        "metrics.`test_accuracy`",
        "metrics.`test_gain`",
        "metrics.`best_val_accuracy`",
        "attributes.`Duration`",
    ]


def test_the_same_time_gives_the_same_view():
    assert saved_view.view(5) == saved_view.view(5)
    assert len(saved_view.view(5)) < 5000, "MLflow's limit for a tag of an experiment"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (saved_view.view(1), True),
        (saved_view.view(2), True),
        (
            json.dumps(
                {
                    "state": "deflate;"
                    + base64.b64encode(zlib.compress(json.dumps(saved_view.STATE).encode(), 1)).decode()
                }
            ),
            True,
        ),
        (json.dumps({"state": "deflate;" + base64.b64encode(zlib.compress(b"{}")).decode()}), False),
        (json.dumps({"state": "deflate;AAAA"}), False),
        (json.dumps({"state": "deflate;x"}), False),
        (json.dumps({"state": json.dumps(saved_view.STATE)}), False),
        (json.dumps({"state": None}), False),
        ("[]", False),
        ("no JSON", False),
        ("", False),
        (None, False),
    ],
)
def test_a_view_of_another_form_is_not_current(value: str | None, expected: bool):
    assert saved_view.is_current(value) == expected


def test_the_address_of_the_runs_opens_the_view():
    address = urlsplit("http://127.0.0.1:5000/" + saved_view.runs_page("12"))
    path, _, query = address.fragment.partition("?")
    assert path == "/experiments/12/runs"
    assert parse_qs(query) == {"workflowType": ["machine_learning"], "viewStateShareKey": [saved_view.KEY]}
    assert f"mlflow.sharedViewState.{saved_view.KEY}" == saved_view.VIEW


# Descriptions.


def test_a_description_is_written_and_updated_but_a_persons_stays():
    first = descriptions.note_tags({}, "one")
    assert first[descriptions.NOTE] == "one"
    assert descriptions.note_tags(first, "one") == {}
    assert descriptions.note_tags(first, "two")[descriptions.NOTE] == "two"
    assert descriptions.note_tags({**first, descriptions.NOTE: "one, and my own words"}, "two") == {}
    assert descriptions.note_tags({descriptions.NOTE: "my own words"}, "two") == {}
    assert descriptions.note_tags({descriptions.NOTE: ""}, "two")[descriptions.NOTE] == "two"


def test_the_description_of_an_experiment_leads_to_the_best_run_and_the_champion():
    best = ("#/experiments/1/runs/abc", "imdb, lstm: fine.")
    note = descriptions.experiment_note("imdb", saved_view.runs_page("1"), best)
    assert f"({saved_view.runs_page('1')})" in note
    assert "[Best run](#/experiments/1/runs/abc): imdb, lstm: fine.\n" in note
    assert 'load_model("models:/moodring-imdb@champion")' in note
    assert "Best" not in descriptions.experiment_note("imdb", "", None)
