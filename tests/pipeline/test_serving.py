"""The registered model behind MLflow's own server, and `moodring predict` in a pipe."""

from __future__ import annotations

import json
import os
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

from tests.pipeline.conftest import Project, answers, free_port, until

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Server:
    """`mlflow models serve`, answering."""

    address: str
    process: subprocess.Popen[str]

    def post(self, body: Any) -> tuple[int, Any]:
        """Status and answer of a request for scores; a body that is no text is sent as JSON."""
        request = urllib.request.Request(
            f"{self.address}/invocations",
            (body if isinstance(body, str) else json.dumps(body)).encode(),
            {"Content-Type": "application/json"},
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
def server(made: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The first registered model, served from an empty folder."""
    room = tmp_path_factory.mktemp("serving")
    (room / "empty").mkdir()
    port = free_port()
    # The checkout is not the working directory: of the model it serves only what was logged is there.
    elsewhere = Project(room / "empty", made.home)
    process = elsewhere.start(
        *("sh", "-c", f'exec "$@" 2>"{room / "log"}"', "sh"),
        *("mlflow", "models", "serve", "--model-uri", "models:/moodring-tiny/1", "--env-manager", "local"),
        *("--host", "127.0.0.1", "--port", str(port)),
        MLFLOW_TRACKING_URI=f"sqlite:///{made.root / 'mlflow.db'}",
    )
    try:
        until(lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}/ping"), "the server")
        assert process.poll() is None, (room / "log").read_text(encoding="utf-8")
        yield Server(f"http://127.0.0.1:{port}", process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def texts(made: Project) -> list[str]:
    """The raw texts of the test split, in its order."""
    raw = pq.read_table(made.root / "data/raw.parquet").to_pandas()
    found: list[str] = raw.loc[raw["split"] == "test", "text"].tolist()
    return found


def test_served_scores_are_those_of_the_evaluation(
    project: Project, server: Server, texts: list[str]
) -> None:
    evaluated = pq.read_table(project.root / "data/scores.parquet")["score"].to_pylist()
    served = server.predict(texts)
    assert [row["score"] for row in served] == pytest.approx(evaluated, abs=1e-6)
    assert [row["label"] for row in served] == [
        "positive" if score >= 0.5 else "negative" for score in evaluated
    ]
    assert {row["label"] for row in served} == {"positive", "negative"}


def test_a_text_is_served_alone_as_in_a_batch(server: Server, texts: list[str]) -> None:
    together = server.predict(texts)
    # Short and long ones: what a text is padded to is not to depend on its neighbours.
    chosen = sorted(range(len(texts)), key=lambda index: len(texts[index].split()))
    for index in (*chosen[:3], *chosen[-3:]):
        (alone,) = server.predict([texts[index]])
        assert alone["score"] == pytest.approx(together[index]["score"], abs=1e-6)
        assert alone["label"] == together[index]["label"]


def test_empty_foreign_and_very_long_texts_are_answered(server: Server) -> None:
    odd = ["", " \n\t", "電影 ünïcödé 🙂", "wonderful film " * 100_000, "a dull film"]
    rows = server.predict(odd)
    assert all(0 <= row["score"] <= 1 for row in rows)
    # What says nothing is all scored as one; what is beside it is scored as ever.
    assert rows[0] == rows[1]
    assert rows[3]["label"] == "positive"
    (alone,) = server.predict(["a dull film"])
    assert rows[4]["score"] == pytest.approx(alone["score"], abs=1e-6)
    assert server.predict([]) == []


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": "a wonderful film"},
        {"inputs": [1, 2]},
        {"inputs": [["a wonderful film"]]},
        {"inputs": [None]},
        {"texts": ["a wonderful film"]},
        ["a wonderful film"],
        "no JSON",
    ],
    ids=["no list", "numbers", "nested", "null", "other key", "bare list", "no JSON"],
)
def test_a_request_of_the_wrong_shape_is_refused_and_the_server_lives_on(server: Server, body: Any) -> None:
    status, answer = server.post(body)
    assert 400 <= status < 500
    assert answer["message"]
    assert server.process.poll() is None
    assert server.predict(["a wonderful film"])[0]["label"] == "positive"


def test_predict_reads_standard_input_as_it_reads_arguments(project: Project, tmp_path: Path) -> None:
    texts = ["a wonderful film", "", "  dull; awful & boring!! ", "電影 ünïcödé", "-v"]
    (tmp_path / "texts").write_text("\n".join(texts), encoding="utf-8")
    command = ("moodring", "predict", "--model", "models:/moodring-tiny/1")
    arguments = project.run(*command, "--", *texts).stdout
    piped = project.run("sh", "-c", 'exec "$@" <"$0"', str(tmp_path / "texts"), *command).stdout
    assert [json.loads(line)["text"] for line in arguments.splitlines()] == texts
    assert piped == arguments
