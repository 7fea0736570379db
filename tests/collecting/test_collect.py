"""Which results a comparison has, in which order, and what it says is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from moodring.collecting.collect import Collected, Collector
from moodring.errors import MoodringError
from tests.lab import TEXTS, Lab


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    made = Lab(tmp_path / "lab")
    monkeypatch.setenv("DVC_ROOT", str(made.root))
    return made


def collected(lab: Lab, *names: str, dataset: str | None = None) -> Collected:
    (found,) = Collector(lab.root).collect(names, dataset)
    return found


def names_in(found: Collected) -> list[tuple[str, ...]]:
    return [result.names for result in found.results]


def test_without_names_all_experiments_the_workspace_and_head_are_found_each_result_once(lab: Lab) -> None:
    committed, present = lab.make("rnn", validation=0.7), lab.make("gru", validation=0.9)
    lab.workspace(committed)
    lab.commit()
    lab.experiment("first", lab.make("lstm", validation=0.8))
    lab.experiment("same-as-head", committed)
    lab.workspace(present)
    found = collected(lab)
    assert names_in(found) == [("workspace",), ("first",), ("same-as-head", "HEAD")]
    assert [result.here for result in found.results] == [True, False, False]


def test_the_validation_accuracy_decides_the_order_and_not_the_test_accuracy(lab: Lab) -> None:
    lab.experiment("better-on-test", lab.make("lstm", wrong=[0], validation=0.7))
    lab.experiment("better-on-validation", lab.make("gru", wrong=range(9), validation=0.8))
    lab.experiment("unknown", lab.make("rnn", validation=None))
    lab.experiment("not-evaluated", lab.make("bilstm", validation=0.9, without=["metrics/test.json"]))
    assert [result.name for result in collected(lab).results] == [
        "better-on-validation", "better-on-test", "unknown", "not-evaluated",
    ]  # fmt: skip


def test_a_result_is_read_with_all_its_figures(lab: Lab) -> None:
    lab.experiment("one", lab.make("gru", wrong=[0, 1, 2, 3], validation=0.85))
    (result,) = collected(lab).results
    assert (result.arch, result.baseline, result.dataset) == ("gru", "nbsvm", "rotten_tomatoes")
    assert (result.accuracy, result.validation, result.train["weights"]) == (0.9, 0.85, 1040)
    assert result.interval == pytest.approx((0.769482, 0.96042), abs=1e-6)
    assert result.test["gain"] == pytest.approx(0.05)
    assert result.right is not None
    assert result.right.sum() == 36
    assert result.baseline_right is not None
    assert result.baseline_right.sum() == 34
    assert list(result.curves) == ["roc", "precision_recall", "calibration"]
    assert result.history is not None
    assert result.slices is not None
    assert result.when is not None
    assert result.when.isoformat() == "2026-01-02T03:04:05+00:00"


def test_two_evaluations_of_one_model_are_two_results(lab: Lab) -> None:
    lab.experiment("half", lab.make("gru"))
    lab.experiment("other", lab.make("gru", baseline_wrong=[0]))
    assert len(collected(lab).results) == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gru", [("gru",)]),
        ("workspace", [("workspace",)]),
        ("HEAD", [("HEAD",)]),
        ("main", [("main",)]),
        ("v1", [("v1",)]),
        ("main~0", [("main~0",)]),
    ],
)
def test_a_name_is_an_experiment_a_revision_or_the_workspace(
    lab: Lab, name: str, expected: list[tuple[str, ...]]
) -> None:
    lab.workspace(lab.make("rnn"))
    lab.commit()
    lab.git("tag", "v1")
    lab.experiment("gru", lab.make("gru"))
    lab.workspace(lab.make("lstm"))
    assert names_in(collected(lab, name)) == expected


def test_experiments_of_one_name_on_two_commits_are_both_found_and_told_apart(lab: Lab) -> None:
    first = lab.git("rev-parse", "HEAD")
    lab.experiment("gru", lab.make("gru", wrong=[1]))
    lab.experiment("same", lab.make("rnn"))
    (lab.root / "note").write_text("x")
    lab.commit()
    second = lab.git("rev-parse", "HEAD")
    lab.experiment("gru", lab.make("gru", wrong=[2, 3]))
    found = {result.name for result in collected(lab, "gru").results}
    assert found == {f"gru ({first[:7]})", f"gru ({second[:7]})"}
    lab.experiment("same", lab.make("rnn"))
    assert names_in(collected(lab, "same")) == [("same",)]


def test_results_of_another_dataset_are_left_out_unless_named(lab: Lab) -> None:
    lab.experiment("mine", lab.make("gru"))
    lab.experiment("tweets", lab.make("gru", dataset="twitter"))
    assert names_in(collected(lab)) == [("mine",)]
    assert names_in(collected(lab, dataset="twitter")) == [("tweets",)]
    both = Collector(lab.root).collect(["mine", "tweets"], None)
    assert [found.dataset for found in both] == ["rotten_tomatoes", "twitter"]


@pytest.mark.parametrize("name", ["nosuch", "main~99", "--help", "", "a|b", "[red]"])
def test_an_unknown_name_is_an_error_that_shows_it(lab: Lab, name: str) -> None:
    lab.experiment("mine", lab.make("gru"))
    with pytest.raises(MoodringError) as error:
        Collector(lab.root).collect([name], None)
    assert repr(name) in str(error.value)
    assert "moodring runs" in str(error.value)


def test_without_any_result_the_error_says_what_trains_some_and_which_datasets_have_some(lab: Lab) -> None:
    with pytest.raises(MoodringError, match=r"'rotten_tomatoes' has no result yet.*moodring experiment"):
        Collector(lab.root).collect([], None)
    lab.experiment("tweets", lab.make("gru", dataset="twitter"))
    with pytest.raises(MoodringError, match=r"twitter \(1\); use `--dataset NAME`"):
        Collector(lab.root).collect([], None)


def test_a_repository_without_a_commit_has_the_workspaces_result(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab")
    lab.workspace(lab.make("gru"))
    lab.git("update-ref", "-d", "HEAD")
    assert names_in(collected(lab)) == [("workspace",)]


def test_after_the_loss_of_the_cache_git_still_has_the_figures_and_a_note_says_what_is_lost(lab: Lab) -> None:
    lab.experiment("one", lab.make("gru"))
    lab.experiment("two", lab.make("lstm"))
    lab.lose_cache()
    found = collected(lab)
    assert [result.accuracy for result in found.results] == [0.9, 0.9]
    assert all(
        result.scored is None and result.curves and result.slices is not None for result in found.results
    )
    (note,) = [note for note in found.notes if "scores" in note]
    assert "one, two" in note or "two, one" in note
    assert "dvc exp apply" in note


@pytest.mark.parametrize("path", ["data/scores.parquet", "metrics/test.json", "metrics/slices.json"])
def test_a_damaged_file_is_as_a_missing_one(lab: Lab, path: str) -> None:
    made = lab.make("gru")
    lab.experiment("one", made)
    lab.experiment("two", lab.make("lstm", wrong=[4]))
    lab.cached(made, path).write_bytes(b"{damaged")
    found = {result.name: result for result in collected(lab).results}
    assert (found["one"].scored is None) == (path == "data/scores.parquet")
    assert (found["one"].accuracy is None) == (path == "metrics/test.json")
    assert found["two"].accuracy == 0.975


@pytest.mark.parametrize(
    "path", ["metrics/slices.json", "metrics/history.csv", "data/baseline.parquet", "metrics/train.json"]
)
def test_a_result_of_older_code_may_lack_a_file(lab: Lab, path: str) -> None:
    lab.experiment("one", lab.make("gru", without=[path]))
    (result,) = collected(lab).results
    assert result.accuracy == 0.9


def test_a_damaged_dvc_lock_of_an_experiment_is_a_note_and_of_the_workspace_an_error(lab: Lab) -> None:
    good, bad = lab.make("gru"), lab.make("lstm")
    lab.experiment("good", good)
    lab.experiment("bad", type(bad)("stages: [", bad.files))
    found = collected(lab)
    assert names_in(found) == [("good",)]
    assert any("bad is not valid" in note for note in found.notes)
    (lab.root / "dvc.lock").write_text("stages: [")
    with pytest.raises(MoodringError, match=r"dvc\.lock is not valid"):
        Collector(lab.root)


def test_an_evaluation_of_another_model_does_not_count(lab: Lab) -> None:
    one, other = lab.make("gru"), lab.make("lstm", wrong=[9])
    start, end = one.lock.index("  train:"), one.lock.index("  evaluate:")
    theirs = other.lock[other.lock.index("  train:") : other.lock.index("  evaluate:")]
    lab.experiment("trained-only", type(one)(one.lock[:start] + theirs + one.lock[end:], {}))
    (result,) = collected(lab).results
    assert (result.arch, result.accuracy) == ("lstm", None)
    assert any("Not evaluated: trained-only" in note for note in collected(lab).notes)


@pytest.mark.parametrize(
    ("texts", "train_texts", "same"),
    [
        (TEXTS, ["one", "two"], True),
        (TEXTS, ["other", "texts", "for", "training"], True),
        ([*TEXTS[:-1], "changed"], ["one", "two"], False),
        (TEXTS[::-1], ["one", "two"], False),
        (TEXTS[:20], ["one", "two"], False),
    ],
    ids=["equal", "other training texts", "one text changed", "another order", "fewer"],
)
def test_equal_test_texts_are_recognised_by_their_content(
    lab: Lab, texts: list[str], train_texts: list[str], same: bool
) -> None:
    lab.experiment("one", lab.make("gru"))
    lab.experiment("two", lab.make("lstm", texts=texts, train_texts=train_texts, baseline_wrong=[0]))
    one, two = collected(lab).results
    assert (one.texts == two.texts) == same
    assert any("tested on other texts" in note for note in collected(lab).notes) != same


def test_files_in_the_workspace_count_only_if_they_are_the_results(lab: Lab) -> None:
    made = lab.make("gru")
    lab.workspace(made)
    lab.lose_cache()
    (lab.root / "data").mkdir()
    for path in ("data/scores.parquet", "data/baseline.parquet"):
        (lab.root / path).write_bytes(made.files[path])
    (result,) = collected(lab).results
    assert result.scored is not None
    (lab.root / "data/scores.parquet").write_bytes(lab.make("rnn", wrong=[7]).files["data/scores.parquet"])
    lab.lose_cache()
    (result,) = collected(lab).results
    assert result.scored is None


def test_nothing_in_the_working_directory_changes(lab: Lab) -> None:
    lab.experiment("one", lab.make("gru"))
    before = sorted(lab.root.iterdir())
    collected(lab)
    assert sorted(lab.root.iterdir()) == before


@pytest.mark.parametrize("name", ["HEAD", "main", "workspace", "v0"])
def test_a_name_without_a_result_is_not_an_unknown_name(lab: Lab, name: str) -> None:
    lab.git("tag", "v0")
    lab.experiment("mine", lab.make("gru"))
    with pytest.raises(MoodringError, match=f"'{name}' holds no result: it has no dvc.lock.*dvc repro"):
        Collector(lab.root).collect(["mine", name], None)


def test_an_unknown_name_in_a_shallow_clone_may_be_an_older_commit(lab: Lab, tmp_path: Path) -> None:
    (lab.root / "note").write_text("x")
    lab.commit()
    lab.git("clone", "--quiet", "--depth", "1", lab.root.as_uri(), str(tmp_path / "clone"))
    (tmp_path / "clone/.dvc").mkdir(exist_ok=True)
    with pytest.raises(MoodringError, match=r"'main~1' is no experiment.*git fetch --unshallow"):
        Collector(tmp_path / "clone").collect(["main~1"], None)


@pytest.mark.parametrize("content", ["arch: gru", "dataset:", "dataset: [imdb]", "dataset: 3"])
def test_a_dataset_that_is_no_name_is_an_error(lab: Lab, content: str) -> None:
    lab.experiment("mine", lab.make("gru"))
    (lab.root / "params.yaml").write_text(content)
    with pytest.raises(MoodringError, match=r"params.yaml: dataset must be .*received: .*--dataset NAME"):
        Collector(lab.root).collect([], None)
