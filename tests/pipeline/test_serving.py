"""The registered model in MLflow's own server, and `moodring predict` with standard input."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.conftest import ROOT
from tests.pipeline.conftest import Project, free_port, server_answers, wait_until

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Server:
    """A running `mlflow models serve`."""

    address: str
    process: subprocess.Popen[str]

    def post(self, body: Any, kind: str = "application/json") -> tuple[int, Any]:
        """Request scores; returns status and answer. A body that is not a string is sent as JSON."""
        request = urllib.request.Request(
            f"{self.address}/invocations",
            (body if isinstance(body, str) else json.dumps(body)).encode(),
            {"Content-Type": kind},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(answer.status), json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        status, answer = self.post({"inputs": texts})
        assert status == 200, answer
        rows: list[dict[str, Any]] = answer["predictions"]
        assert len(rows) == len(texts)
        return rows


@pytest.fixture(scope="module")
def server(shared_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the first registered model, started in an empty directory."""
    directory = tmp_path_factory.mktemp("serving")
    (directory / "empty").mkdir()
    port = free_port()
    # The working directory is not the checkout: the server has only the logged files of the model.
    empty = Project(directory / "empty", shared_project.home)
    process = empty.start(
        *("sh", "-c", f'exec "$@" 2>"{directory / "log"}"', "sh"),
        *("mlflow", "models", "serve", "--model-uri", "models:/moodring-tiny/1", "--env-manager", "local"),
        *("--host", "127.0.0.1", "--port", str(port)),
        MLFLOW_TRACKING_URI=f"sqlite:///{shared_project.root / 'mlflow.db'}",
    )
    try:
        wait_until(
            lambda: process.poll() is not None or server_answers(f"http://127.0.0.1:{port}/ping"),
            "the server",
        )
        assert process.poll() is None, (directory / "log").read_text(encoding="utf-8")
        yield Server(f"http://127.0.0.1:{port}", process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def texts(shared_project: Project) -> list[str]:
    """The raw texts of the test split, in its order."""
    raw = pq.read_table(shared_project.root / "data/raw.parquet").to_pandas()
    found: list[str] = raw.loc[raw["split"] == "test", "text"].tolist()
    return found


def test_served_scores_equal_the_scores_of_the_evaluation(
    project: Project, server: Server, texts: list[str]
) -> None:
    evaluated = pq.read_table(project.root / "data/scores.parquet")["score"].to_pylist()
    served = server.predict(texts)
    assert [row["score"] for row in served] == pytest.approx(evaluated, abs=1e-6)
    assert [row["label"] for row in served] == [
        "positive" if score >= 0.5 else "negative" for score in evaluated
    ]
    assert {row["label"] for row in served} == {"positive", "negative"}


def test_a_text_has_the_same_score_alone_and_in_a_batch(server: Server, texts: list[str]) -> None:
    together = server.predict(texts)
    # Short and long texts: the padding of a text must not depend on the other texts.
    chosen = sorted(range(len(texts)), key=lambda index: len(texts[index].split()))
    for index in (*chosen[:3], *chosen[-3:]):
        (alone,) = server.predict([texts[index]])
        assert alone["score"] == pytest.approx(together[index]["score"], abs=1e-6)
        assert alone["label"] == together[index]["label"]


def test_empty_foreign_and_very_long_texts_get_scores(server: Server) -> None:
    odd = ["", " \n\t", "電影 ünïcödé 🙂", "wonderful film " * 100_000, "a dull film"]
    rows = server.predict(odd)
    assert all(0 <= row["score"] <= 1 for row in rows)
    # All empty texts get the same score. The other texts keep their scores.
    assert rows[0] == rows[1]
    assert rows[3]["label"] == "positive"
    (alone,) = server.predict(["a dull film"])
    assert rows[4]["score"] == pytest.approx(alone["score"], abs=1e-6)
    assert server.predict([]) == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"inputs": ["a wonderful film", "a dull film"]}, "application/json"),
        (
            {"inputs": [{"text": "a wonderful film", "id": 1}, {"text": "a dull film", "id": 2}]},
            "application/json",
        ),
        ({"inputs": {"review": ["a wonderful film", "a dull film"]}}, "application/json; charset=utf-8"),
        ({"inputs": ["a wonderful film", "a dull film"], "params": None}, "application/json"),
        ("review\na wonderful film\na dull film\n", "text/csv"),
        ("id,text\n1,a wonderful film\n2,a dull film\n", "text/csv"),
    ],
    ids=["list", "records", "columns", "no params", "CSV", "CSV with a column text"],
)
def test_a_request_has_the_texts_in_one_of_several_forms(server: Server, body: Any, kind: str) -> None:
    status, answer = server.post(body, kind)
    assert status == 200, answer
    assert [row["label"] for row in answer["predictions"]] == ["positive", "negative"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"inputs": [1, 2]}, "text 0 (from 0) must be a string, received: 1"),
        ({"inputs": ["a film", 2]}, "text 1 (from 0) must be a string, received: 2"),
        (
            {"inputs": [["a wonderful film"]]},
            "text 0 (from 0) must be a string, received: ['a wonderful film']",
        ),
        ({"inputs": [None]}, "text 0 (from 0) must be a string, received: None"),
        ({"inputs": None}, "received: NoneType"),
        ('{"inputs": ["a film", "\\ud800"]}', "text 1 (from 0) is not valid Unicode"),
        ('{"inputs": [NaN]}', "text 0 (from 0) must be a string, received: nan"),
        ({"inputs": [{"a": "x", "b": "y"}]}, "received the columns: 'a', 'b'"),
        ({"inputs": ["a film"], "params": {"threshold": 0.9}}, "this model takes no params"),
        ({"dataframe_split": {"columns": ["a", "b"], "data": [["x", "y"]]}}, "'inputs'"),
        ({"dataframe_records": [{"a": "x", "b": "y"}]}, "'inputs'"),
        ({"instances": ["a film"]}, "'inputs'"),
        ({"texts": ["a wonderful film"]}, "'inputs'"),
        ({}, "'inputs'"),
        (["a wonderful film"], "Received a list"),
        ("no JSON", "valid JSON"),
        ("", "valid JSON"),
    ],
    ids=[
        *(
            "numbers",
            "a number",
            "nested list",
            "null",
            "no list",
            "lone surrogate",
            "NaN",
            "columns",
            "params",
        ),
        *(
            "split table",
            "records",
            "instances",
            "unknown key",
            "no key",
            "list without key",
            "not JSON",
            "empty",
        ),
    ],
)
def test_a_malformed_request_is_refused_and_the_server_continues(
    server: Server, body: Any, message: str
) -> None:
    status, answer = server.post(body)
    assert status == 400
    assert message in answer["message"]
    said = json.dumps(answer)
    assert not any(word in said for word in ("Traceback", "stack_trace", "site-packages", ".py", "/tmp"))  # noqa: S108
    assert server.process.poll() is None
    assert server.predict(["a wonderful film"])[0]["label"] == "positive"


def test_a_text_alone_gets_one_row(server: Server) -> None:
    assert server.post({"inputs": "a wonderful film"}) == server.post({"inputs": ["a wonderful film"]})


def test_predict_gives_the_same_output_for_standard_input_and_arguments(
    project: Project, tmp_path: Path
) -> None:
    texts = ["a wonderful film", "", "  dull; awful & boring!! ", "電影 ünïcödé", "-v"]
    (tmp_path / "texts").write_text("\n".join(texts), encoding="utf-8")
    command = ("moodring", "predict", "--model", "models:/moodring-tiny/1")
    arguments = project.run(*command, "--", *texts).stdout
    piped = project.run("sh", "-c", 'exec "$@" <"$0"', str(tmp_path / "texts"), *command).stdout
    assert [json.loads(line)["text"] for line in arguments.splitlines()] == texts
    assert piped == arguments


NAMED = """
import json, sys
from pathlib import Path
from moodring.errors import MoodringError
from moodring.serving.named_model import model_address
from moodring.tracking.store import reaching

with reaching() as client:
    client.set_registered_model_alias("moodring-tiny", "champion", "1")

def said(name):
    try:
        return model_address(name, Path.cwd())
    except MoodringError as error:
        return f"error: {error}"

json.dump({name: said(name) for name in sys.argv[1:]}, sys.stdout)
"""


def test_a_model_has_several_names(project: Project, tmp_path: Path) -> None:
    store = project.store.copy(tmp_path / "mlflow.db")
    ((run_id,),) = store.rows("SELECT run_id FROM model_versions WHERE version = 1")
    ((newest,),) = store.rows("SELECT MAX(version) FROM model_versions WHERE run_id = ?", run_id)
    ((run_name,),) = store.rows("SELECT name FROM runs WHERE run_uuid = ?", run_id)
    first, champion = "models:/moodring-tiny/1", "models:/moodring-tiny@champion"
    of_run, logged = f"models:/moodring-tiny/{newest}", store.files_of(1)
    meant = {
        first: first,
        "s3://bucket/model": "s3://bucket/model",
        "moodring-tiny/1": first,
        "tiny/1": first,
        "tiny/v1": first,
        "models:moodring-tiny/1": first,
        "moodring-tiny": champion,
        "tiny": champion,
        "tiny@champion": champion,
        run_id: of_run,
        run_id[:8]: of_run,
        f"runs:/{run_id}": of_run,
        run_name: of_run,
        "main": of_run,
        str(logged): str(logged),
        f"m-{'0' * 32}": f"models:/m-{'0' * 32}",
    }
    refused = {
        "tiny@best": ("no alias 'best'", "moodring-tiny/"),
        "tinny": ("there is no model 'tinny'", "moodring-tiny/", "NAME/VERSION"),
        "tinny@champion": ("there is no model 'tinny@champion'", "NAME@ALIAS"),
        "0123abcd": ("there is no model '0123abcd'", "moodring runs"),
        "": ("there is no model ''",),
        "it's; --help": ("there is no model",),
        str(project.root / "models"): ("no file MLmodel", "Without --model"),
        "/no/such/model": ("/no/such/model", "does not exist"),
    }
    done = project.run("python", "-c", NAMED, *meant, *refused, MLFLOW_TRACKING_URI=store.address)
    answers = json.loads(done.stdout)
    assert {name: answers[name] for name in meant} == meant
    for name, words in refused.items():
        assert answers[name].startswith("error: ")
        assert all(word in answers[name] for word in words), answers[name]


def test_the_evaluation_of_the_documentation_runs(project: Project, tmp_path: Path) -> None:
    store = project.store.copy(tmp_path / "mlflow.db")
    page = (ROOT / "docs/serving.md").read_text(encoding="utf-8")
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "evaluate(" in block]
    code = code.replace("sqlite:///mlflow.db", store.address).replace("rotten_tomatoes", "tiny")
    done = project.run("python", "-c", code, MLFLOW_TRACKING_URI=store.address)
    assert done.stdout.split() == ["1.0", "1.0"]
