"""`moodring ui`: a real server, looked at with a real browser. The screenshots stay in tests/screenshots."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import MlflowClient
from typer.testing import CliRunner, Result

from moodring.cli.app import app
from moodring.cli.ui import _advice
from moodring.mlflow_ui.saved_view import VIEW, is_current
from moodring.params.pipeline import Params
from tests.browser import NAMES, Page, browser, find_browser
from tests.conftest import ROOT
from tests.tracking.results import checkout, chosen, log_result

pytestmark = pytest.mark.slow

SCREENSHOTS = ROOT / "tests" / "screenshots"
WAIT_SECONDS = 900
# The names of the columns from left to right; the page has them in another order.
SHOWN_COLUMNS = """
[...document.querySelectorAll('.ag-header-cell')]
    .sort((one, other) => one.getBoundingClientRect().left - other.getBoundingClientRect().left)
    .map(cell => cell.innerText.trim())
"""
COLUMNS = ("arch", "test_accuracy", "test_gain", "best_val_accuracy", "Duration")


def free_port() -> int:
    """A port on which no program listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def environment(root: Path, **added: str) -> dict[str, str]:
    """The variables of a command in a checkout: without those of the developer."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "DVC_ROOT": str(root), **added}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from moodring.cli.app import app; app()", "ui", *arguments]


@dataclass(frozen=True)
class Ui:
    """A running `moodring ui`: its process, the links that it printed, and its other lines."""

    root: Path
    port: int
    process: subprocess.Popen[str]
    links: dict[str, str]
    lines: list[str]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(self.address)

    def processes(self) -> list[int]:
        """The ids of the command's process and of those below it."""
        listed = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True)
        parents = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()[1:]]
        found = [self.process.pid]
        for known in found:
            found += [pid for pid, parent in parents if parent == known]
        return found


@pytest.fixture(scope="module")
def root(params: Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with runs of two datasets. The best run by validation is the second of three."""
    place = tmp_path_factory.mktemp("a checkout")  # with a space
    with checkout(place):
        runs = (("rnn", 0.7, 0.71, -0.05), ("bilstm", 0.8, 0.83, 0.07), ("lstm", 0.76, 0.85, 0.09))
        for arch, validation, accuracy, gain in runs:
            films = chosen(params, "films", arch)
            log_result(place, films, validation, accuracy, gain, model=arch == "bilstm")
        log_result(place, chosen(params, "tweets_2-x", "gru"), 0.66, 0.66, 0.01, model=False)
    return place


@pytest.fixture(scope="module")
def ui(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """`moodring ui`, started as a user starts it, with a proxy in the environment that must not be asked."""
    port = free_port()
    errors = tmp_path_factory.mktemp("ui") / "stderr"
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            command("--port", str(port)),
            cwd=root,
            env=environment(root, http_proxy="http://127.0.0.1:9"),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    assert process.stdout is not None
    try:
        lines = []
        while (line := process.stdout.readline()) and not line.startswith("Ctrl-C"):
            lines.append(line.rstrip())
        links = dict(line.split(": ", 1) for line in lines if "#/experiments/" in line)
        others = [line for line in lines if "#/experiments/" not in line]
        yield Ui(root, port, process, links, others)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=WAIT_SECONDS)
        written = errors.read_text().splitlines()
        assert (process.returncode, rest) == (0, "stopped\n"), written
        # Neither requests nor warnings: one line, of MLflow, on who may connect.
        assert [line for line in written if "localhost-only" not in line] == []
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


@pytest.fixture(scope="module")
def page(ui: Ui, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A browser beside the server."""
    program = find_browser()
    if program is None:
        pytest.skip(f"no browser is installed: none of {', '.join(NAMES)}")
    with browser(program, tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def test_the_links_of_all_datasets_are_printed_once_the_server_answers(ui: Ui):
    assert list(ui.links) == ["films", "tweets_2-x"]
    assert all(link.startswith(f"{ui.address}/#/experiments/") for link in ui.links.values())
    assert ui.client.get_experiment_by_name("films") is not None


def test_the_server_is_small_and_says_little(ui: Ui):
    assert ui.lines == [f"starting the MLflow UI at {ui.address}"]
    assert len(ui.processes()) == 3, "this command, MLflow's, and one worker"


def run_ui(root: Path, patch: pytest.MonkeyPatch, *arguments: str, **variables: str) -> Result:
    """Run `moodring ui` in this process, to its end."""
    for name, value in {"DVC_ROOT": str(root), **variables}.items():
        patch.setenv(name, value)
    try:
        return CliRunner().invoke(app, ["ui", *arguments])
    finally:
        mlflow.set_tracking_uri(None)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])  # noqa: S104
def test_a_busy_port_is_named(ui: Ui, monkeypatch: pytest.MonkeyPatch, host: str):
    done = run_ui(ui.root, monkeypatch, "--port", str(ui.port), "--host", host)
    assert done.exit_code == 1
    assert f"cannot listen on port {ui.port} of {host!r}: Address already in use" in done.stderr
    assert f"moodring ui --port {ui.port + 1}" in done.stderr


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "http://127.0.0.1", "[::1]", ""])
def test_a_host_that_is_not_this_machine_is_named(root: Path, monkeypatch: pytest.MonkeyPatch, host: str):
    done = run_ui(root, monkeypatch, "--port", str(free_port()), "--host", host)
    assert done.exit_code == 1
    assert f" of {host!r}: " in done.stderr
    assert done.stderr.endswith("moodring ui --host 127.0.0.1\n")


@pytest.mark.parametrize(
    ("code", "port", "expected"),
    [
        (errno.EADDRINUSE, 5000, "moodring ui --port 5001"),
        (errno.EADDRINUSE, 65535, "moodring ui --port 65534"),
        (errno.EACCES, 80, "above 1023"),
    ],
)
def test_the_advice_is_that_of_the_error(code: int, port: int, expected: str):
    assert expected in _advice(OSError(code, os.strerror(code)), port)


def test_a_store_on_a_server_has_its_ui_there(ui: Ui, monkeypatch: pytest.MonkeyPatch):
    """Its links are printed without the password, and an experiment of an older version gets its view."""
    old = ui.client.create_experiment("of an older version")
    ui.client.create_run(old, tags={"data_sha256": "d" * 64})
    store = ui.address.replace("http://", "http://user:hush@")
    done = run_ui(ui.root, monkeypatch, MLFLOW_TRACKING_URI=f"{store}/")
    assert (done.exit_code, done.stderr) == (0, "")
    first, *links = done.stdout.splitlines()
    assert first == f"The runs are on the server {ui.address}, which has its own UI. Nothing is started here."
    assert [line.split(": ", 1)[0] for line in links] == ["films", "of an older version", "tweets_2-x"]
    assert f"films: {ui.links['films']}" in links
    assert "hush" not in done.stdout
    assert is_current(ui.client.get_experiment(old).tags[VIEW])
    ui.client.delete_experiment(old)


def test_a_server_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    done = run_ui(tmp_path, monkeypatch, MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert done.exit_code == 1
    assert "cannot open the MLflow store http://127.0.0.1:9" in done.stderr


def column(page: Page, name: str) -> list[str]:
    """The cells of a column of the table of runs, from above."""
    cells = f"""[...document.querySelectorAll('.ag-row [col-id="{name}"]')]
        .sort((one, other) => one.getBoundingClientRect().y - other.getBoundingClientRect().y)
        .map(cell => cell.innerText.trim())"""
    found = page.run(cells)
    assert isinstance(found, list)
    return found


def test_the_table_of_runs_has_the_best_first(ui: Ui, page: Page):
    page.open(ui.links["films"])
    page.wait("Best first", "arch", "test_accuracy", "test_gain", "best_val_accuracy", "Duration", "rnn")
    page.screenshot(SCREENSHOTS / "runs.png")
    assert column(page, "params.`arch`") == ["bilstm", "lstm", "rnn"]
    assert column(page, "metrics.`test_accuracy`") == ["0.83", "0.85", "0.71"]
    assert column(page, "metrics.`test_gain`") == ["0.07", "0.09", "-0.05"]
    assert column(page, "metrics.`best_val_accuracy`") == ["0.8", "0.76", "0.7"]
    places = page.run(SHOWN_COLUMNS)
    assert [name for name in places if name] == ["Run Name", "Created", *COLUMNS]


def test_runs_are_compared_by_their_curves(ui: Ui, page: Page):
    page.open(f"{ui.links['films']}&compareRunsMode=CHART")
    page.wait("Model metrics", "val_accuracy", "val_loss", "bilstm (val_accuracy)", "lstm (val_accuracy)")
    page.screenshot(SCREENSHOTS / "curves.png")
    assert page.run("document.querySelectorAll('.js-line').length") >= 3
    # The chart is of the whole training: it has a point for each epoch.
    assert page.run("document.querySelectorAll('.scatterlayer .point').length") >= 3 * 3


def test_two_runs_stand_side_by_side(ui: Ui, page: Page):
    experiment = ui.client.get_experiment_by_name("films").experiment_id
    found = ui.client.search_runs([experiment], "params.arch LIKE '%lstm'")
    runs = [run.info.run_id for run in found]
    page.open(f"{ui.address}/#/compare-runs?runs={json.dumps(runs)}&experiments={json.dumps([experiment])}")
    text = page.wait("Comparing 2 Runs", "arch.units", "data.max_length", "arch.bidirectional", "test_gain")
    page.screenshot(SCREENSHOTS / "two_runs.png")
    assert "archs.lstm" not in text
    assert "archs.bilstm" not in text


def test_the_page_of_a_run_says_how_good_it_is_and_how_to_load_it(ui: Ui, page: Page):
    experiment = ui.client.get_experiment_by_name("films").experiment_id
    (run,) = ui.client.search_runs([experiment], "params.arch = 'bilstm'")
    page.open(f"{ui.address}/#/experiments/{experiment}/runs/{run.info.run_id}")
    text = page.wait("films, bilstm: 83.0% of 2,000 test texts are correct", "Metrics (", "moodring-films")
    page.screenshot(SCREENSHOTS / "run.png")
    assert 'mlflow.pyfunc.load_model("models:/moodring-films/1")' in text
    shown = text.partition("Metrics (")[2].partition("Parameters (")[0].splitlines()
    assert {"train_accuracy", "val_accuracy", "test_accuracy", "test_gain"} <= set(shown)
    assert not {"accuracy", "best_accuracy", "test_rows", "test_accuracy_low", "weights"} & set(shown)


def test_the_page_of_a_model_says_how_good_it_is_and_how_to_load_it(ui: Ui, page: Page):
    page.open(f"{ui.address}/#/models/moodring-films/versions/1")
    text = page.wait("films, bilstm: 83.0% of 2,000 test texts are correct", "Source Run")
    page.screenshot(SCREENSHOTS / "version.png")
    assert "test accuracy\t83.00% (95 % interval 81.00% to 85.00%)" in text
    assert "moodring predict --model models:/moodring-films/1 " in text
    page.open(f"{ui.address}/#/models/moodring-films")
    page.wait("models:/moodring-films@champion", "films, bilstm: 83.0%")
    page.screenshot(SCREENSHOTS / "model.png")


def test_from_the_plain_page_of_an_experiment_a_link_leads_to_the_runs(ui: Ui, page: Page):
    experiment = ui.client.get_experiment_by_name("films").experiment_id
    page.open(f"{ui.address}/#/experiments/{experiment}")
    page.wait("All runs, best first", "Best run")
    links = page.run("[...document.querySelectorAll('a')].map(link => link.href)")
    assert ui.links["films"] in links
