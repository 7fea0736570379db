"""The places where a source file is searched, and the error if no place has it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from moodring.errors import MoodringError
from moodring.sources.fetch import fetched, nltk_data_paths

CLOSED = "http://127.0.0.1:9/corpus.zip"  # no server listens at this port
Serve = Callable[[dict[str, bytes]], str]


def whole(body: bytes) -> bytes:
    return b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.fixture(autouse=True)
def _checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout for each test, and no proxy between the test and its server."""
    (tmp_path / "checkout/.dvc").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "checkout")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("MOODRING_MIRROR", "")  # monkeypatch undoes the changes of `fetch` after the test


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A function: it starts a server of raw responses by path (others are 404), and returns its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(responses: dict[str, bytes]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.wfile.write(responses.get(self.path, b"HTTP/1.0 404 Not Found\r\n\r\n"))

            def log_message(self, *args: object) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.01}).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def put(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def fetch(
    *names: str, mirror: str = "", home: str | None = CLOSED, nearby: Path | None = None
) -> bytes | None:
    """The fetched file's bytes, or None."""
    os.environ["MOODRING_MIRROR"] = mirror
    with fetched(names or ["corpus.zip"], home=home, nearby=[nearby] if nearby else []) as path:
        return path.read_bytes() if path else None


def refusal(mirror: str, nearby: Path | None = None) -> str:
    with pytest.raises(MoodringError) as caught:
        fetch(mirror=mirror, nearby=nearby)
    return str(caught.value)


def test_the_mirror_comes_first(tmp_path: Path, serve: Serve) -> None:
    put(tmp_path / "mirror/corpus.zip", "mirror")
    nearby, home = put(tmp_path / "nearby", "nearby"), serve({"/corpus.zip": whole(b"home")})
    mirror = str(tmp_path / "mirror")
    assert fetch(mirror=mirror, nearby=nearby, home=f"{home}/corpus.zip") == b"mirror"


def test_a_mirror_url_comes_before_nearby_paths(tmp_path: Path, serve: Serve) -> None:
    nearby = put(tmp_path / "nearby", "nearby")
    assert fetch(mirror=serve({"/corpus.zip": whole(b"mirror")}), nearby=nearby) == b"mirror"


def test_nearby_paths_come_before_the_published_address(tmp_path: Path, serve: Serve) -> None:
    (tmp_path / "mirror").mkdir()
    nearby, home = put(tmp_path / "nearby", "nearby"), serve({"/corpus.zip": whole(b"home")})
    mirror = str(tmp_path / "mirror")
    assert fetch(mirror=mirror, nearby=nearby, home=f"{home}/corpus.zip") == b"nearby"


@pytest.mark.parametrize("found", ["404", "nothing", "no mirror"])
def test_the_published_address_comes_last(tmp_path: Path, serve: Serve, found: str) -> None:
    (tmp_path / "mirror").mkdir()
    mirror = {"404": serve({}), "nothing": str(tmp_path / "mirror"), "no mirror": ""}[found]
    home = serve({"/corpus.zip": whole(b"home")})
    assert fetch(mirror=mirror, nearby=tmp_path / "none", home=f"{home}/corpus.zip") == b"home"


def test_a_relative_mirror_starts_at_the_checkout_not_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "checkout/mirror/corpus.zip", "the checkout's")
    put(tmp_path / "checkout/below/mirror/corpus.zip", "another")
    monkeypatch.chdir(tmp_path / "checkout/below")
    assert fetch(mirror="mirror") == b"the checkout's"


def test_a_mirror_may_start_with_a_tilde(tmp_path: Path) -> None:
    put(tmp_path / "home/mirror/corpus.zip", "in the home directory")
    assert fetch(mirror="~/mirror") == b"in the home directory"


def test_names_are_tried_in_order_in_a_mirror_directory(tmp_path: Path) -> None:
    put(tmp_path / "second.zip", "second")
    put(tmp_path / "third.zip", "third")
    assert fetch("first.zip", "second.zip", "third.zip", mirror=str(tmp_path)) == b"second"


def test_names_are_tried_in_order_at_a_mirror_url(serve: Serve) -> None:
    address = serve({"/deep/second.zip": whole(b"second"), "/third.zip": whole(b"third")})
    assert fetch("first.zip", "deep/second.zip", "third.zip", mirror=f"{address}/") == b"second"


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\nhalf", id="Content-Length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n63\r\nhalf", id="chunked"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="not HTTP"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: many\r\n\r\nhalf", id="no number"),
        pytest.param(b"", id="no answer"),
        pytest.param(b"HTTP/1.0 500 Oops\r\n\r\n", id="500"),
    ],
)
def test_a_broken_download_is_not_used(tmp_path: Path, serve: Serve, response: bytes) -> None:
    nearby = put(tmp_path / "nearby", "whole")
    assert fetch(mirror=serve({"/corpus.zip": response}), nearby=nearby) == b"whole"


def test_the_message_says_where_a_download_was_cut_off(serve: Serve) -> None:
    mirror = serve({"/corpus.zip": b"HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\nhalf"})
    assert f"{mirror}/corpus.zip: cut off after 4 of 99 bytes" in refusal(mirror=mirror)


def test_the_error_names_every_place_and_a_way_out(tmp_path: Path, serve: Serve) -> None:
    mirror = serve({})
    message = refusal(mirror=mirror, nearby=tmp_path / "nearby")
    for place in (f"{mirror}/corpus.zip: HTTP Error 404", f"{tmp_path / 'nearby'}", f"{CLOSED}: "):
        assert place in message
    assert "MOODRING_MIRROR" in message
    assert "dataset=rotten_tomatoes" in message


def test_the_places_in_a_mirror_directory_are_named(tmp_path: Path) -> None:
    assert f"{tmp_path / 'corpus.zip'}: does not exist" in refusal(mirror=str(tmp_path))


@pytest.mark.parametrize("mirror", ["nowhere", "ftp://127.0.0.1/x", "file:///tmp", "~nobody-of-this-name/x"])
def test_a_mirror_that_is_neither_directory_nor_address_is_refused(mirror: str) -> None:
    message = refusal(mirror=mirror)
    assert "MOODRING_MIRROR" in message
    assert repr(mirror) in message


@pytest.mark.parametrize("mirror", ["http://127.0.0.1:9/a b", "http://127.0.0.1:port"])
def test_the_error_names_an_invalid_address(mirror: str) -> None:
    assert mirror in refusal(mirror=mirror)


def test_without_a_published_address_none_is_yielded() -> None:
    assert fetch(home=None) is None


def test_a_download_is_removed_after_its_use(serve: Serve) -> None:
    with fetched(["corpus.zip"], home=f"{serve({'/corpus.zip': whole(b'home')})}/corpus.zip") as path:
        assert path is not None
        assert path.exists()
    assert not path.exists()


def test_nltk_data_comes_before_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLTK_DATA", os.pathsep.join(["/first", "second"]))
    assert nltk_data_paths("corpora/x.zip") == [
        Path("/first/corpora/x.zip"),
        tmp_path / "checkout/second/corpora/x.zip",
        tmp_path / "home/nltk_data/corpora/x.zip",
    ]
