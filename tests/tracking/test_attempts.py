"""Attempts that real processes claim, hold, abandon and discard."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from moodring.tracking.attempts import Attempt, abandoned, claimed, is_left, key_of
from tests.conftest import ROOT

PARAMS: dict[str, Any] = {"seed": 7, "train.epochs": 12, "archs.lstm.dropout": 0.5}
DATA = "d" * 64
KEY = "k" * 64
OTHER = "o" * 64
FIRST_EPOCH = b"the first epoch"
# Holds the attempt until the test ends or kills the process.
HOLD = """
import sys
from moodring.tracking.attempts import claimed
with claimed(sys.argv[1]) as attempt:
    attempt.checkpoint.write_bytes(sys.argv[2].encode())
    print(attempt.id, flush=True)
    sys.stdin.read()
"""
# Waits for a line, then claims all keys and holds them.
RACE = """
import contextlib, sys
from moodring.tracking.attempts import claimed
print("ready", flush=True)
sys.stdin.readline()
with contextlib.ExitStack() as held:
    print(*[held.enter_context(claimed(key)).id for key in sys.argv[1:]], flush=True)
    sys.stdin.read()
"""
# Claims and discards the same key many times. It fails if another process holds the same directory.
CHURN = """
import sys
from moodring.tracking.attempts import claimed
print("ready", flush=True)
sys.stdin.readline()
for _ in range(40):
    with claimed(sys.argv[1]) as attempt:
        assert not attempt.again, "this is the attempt of another process"
        with (attempt.place / "mine").open("x"):
            pass
        attempt.discard()
"""


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout for one test. Its path has no symbolic link."""
    root = (tmp_path / "checkout").resolve()
    (root / ".dvc").mkdir(parents=True)
    monkeypatch.setenv("DVC_ROOT", str(root))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    return root


class Process:
    """A Python process that exchanges lines with the test."""

    def __init__(self, code: str, *arguments: str) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", code, *arguments]
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._process.communicate()[1]
        return line.strip()

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """Send SIGKILL: the process runs no handler and no `finally`."""
        self._process.kill()
        self._process.communicate()

    def end(self) -> tuple[int, str]:
        """Wait until the process ends; returns its exit code and its standard error."""
        error = self._process.communicate(timeout=60)[1]
        return self._process.returncode, error


Start = Callable[..., Process]


@pytest.fixture
def start() -> Iterator[Start]:
    """A function that starts processes. The fixture kills them after the test."""
    with contextlib.ExitStack() as started:

        def start_one(code: str, *arguments: str) -> Process:
            process = Process(code, *arguments)
            started.callback(process.kill)
            return process

        yield start_one


def kill_after_first_epoch(start: Start, key: str = KEY) -> str:
    """Kill a process after the first epoch of its attempt; returns the id of the attempt."""
    process = start(HOLD, key, FIRST_EPOCH.decode())
    identity = process.line()
    process.kill()
    return identity


def abandoned_attempt(key: str) -> Attempt:
    """An attempt of this process that ended without a result."""
    with claimed(key) as attempt:
        return attempt


# The key of a training.


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[str], Path]:
    """A function that copies the project's code to a named directory and returns the train stage."""

    def make(name: str) -> Path:
        for part in ("src", "stages"):
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / part, tmp_path / name / part, ignore=ignored)
        return tmp_path / name / "stages" / "train.py"

    return make


Copy = Callable[[str], Path]


def with_edit(stage: Path, file: str) -> Path:
    with (stage.parents[1] / file).open("a") as stream:
        stream.write("\n# edited\n")
    return stage


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({**PARAMS, "seed": 8}, id="another value"),
        pytest.param({**PARAMS, "seed": "7"}, id="another type"),
        pytest.param({**PARAMS, "train.batch_size": 64}, id="one more parameter"),
        pytest.param({"seed": 7, "train.epochs": 12, "archs.gru.dropout": 0.5}, id="another name"),
    ],
)
def test_other_parameters_have_another_key(params: dict[str, Any]) -> None:
    stage = ROOT / "stages" / "train.py"
    assert key_of(params, DATA, stage) != key_of(PARAMS, DATA, stage)


def test_the_order_of_parameters_does_not_change_the_key() -> None:
    stage = ROOT / "stages" / "train.py"
    assert key_of(dict(reversed(PARAMS.items())), DATA, stage) == key_of(PARAMS, DATA, stage)


def test_other_data_has_another_key() -> None:
    stage = ROOT / "stages" / "train.py"
    assert key_of(PARAMS, "e" * 64, stage) != key_of(PARAMS, DATA, stage)


@pytest.mark.parametrize(
    "file",
    [
        "stages/train.py",
        "src/moodring/training/network.py",
        "src/moodring/training/architectures.py",
        "src/moodring/training/checkpoints.py",
        pytest.param("src/moodring/corpus/batches.py", id="imported by a module"),
        pytest.param("src/moodring/params/file.py", id="parameters"),
    ],
)
def test_an_edit_to_the_training_code_changes_the_key(copy: Copy, file: str) -> None:
    stage = copy("project")
    before = key_of(PARAMS, DATA, stage)
    assert key_of(PARAMS, DATA, with_edit(stage, file)) != before


@pytest.mark.parametrize(
    "file",
    [
        "src/moodring/tracking/attempts.py",
        "src/moodring/checkout/dependencies.py",
        "src/moodring/errors.py",
        "src/moodring/checkout/root.py",
        "src/moodring/tracking/runs.py",
        "src/moodring/tracking/store.py",
        pytest.param("src/moodring/evaluation/evaluate.py", id="code of another stage"),
        pytest.param("src/moodring/cli/app.py", id="code of the command"),
        pytest.param("stages/evaluate.py", id="another stage"),
    ],
)
def test_an_edit_that_cannot_change_the_result_does_not_change_the_key(copy: Copy, file: str) -> None:
    stage = copy("project")
    before = key_of(PARAMS, DATA, stage)
    assert key_of(PARAMS, DATA, with_edit(stage, file)) == before


def test_the_path_of_the_checkout_does_not_change_the_key(copy: Copy) -> None:
    one, other = copy("one"), copy("another directory/copy")
    assert key_of(PARAMS, DATA, one) == key_of(PARAMS, DATA, other)


def test_a_relative_path_to_the_stage_gives_the_same_key(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = copy("project")
    monkeypatch.chdir(stage.parents[1])
    assert key_of(PARAMS, DATA, Path("stages/train.py")) == key_of(PARAMS, DATA, stage)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_changes_the_key(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    stage = ROOT / "stages" / "train.py"
    before = key_of(PARAMS, DATA, stage)
    monkeypatch.setenv("KERAS_BACKEND", backend)
    assert key_of(PARAMS, DATA, stage) != before


@pytest.mark.parametrize("backend", ["tensorflow", ""])
def test_the_name_of_the_default_backend_does_not_change_the_key(
    monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    stage = ROOT / "stages" / "train.py"
    before = key_of(PARAMS, DATA, stage)
    monkeypatch.setenv("KERAS_BACKEND", backend)
    assert key_of(PARAMS, DATA, stage) == before


@pytest.mark.parametrize(
    ("library", "backend"),
    [("keras", "tensorflow"), ("numpy", "tensorflow"), ("tensorflow", "tensorflow"), ("jax", "jax")],
)
def test_another_version_of_a_library_changes_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, backend: str
) -> None:
    stage = ROOT / "stages" / "train.py"
    monkeypatch.setenv("KERAS_BACKEND", backend)
    before = key_of(PARAMS, DATA, stage)
    installed = tmp_path / "installed" / f"{library}-99.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {library}\nVersion: 99.0\n")
    monkeypatch.syspath_prepend(installed.parent)
    assert key_of(PARAMS, DATA, stage) != before


# Claimed, abandoned and continued attempts.


def test_a_new_attempt_has_no_checkpoint() -> None:
    with claimed(KEY) as attempt:
        assert not attempt.again
        assert not attempt.checkpoint.exists()


def test_the_attempt_of_a_killed_process_continues_with_its_checkpoint(start: Start) -> None:
    identity = kill_after_first_epoch(start)
    with claimed(KEY) as attempt:
        assert (attempt.id, attempt.again) == (identity, True)
        assert attempt.checkpoint.read_bytes() == FIRST_EPOCH


def test_an_attempt_can_be_killed_more_than_once(start: Start) -> None:
    assert len({kill_after_first_epoch(start) for _ in range(3)}) == 1


def test_the_attempt_of_a_training_that_raised_continues_too() -> None:
    def broken() -> None:
        with claimed(KEY) as attempt:
            attempt.checkpoint.write_bytes(FIRST_EPOCH)
            raise KeyError(attempt.id)

    with pytest.raises(KeyError) as raised:
        broken()
    with claimed(KEY) as attempt:
        assert (attempt.id, attempt.again) == (raised.value.args[0], True)
        assert attempt.checkpoint.read_bytes() == FIRST_EPOCH


def test_another_key_gets_a_new_attempt(start: Start) -> None:
    identity = kill_after_first_epoch(start)
    with claimed(OTHER) as attempt:
        assert not attempt.again
        assert attempt.id != identity
        assert not attempt.checkpoint.exists()


def test_a_second_process_gets_a_new_attempt(start: Start) -> None:
    holder = start(HOLD, KEY, FIRST_EPOCH.decode())
    identity = holder.line()
    with claimed(KEY) as attempt:
        assert not attempt.again
        assert attempt.id != identity
        assert not attempt.checkpoint.exists()


def test_a_second_claim_of_this_process_gets_a_new_attempt() -> None:
    with claimed(KEY) as one, claimed(KEY) as other:
        assert not other.again
        assert (one.id, one.checkpoint) != (other.id, other.checkpoint)


def test_a_killed_second_attempt_continues_while_the_first_is_held(start: Start) -> None:
    holder = start(HOLD, KEY, "of the first")
    first, second = holder.line(), kill_after_first_epoch(start)
    with claimed(KEY) as attempt:
        assert (attempt.id, attempt.again) == (second, True)
        assert attempt.id != first
        assert attempt.checkpoint.read_bytes() == FIRST_EPOCH


def test_processes_that_claim_at_the_same_time_get_different_attempts(start: Start) -> None:
    keys = [f"{number:064}" for number in range(20)]
    racers = [start(RACE, *keys) for _ in range(4)]
    assert {racer.line() for racer in racers} == {"ready"}
    for racer in racers:
        racer.go()
    ids = [identity for racer in racers for identity in racer.line().split()]
    assert len(ids) == len(set(ids)) == 4 * len(keys)


def test_processes_can_claim_while_others_discard(start: Start) -> None:
    processes = [start(CHURN, KEY) for _ in range(4)]
    assert {process.line() for process in processes} == {"ready"}
    for process in processes:
        process.go()
    assert [process.end() for process in processes] == [(0, "")] * 4
    assert not is_left(KEY)


# Discarded attempts.


@pytest.mark.parametrize("again", [False, True], ids=["new", "continued"])
def test_a_discarded_attempt_leaves_no_files(checkout: Path, start: Start, again: bool) -> None:
    if again:
        kill_after_first_epoch(start)
    with claimed(KEY) as attempt:
        assert attempt.again == again
        attempt.checkpoint.write_bytes(FIRST_EPOCH)
        attempt.discard()
    assert not attempt.place.exists()
    assert [path for path in (checkout / ".moodring").rglob("*") if KEY in path.name] == []
    assert not is_left(KEY)


def test_the_attempt_after_a_discarded_one_is_new() -> None:
    with claimed(KEY) as first:
        first.checkpoint.write_bytes(FIRST_EPOCH)
        first.discard()
    with claimed(KEY) as second:
        assert not second.again
        assert second.id != first.id
        assert not second.checkpoint.exists()


def test_an_abandoned_second_attempt_continues_before_a_new_one_starts() -> None:
    with claimed(KEY) as first:
        with claimed(KEY) as second:
            pass
        first.discard()
    with claimed(KEY) as third:
        assert (third.id, third.again) == (second.id, True)
        third.discard()
    assert not is_left(KEY)


def test_discard_removes_only_its_own_attempt() -> None:
    other = abandoned_attempt(OTHER)
    with claimed(KEY) as attempt:
        attempt.discard()
    assert abandoned() == [Attempt(other.id, other.place, again=True)]


# Abandoned attempts.


def test_a_checkout_without_attempts_has_no_abandoned_ones() -> None:
    assert abandoned() == []


def test_the_attempts_of_killed_processes_are_abandoned(start: Start) -> None:
    ids = {kill_after_first_epoch(start, KEY), kill_after_first_epoch(start, OTHER)}
    assert {attempt.id for attempt in abandoned()} == ids
    assert [attempt.checkpoint.read_bytes() for attempt in abandoned()] == [FIRST_EPOCH] * 2


def test_the_attempt_of_a_live_process_is_not_abandoned(start: Start) -> None:
    identity = kill_after_first_epoch(start, OTHER)
    start(HOLD, KEY, "").line()
    assert [attempt.id for attempt in abandoned()] == [identity]


def test_an_attempt_that_this_process_holds_is_not_abandoned(start: Start) -> None:
    identity = kill_after_first_epoch(start, OTHER)
    with claimed(KEY) as held:
        assert [attempt.id for attempt in abandoned()] == [identity]
    assert {attempt.id for attempt in abandoned()} == {identity, held.id}


def test_the_search_for_abandoned_attempts_changes_none_of_them(start: Start) -> None:
    identity = kill_after_first_epoch(start)
    assert abandoned() == abandoned() != []
    with claimed(KEY) as attempt:
        assert (attempt.id, attempt.again) == (identity, True)
        assert attempt.checkpoint.read_bytes() == FIRST_EPOCH


def test_an_attempt_exists_from_its_claim_until_it_is_discarded(start: Start) -> None:
    assert not is_left(KEY)
    kill_after_first_epoch(start)
    assert is_left(KEY)
    assert not is_left(OTHER)
    with claimed(KEY) as attempt:
        assert is_left(KEY)
        attempt.discard()
        assert not is_left(KEY)


# The location of the state.


@pytest.mark.parametrize("inside", ["", ".dvc/tmp/exps/tmpabc", ".dvc/tmp/exps/standalone/tmpabc"])
def test_the_state_is_under_the_root_of_the_real_checkout(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    (checkout / inside).mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("DVC_ROOT", str(checkout / inside))
    with claimed(KEY) as attempt:
        assert attempt.checkpoint.is_relative_to(checkout / ".moodring" / "attempts")
        if inside:
            assert os.listdir(checkout / inside) == []  # noqa: PTH208


def test_an_experiment_killed_in_one_temporary_copy_continues_in_another(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    copies = checkout / ".dvc" / "tmp" / "exps" / "standalone"
    monkeypatch.setenv("DVC_ROOT", str(copies / "tmpone"))
    identity = kill_after_first_epoch(start)
    monkeypatch.setenv("DVC_ROOT", str(copies / "tmpother"))
    with claimed(KEY) as attempt:
        assert (attempt.id, attempt.again) == (identity, True)
        assert attempt.checkpoint.read_bytes() == FIRST_EPOCH


def test_another_checkout_has_other_attempts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    kill_after_first_epoch(start)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "another"))
    assert not is_left(KEY)
    assert abandoned() == []
