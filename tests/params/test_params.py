"""Accepted values of params.yaml, and the messages for wrong ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from moodring.errors import MoodringError
from moodring.params.arch import EmbeddingParams
from moodring.params.base import flatten
from moodring.params.data import FileSource
from moodring.params.file import load_params, parse_params, read_yaml
from moodring.params.pipeline import Params
from tests.conftest import ROOT

MISSING = object()


def changed(changes: dict[str, Any]) -> Params:
    """The committed parameters with changes by dotted key."""
    tree = read_yaml(ROOT / "params.yaml")
    for key, value in changes.items():
        *parents, last = key.split(".")
        block = tree
        for parent in parents:
            block = block[parent]
        if value is MISSING:
            del block[last]
        else:
            block[last] = value
    return parse_params(tree, "params.yaml")


def refusal(changes: dict[str, Any]) -> str:
    with pytest.raises(MoodringError) as caught:
        changed(changes)
    return str(caught.value)


def test_the_committed_parameters_choose_blocks_that_exist(params: Params) -> None:
    assert params.data == params.datasets[params.dataset]
    assert params.architecture == params.archs[params.arch]


@pytest.mark.parametrize(
    ("key", "received", "meant", "known"),
    [
        ("dataset", "imbd", "imdb", "rotten_tomatoes, twitter, imdb"),
        ("arch", "bilstn", "bilstm", "nbsvm, rnn, lstm, bilstm, gru"),
    ],
)
def test_the_error_for_an_unknown_name_suggests_a_known_one(
    key: str, received: str, meant: str, known: str
) -> None:
    message = refusal({key: received})
    assert f"{key} {received!r}" in message
    assert f"did you mean {meant!r}" in message
    assert known in message


def test_the_error_for_a_name_without_a_similar_one_lists_the_known_names() -> None:
    message = refusal({"dataset": "zzz"})
    assert "did you mean" not in message
    assert "rotten_tomatoes, twitter, imdb" in message


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", -1),
        ("seed", 2**32),
        ("seed", "7"),
        ("train.epochs", "ten"),
        ("train.epochs", True),
        ("train.epochs", 2.5),
        ("train.epochs", 0),
        ("train.epochs", None),
        ("train.batch_size", 0),
        ("train.learning_rate", 0),
        ("train.learning_rate", "fast"),
        ("train.learning_rate", float("nan")),
        ("train.learning_rate", float("inf")),
        ("train.optimizer", "adamw"),
        ("train.early_stopping.patience", 0),
        ("train.early_stopping.monitor", "loss"),
        ("train.buckets", 0),
        ("evaluate.threshold", 1.0),
        ("evaluate.bins", 1),
        ("archs.lstm.cell", "lstn"),
        ("archs.lstm.bidirectional", "yes"),
        ("archs.lstm.dropout.input", 1.0),
        ("archs.lstm.units", 0),
        ("datasets.imdb.max_length", 0),
        ("datasets.imdb.tokenize.max_tokens", 2),
        ("datasets.twitter.preprocess.stem", "porter"),
        ("datasets.twitter.source.kind", "tweets"),
        ("datasets.rotten_tomatoes.source.test_share", 1.5),
    ],
)
def test_the_error_for_a_wrong_value_has_its_dotted_key_and_the_value(key: str, value: Any) -> None:
    message = refusal({key: value})
    place = key.removesuffix(".kind")  # the whole source block is wrong then
    shown = "nan" if value != value else repr(value)  # noqa: PLR0124 - NaN
    assert f"{place}: " in message
    assert shown in message.partition("received: ")[2]


@pytest.mark.parametrize(
    "key", ["seeds", "train.epoch", "archs.lstm.unit", "datasets.twitter.preprocess.lower_case"]
)
def test_the_error_for_a_misspelt_key_names_it(key: str) -> None:
    assert f"{key}: unknown key" in refusal({key: 1})


@pytest.mark.parametrize("key", ["seed", "train.epochs", "archs.lstm.cell", "datasets.twitter.max_length"])
def test_the_error_for_a_missing_key_names_it(key: str) -> None:
    assert f"{key}: missing" in refusal({key: MISSING})


@pytest.mark.parametrize("name", ["../up", "a/b", "a.b", "", "-x", "a b", "models:1"])
@pytest.mark.parametrize("blocks", ["datasets", "archs"])
def test_a_name_that_no_directory_or_model_can_have_is_refused(blocks: str, name: str) -> None:
    tree = read_yaml(ROOT / "params.yaml")
    tree[blocks][name] = next(iter(tree[blocks].values()))
    with pytest.raises(MoodringError, match=blocks):
        parse_params(tree, "params.yaml")


def test_all_problems_are_reported_together() -> None:
    message = refusal({"train.epochs": 0, "evaluate.bins": 1})
    assert "train.epochs: " in message
    assert "evaluate.bins: " in message


def test_flatten_is_refused_if_texts_differ_in_length() -> None:
    message = refusal({"archs.lstm.pooling": "flatten"})
    assert "archs.lstm: " in message
    assert "'flatten' needs padding 'fixed'" in message


def test_flatten_is_accepted_if_all_texts_have_one_length() -> None:
    changes = {"archs.lstm.pooling": "flatten", "archs.lstm.padding": "fixed"}
    assert changed(changes).recurrent_archs["lstm"].pooling == "flatten"


def test_a_file_source_needs_only_its_columns_and_labels() -> None:
    source = own_source("data/own/own.csv")
    read = changed({"datasets.imdb.source": source}).datasets["imdb"].source
    assert read.model_dump(exclude_defaults=True) == source


def own_source(path: str) -> dict[str, Any]:
    return {"kind": "file", "path": path, "text": "t", "label": "l", "positive": [1], "negative": [0]}


@pytest.mark.parametrize("path", ["data/own/a.csv", "data/own/shop/a.csv", "./data/own//a b.csv"])
def test_a_file_in_data_own_is_accepted(path: str) -> None:
    assert FileSource.model_validate(own_source(path)).path == path
    assert EmbeddingParams(size=2, vectors=path, frozen_epochs=0).vectors == path


# DVC does not see a change of these files, so a stage would keep the results of the old ones.
OUTSIDE = (
    *("a.csv", "data/a.csv", "data/owner/a.csv", "/data/own/a.csv", "../data/own/a.csv", "", "data/own"),
    *("data/own/", "data/own/.", "data/own/../a.csv", "data/own/b/../../a.csv", "~/data/own/a.csv"),
    *("data\\own\\a.csv", "Data/own/a.csv", "https://example.org/data/own/a.csv", "file:data/own/a.csv"),
)


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_file_outside_data_own_is_refused(path: str) -> None:
    with pytest.raises(ValidationError, match=r"(?s)^1 .*path.*a file in data/own is needed"):
        FileSource.model_validate(own_source(path))


@pytest.mark.parametrize("name", [*(path for path in OUTSIDE if path), "glove-6b-100d", "None"])
def test_vectors_outside_data_own_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match=r"(?s)^1 .*vectors.*none, glove-6b-50d or a file in data/own"):
        EmbeddingParams(size=2, vectors=name, frozen_epochs=0)


def test_the_error_for_a_file_outside_data_own_gives_the_remedy() -> None:
    message = refusal({"datasets.imdb.source": own_source("a.csv"), "archs.gru.embedding.vectors": "b.txt"})
    for place, path in (("datasets.imdb.source.path", "a.csv"), ("archs.gru.embedding.vectors", "b.txt")):
        (line,) = [line for line in message.splitlines() if f" {place}: " in line]
        assert "Copy the file to data/own/ and run `dvc add` on it" in line
        assert line.endswith(f"received: {path!r}")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"seed: [1", id="not YAML"),
        pytest.param(b"- seed\n- 7\n", id="a list"),
        pytest.param(b"", id="empty"),
        pytest.param(b"seed: \xff\n", id="not UTF-8"),
        pytest.param(b"seed: !!python/object/apply:os.getcwd []\n", id="a Python object"),
    ],
)
def test_the_error_for_a_file_without_parameters_names_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "params.yaml").write_bytes(content)
    with pytest.raises(MoodringError, match=r"params\.yaml"):
        load_params(tmp_path / "params.yaml")


def test_the_error_for_a_missing_file_names_it(tmp_path: Path) -> None:
    with pytest.raises(MoodringError, match=r"cannot read .*none\.yaml"):
        load_params(tmp_path / "none.yaml")


def test_parameters_cannot_be_changed(params: Params) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        params.train.epochs = 1


@pytest.mark.parametrize(("dataset", "arch"), [("rotten_tomatoes", "lstm"), ("imdb", "gru")])
def test_of_model_has_the_parameters_of_the_dataset_and_the_architecture(dataset: str, arch: str) -> None:
    tree = read_yaml(ROOT / "params.yaml") | {"dataset": dataset, "arch": arch}
    kept = ("dataset", "arch", "seed", "train", f"datasets.{dataset}", f"archs.{arch}")
    expected = {
        key: value
        for key, value in flatten(tree)
        if any(key == name or key.startswith(f"{name}.") for name in kept)
    }
    assert changed({"dataset": dataset, "arch": arch}).of_model() == expected


def test_of_evaluation_and_of_model_have_no_parameter_in_common(params: Params) -> None:
    names = {"threshold", "bins", "calibration", "mistakes"}
    baseline = {name for name in params.of_evaluation() if name.startswith("archs.nbsvm.")}
    assert set(params.of_evaluation()) - baseline == {"baseline", *(f"evaluate.{name}" for name in names)}
    assert not set(params.of_evaluation()) & set(params.of_model())


def test_training_depends_on_no_dataset_parameter_except_max_length(params: Params) -> None:
    training = params.of_training()
    assert {key for key in training if key.startswith("datasets.")} == {"datasets.rotten_tomatoes.max_length"}
    assert training.items() < params.of_model().items()


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"baseline": "lstm"}, ["baseline 'lstm' must be of kind nbsvm"]),
        ({"baseline": "nbsvn"}, ["baseline 'nbsvn' is unknown", "did you mean 'nbsvm'"]),
        ({"archs.lstm.kind": "linear"}, ["archs.lstm", "'linear'", "'recurrent'"]),
        ({"archs.nbsvm.ngrams": 0}, ["archs.nbsvm.ngrams", "received: 0"]),
        ({"archs.lstm.dropout.output": 0.5}, ["archs.lstm", "dropout.output", "pooling"]),
        (
            {"archs.lstm.embedding.frozen_epochs": 2},
            ["archs.lstm.embedding", "frozen_epochs 2 needs pretrained vectors"],
        ),
        ({"archs.lstm.embedding.frozen_epochs": "some"}, ["archs.lstm.embedding.frozen_epochs: ", "'some'"]),
        ({"archs.lstm.embedding.frozen_epochs": -1}, ["archs.lstm.embedding.frozen_epochs: ", "-1"]),
        ({"train.weight_averaging": 1.0}, ["train.weight_averaging", "received: 1.0"]),
        ({"train.schedule.warmup": 1.0}, ["train.schedule.warmup", "received: 1.0"]),
        ({"evaluate.calibration": "platt"}, ["evaluate.calibration", "'platt'"]),
    ],
)
def test_the_error_for_conflicting_values_gives_the_reasons(
    changes: dict[str, Any], reasons: list[str]
) -> None:
    message = refusal(changes)
    assert all(reason in message for reason in reasons), message


def test_own_pairs_are_pairs_of_texts_and_optional(params: Params) -> None:
    assert params.behaviour.pairs_of_texts == []
    pairs = [{"higher": "good", "lower": "not good"}]
    own = changed({"behaviour": {"pairs": pairs}})
    assert own.behaviour.pairs_of_texts == [("good", "not good")]
    # No stage depends on them.
    assert (own.of_model(), own.of_evaluation()) == (params.of_model(), params.of_evaluation())


@pytest.mark.parametrize(
    ("pair", "part"),
    [
        ({"higher": "good"}, "lower: missing"),
        ({"higher": "good", "lower": " "}, "' '"),
        ({"higher": "good", "lower": "good"}, "must differ"),
        ({"higher": "good", "lower": 3}, "received: 3"),
        ({"higher": "good", "lower": "bad", "why": "x"}, "unknown key"),
        ("good, bad", "'good, bad'"),
    ],
    ids=["one text", "blank", "equal", "number", "unknown key", "no pair"],
)
def test_an_invalid_own_pair_is_refused_with_its_place(pair: object, part: str) -> None:
    message = refusal({"behaviour": {"pairs": [pair]}})
    assert "behaviour.pairs.0" in message
    assert part in message
