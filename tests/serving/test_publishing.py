"""The descriptions of a result and of its registered model, which MLflow shows."""

from __future__ import annotations

from moodring.mlflow_ui.descriptions import champion_note, result_note


def test_the_description_of_a_result_has_verdict_figures_and_how_to_load_it():
    values = {
        "test_accuracy": 0.8745,
        "test_accuracy_low": 0.87,
        "test_accuracy_high": 0.88,
        "test_gain": -0.021,
        "best_val_accuracy": 0.9,
        "weights": 1234567,
        "test_rows": 25000,
    }
    note = result_note("imdb, lstm: fine.", values, "models:/moodring-imdb/3")
    assert note.startswith("imdb, lstm: fine.\n")
    for part in (
        "| test accuracy | 87.45% (95 % interval 87.00% to 88.00%) |",
        "| gain over the baseline | -2.10% |",
        "| validation accuracy | 90.00% |",
        "| weights | 1,234,567 |",
        "| test texts | 25,000 |",
        'mlflow.pyfunc.load_model("models:/moodring-imdb/3")',
        "moodring predict --model models:/moodring-imdb/3 ",
    ):
        assert part in note
    assert "log loss" not in note, "a figure that does not exist has no row"


def test_the_description_of_a_registered_model_says_which_version_to_load():
    assert 'load_model("models:/moodring-imdb@champion")' in champion_note("imdb")
