"""The registered model in MLflow's own server, and `moodring predict` with standard input."""

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

from tests.pipeline.conftest import Project, free_port, server_answers, wait_until

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Server:
    """A running `mlflow models serve`."""

    address: str
    process: subprocess.Popen[str]

    def post(self, body: Any) -> tuple[int, Any]:
        """Request scores; returns status and answer. A body that is not a string is sent as JSON."""
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
    ids=["not a list", "numbers", "nested list", "null", "unknown key", "list without key", "not JSON"],
)
def test_a_malformed_request_is_refused_and_the_server_continues(server: Server, body: Any) -> None:
    status, answer = server.post(body)
    assert 400 <= status < 500
    assert answer["message"]
    assert server.process.poll() is None
    assert server.predict(["a wonderful film"])[0]["label"] == "positive"


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
