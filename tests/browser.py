"""A real headless Chromium for tests, driven through its debugging pipe: without driver and network."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# The browser must reach the tested server alone. A container has no sandbox and little shared memory.
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"),
    *("--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
    *("--hide-scrollbars", "--window-size=1920,1000", "--force-device-scale-factor=1"),
)
WAIT_SECONDS = 900


def find_browser() -> str | None:
    """The path of an installed Chromium or Chrome."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """The browser's only page."""

    def __init__(self, send: int, receive: int) -> None:
        self._send, self._receive = send, receive
        self._rest, self._number, self._session = b"", 0, ""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]

    def open(self, address: str) -> None:
        """Open an address; earlier pages are forgotten, also where only the part after `#` differs."""
        self._call("Page.navigate", url="about:blank")
        self._call("Page.navigate", url=address)

    def text(self) -> str:
        """The visible text."""
        return str(self.run("document.body ? document.body.innerText : ''"))

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        found = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, *parts: str) -> str:
        """The visible text, once all parts occur in it."""
        end = time.monotonic() + WAIT_SECONDS
        while not all(part in (text := self.text()) for part in parts):
            assert time.monotonic() < end, f"{[part for part in parts if part not in text]} not in:\n{text}"
            time.sleep(0.2)
        return text

    def screenshot(self, path: Path) -> None:
        """Save the page as a PNG file, once its pictures have had the time to be drawn."""
        time.sleep(1)
        picture = self._call("Page.captureScreenshot", format="png")["data"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(picture))

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._rest:
                piece = os.read(self._receive, 1 << 20)
                assert piece, "the browser ended"
                self._rest += piece
            first, _, self._rest = self._rest.partition(b"\0")
            answer = json.loads(first)
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer)
                found: dict[str, Any] = answer["result"]
                return found


@contextlib.contextmanager
def browser(program: str, profile: Path) -> Iterator[Page]:
    """Start a browser with an empty profile; it ends after the block."""
    receive, theirs_out = os.pipe()
    theirs_in, send = os.pipe()
    # High numbers, so that the shell does not overwrite one of them by the other.
    theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (theirs_in, theirs_out)]
    # Chromium reads commands from descriptor 3 and writes answers to 4.
    script = 'exec "$0" "$@" 3<&"$MOODRING_IN" 4>&"$MOODRING_OUT"'
    command = [
        "bash",
        "-c",
        script,
        program,
        *OPTIONS,
        f"--user-data-dir={profile}",
        "--remote-debugging-pipe",
    ]
    environment = {**os.environ, "MOODRING_IN": str(theirs[0]), "MOODRING_OUT": str(theirs[1])}
    process = subprocess.Popen(command, env=environment, pass_fds=theirs, stderr=subprocess.DEVNULL)
    for end in (theirs_in, theirs_out, *theirs):
        os.close(end)
    try:
        yield Page(send, receive)
    finally:
        process.terminate()
        process.wait()
        os.close(send)
        os.close(receive)
