"""Finds a source file: first in the mirror, then on this machine, then at its published address."""

from __future__ import annotations

import http.client
import os
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from moodring.checkout.root import in_checkout
from moodring.errors import FULL, MoodringError, no_space

MIRROR_VARIABLE = "MOODRING_MIRROR"
NLTK_HOME = "https://raw.githubusercontent.com/nltk/nltk_data/gh-pages/packages"
TIMEOUT_SECONDS = 30
MAX_BYTES = 1 << 30
PAUSES = (1.0, 3.0)  # seconds before the second and the third attempt
SERVER_ERROR = 500  # from this HTTP status on, the server failed, not the request
ADVICE = "or use the default dataset, which needs only the package index: dataset=rotten_tomatoes"


@contextmanager
def fetched(
    names: Sequence[str], *, home: str | None = None, nearby: Sequence[Path] = ()
) -> Iterator[Path | None]:
    """Yield a readable path of a source file; None if it is not found and `home` is None.

    Args:
        names: the file's possible paths in a mirror, tried in this order.
        home: the file's published address, tried last.
        nearby: other paths on this machine, tried after the mirror.

    Raises:
        MoodringError: `home` is given and the file is nowhere.
    """
    mirror = os.environ.get(MIRROR_VARIABLE, "").strip()
    tried: list[str] = []
    with tempfile.TemporaryDirectory(prefix="moodring-") as directory:
        target = Path(directory) / Path(names[0]).name
        if mirror and _is_url(mirror):
            for name in names:
                address = f"{mirror.rstrip('/')}/{name}"
                if _download(address, target, tried):
                    yield target
                    return
        elif mirror:
            base = in_checkout(mirror)
            if not base.is_dir():
                raise MoodringError(
                    f"{MIRROR_VARIABLE} must be a directory or an http(s) address, received: {mirror!r}"
                )
            nearby = [*(base / name for name in names), *nearby]
        for path in nearby:
            if path.exists():
                yield path
                return
            tried.append(f"{path}: does not exist")
        if home is None:
            yield None
            return
        if _download(home, target, tried):
            yield target
            return
    raise out_of_reach(Path(names[0]).name, tried)


def out_of_reach(name: str, tried: Sequence[str], advice: str = ADVICE) -> MoodringError:
    """The error for a source that no place has; it names each place and the reason."""
    places = "".join(f"\n  {place}" for place in tried)
    return MoodringError(
        f"cannot reach {name}; tried:{places}\n"
        f"Set {MIRROR_VARIABLE} to a directory or base URL that has it, {advice}"
    )


@contextmanager
def fetched_corpus(name: str, unpacked: str) -> Iterator[Path]:
    """Yield a readable path of one of NLTK's corpora, as `fetched` does.

    Args:
        name: the corpus, whose archive is `corpora/NAME.zip`.
        unpacked: path below `corpora` of the unpacked corpus, which NLTK's downloader leaves there.
    """
    archive = f"corpora/{name}.zip"
    nearby = [*nltk_data_paths(archive), *nltk_data_paths(f"corpora/{unpacked}")]
    names = [f"nltk_data/{archive}", archive, f"{name}.zip"]
    with fetched(names, home=f"{NLTK_HOME}/{archive}", nearby=nearby) as path:
        assert path is not None  # noqa: S101  # `home` is given
        yield path


def nltk_data_paths(relative: str) -> list[Path]:
    """The paths of `relative` where NLTK searches: entries of NLTK_DATA, then the home directory."""
    entries = [entry for entry in os.environ.get("NLTK_DATA", "").split(os.pathsep) if entry]
    return [in_checkout(entry) / relative for entry in (*entries, "~/nltk_data")]


def _is_url(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))


def _download(address: str, target: Path, tried: list[str]) -> bool:
    """Stream `address` into `target`. On failure add the reason to `tried` and return False.

    After a temporary failure the download is tried again, after each of `PAUSES`.
    """
    for pause in (*PAUSES, None):
        try:
            return _download_once(address, target, tried)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, OSError) and error.errno in FULL:
                raise MoodringError(no_space(error, target)) from error  # no other place would help
            if pause is None or not _is_temporary(error):
                tried.append(f"{address}: {error}")
                return False
            time.sleep(pause)
    raise AssertionError("the last attempt returns")


def _is_temporary(error: Exception) -> bool:
    """Whether the server failed, the time ran out, or the connection broke."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code >= SERVER_ERROR
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return isinstance(reason, TimeoutError | ConnectionResetError)


def _download_once(address: str, target: Path, tried: list[str]) -> bool:
    print(f"downloading {address}; a large file may take minutes", file=sys.stderr, flush=True)
    request = urllib.request.Request(address, headers={"User-Agent": "moodring"})
    with (
        urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response,
        target.open("wb") as stream,
    ):
        expected = int(response.headers.get("Content-Length", -1))
        received = 0
        while block := response.read(1 << 20):
            received += len(block)
            if received > MAX_BYTES:
                tried.append(f"{address}: larger than {MAX_BYTES} bytes")
                return False
            stream.write(block)
    if expected not in {-1, received}:
        tried.append(f"{address}: cut off after {received} of {expected} bytes")
        return False
    return True
