"""A download is tried again after a temporary failure."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from moodring.errors import MoodringError
from moodring.sources import fetch


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[int], list[int]]]:
    """A server's address, the statuses that it answers first, and the statuses that it answered so far."""
    first: list[int] = []
    answered: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = first.pop(0) if first else 200
            answered.append(status)
            self.send_response(status)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"data")

        def log_message(self, *args: object) -> None: ...

    monkeypatch.setattr(fetch, "PAUSES", (0.0, 0.0))
    monkeypatch.delenv(fetch.MIRROR_VARIABLE, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/file", first, answered
        running.shutdown()
        thread.join()


def test_a_download_succeeds_after_two_server_errors(server) -> None:
    address, first, answered = server
    first += [503, 500]
    with fetch.fetched(["file"], home=address) as path:
        assert path is not None
        assert path.read_bytes() == b"data"
    assert answered == [503, 500, 200]


def test_a_download_fails_after_three_server_errors(server) -> None:
    address, first, answered = server
    first += [503, 503, 503]
    with pytest.raises(MoodringError, match="503"), fetch.fetched(["file"], home=address):
        pass
    assert answered == [503, 503, 503]


def test_a_missing_file_is_requested_once(server) -> None:
    address, first, answered = server
    first += [404]
    with pytest.raises(MoodringError, match="404"), fetch.fetched(["file"], home=address):
        pass
    assert answered == [404]
