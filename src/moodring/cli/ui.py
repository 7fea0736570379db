"""Start the MLflow UI, and say where the runs of each dataset are."""

from __future__ import annotations

import errno
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Annotated

import typer

from moodring.checkout.root import checkout_root
from moodring.cli.programs import own_programs_first
from moodring.errors import MoodringError, shows_errors

# One process that answers, without MLflow's executor of jobs for language models: a sixth of the memory.
SERVER = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "PYTHONWARNINGS": "ignore"}
QUIET = "--no-access-log --log-level warning"
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared with, not listened on
LAST_PORT = 65535


@shows_errors
def ui(
    port: Annotated[int, typer.Option(min=1, max=LAST_PORT, help="port to listen on")] = 5000,
    host: Annotated[str, typer.Option(help="address to listen on; there is no login")] = "127.0.0.1",
) -> None:
    """Start the MLflow UI with this checkout's store, and print the address of each dataset's runs.

    If the store is a server, its UI is there: the addresses are printed and nothing is started.
    """
    from moodring.tracking.addresses import artifact_root, server_of, store_uri
    from moodring.tracking.listing import run_pages

    pages = run_pages()
    if (server := server_of(store_uri())) is not None:
        print(f"The runs are on the server {server}, which has its own UI. Nothing is started here.")
        _show(server, pages)
        return
    _check_free(host, port)
    command = ["mlflow", "server", "--backend-store-uri", store_uri(), "--registry-store-uri", store_uri()]
    command += ["--default-artifact-root", artifact_root(), "--host", host, "--port", str(port)]
    command += ["--workers", "1", "--uvicorn-opts", QUIET]
    reached = WILDCARDS.get(host, host)
    address = f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
    print(f"starting the MLflow UI at {address}", flush=True)
    _serve(command, address, pages)


def _show(server: str, pages: dict[str, str]) -> None:
    for dataset, page in pages.items():
        print(f"{dataset}: {server}/{page}")
    if not pages:
        print(f"{server}: there are no runs yet; `dvc repro` makes the first one")
    sys.stdout.flush()


def _check_free(host: str, port: int) -> None:
    """Refuse a host that this machine does not have, and a port that another program listens on."""
    try:
        wanted = socket.AF_INET6 if ":" in host else socket.AF_INET
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, wanted, socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
    except OSError as error:
        said = f"cannot listen on port {port} of {host!r}: {error.strerror or error}"
        raise MoodringError(f"{said}. {_advice(error, port)}") from error


def _advice(error: OSError, port: int) -> str:
    """What to do about a host and a port that cannot be listened on."""
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < LAST_PORT else port - 1
        return (
            "Another program uses the port, perhaps another `moodring ui`. Choose a free one: "
            f"moodring ui --port {other}"
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "This user may not use the port. Choose one above 1023: moodring ui --port 5000"
    return "Name an address of this machine, without http://, brackets or port: moodring ui --host 127.0.0.1"


def _serve(command: list[str], address: str, pages: dict[str, str]) -> None:
    """Run the server until it ends or this process is told to end; show the pages once it answers."""

    def end(number: int, frame: object) -> None:  # noqa: ARG001
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    # In a group of its own, so that Ctrl-C ends it through this process alone, without tracebacks.
    environment = {**own_programs_first(), **SERVER}
    server = subprocess.Popen(command, cwd=checkout_root(), env=environment, process_group=0)
    try:
        while server.poll() is None and not _answers(address):
            time.sleep(0.2)
        if server.poll() is None:
            _show(address, pages)
            print("Ctrl-C stops it.", flush=True)
        if code := server.wait():
            raise MoodringError(f"the MLflow server ended with exit code {code}; see its messages above")
    except KeyboardInterrupt:
        print("stopped")
    finally:
        server.terminate()
        server.wait()


def _answers(address: str) -> bool:
    # A proxy of the environment must not get a request for this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{address}/health", timeout=5) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004
    except (OSError, urllib.error.URLError):  # not yet
        return False
