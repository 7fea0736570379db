"""Warm programs: one server process imports the libraries once, and forks for each program.

The imports of TensorFlow, MLflow and DVC take seconds. On tiny data they take most of the time of a stage.
The directory `bin` has starters named `python`, `dvc`, `moodring` and `mlflow`. A starter sends its
arguments, environment, working directory and open files to the server, and the server forks. The fork
becomes the program: it runs the same module or script with the code of the checkout, and ends as any process
does. The server imports nothing of Moodring.

The fork joins the process group of the starter, so signals to the group reach it. The starter ends when the
program ends. Tests of signals and tests of the state of a single process start the real programs.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

PROGRAMS = ("python", "dvc", "moodring", "mlflow")
# The libraries that the programs import. TensorFlow must run no operation before the fork: it would start
# threads.
LIBRARIES = (
    *("dvc.cli", "dvc.repo", "dvc.repo.experiments", "dvc.repo.experiments.queue.celery"),
    *("dvc.repo.reproduce", "dvc.stage.run", "dvc_task.worker", "celery.bin.worker"),
    *("mlflow", "mlflow.pyfunc", "mlflow.store.tracking.sqlalchemy_store", "alembic.command"),
    *("keras", "tensorflow", "sklearn.linear_model", "scipy.optimize", "scipy.sparse", "scipy.stats"),
    *("git", "matplotlib.backends.backend_agg", "opentelemetry.sdk.trace"),
    *("matplotlib.pyplot", "nltk", "pandas", "pyarrow.parquet", "pydantic", "typer", "rich", "jinja2"),
    *("ruamel.yaml", "sqlalchemy"),
)


@dataclass(frozen=True)
class Start:
    """The inputs of a program that starts."""

    program: str
    arguments: list[str]
    directory: str
    environment: dict[str, str]
    starter: int  # the program joins the process group of this process, so signals reach it


@contextlib.contextmanager
def warm_programs(environment: dict[str, str]) -> Iterator[Path]:
    """A directory with the warm programs, for the front of PATH. Their server runs while the block runs."""
    # The path of a socket may have about a hundred characters at most.
    with tempfile.TemporaryDirectory(prefix="warm-") as name:
        directory = Path(name)
        (directory / "bin").mkdir()
        for program in PROGRAMS:
            starter = directory / "bin" / program
            start = [sys.executable, "-IS", str(Path(__file__).with_name("warm_start.py"))]
            arguments = [str(directory / "socket"), str(Path(sys.executable).with_name(program))]
            command = shlex.join([*start, *arguments])
            starter.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
            starter.chmod(0o755)
        with subprocess.Popen(
            [sys.executable, "-m", "tests.pipeline.warm", str(directory / "socket")],
            env=environment,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,  # the server ends when this closes, also if the tests are killed
            stdout=subprocess.PIPE,
            process_group=0,  # Ctrl-C must not reach the server
        ) as server:
            assert server.stdout is not None
            assert server.stdin is not None
            assert server.stdout.readline() == b"ready\n"
            yield directory / "bin"
            server.stdin.close()


def serve(address: str) -> Start:
    """Fork for every program that starts. Returns only in the forks: each returns the program to become."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        os.write(1, b"ready\n")
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no process waits for the `keep` processes
        while True:
            readable, _, _ = select.select([listening.fileno(), 0], [], [])
            if 0 in readable:
                os._exit(0)
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                return keep(connection)
            connection.close()


def keep(connection: socket.socket) -> Start:
    """Fork the program, wait for its end and send its exit status."""
    _, files, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("r", encoding="utf-8") as stream:
        start = Start(**json.loads(stream.readline()))
    program = os.fork()
    if program == 0:
        with contextlib.suppress(ProcessLookupError):
            os.setpgid(0, os.getpgid(start.starter))
        connection.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        return start
    for file in files:
        os.close(file)
    threading.Thread(target=kill_when_closed, args=(connection, program), daemon=True).start()
    _, status = os.waitpid(program, 0)
    with contextlib.suppress(OSError):
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def kill_when_closed(connection: socket.socket, program: int) -> None:
    """Kill a program when its starter has ended."""
    connection.recv(1)
    with contextlib.suppress(ProcessLookupError):
        os.kill(program, signal.SIGKILL)


def become(start: Start) -> None:
    """Run the program in this process as the Python interpreter would start it."""
    os.chdir(start.directory)
    os.environ.clear()
    os.environ.update(start.environment)
    if Path(start.program).name != "python":
        sys.argv = [start.program, *start.arguments]
        sys.path[0] = str(Path(start.program).parent)
        runpy.run_path(start.program, run_name="__main__")
        return
    option, target, *arguments = start.arguments
    sys.argv = [option, *arguments]
    sys.path[0] = "" if option == "-c" else start.directory
    if option == "-m":
        runpy.run_module(target, run_name="__main__", alter_sys=True)
    else:
        exec(compile(target, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102


def end(status: int) -> NoReturn:
    """End the program as the interpreter does, but let the system free its memory.

    The interpreter would destroy each object of the libraries. That takes longer than many a program.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BrokenPipeError):
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    for library in LIBRARIES:
        importlib.import_module(library)
    assert not {"moodring", "stages"} & set(sys.modules)
    gc.collect()
    gc.freeze()  # without this, the first garbage collection in a fork copies all of this memory
    try:
        become(serve(sys.argv[1]))
        status = 0
    except SystemExit as ended:
        if not isinstance(ended.code, int | None):
            raise
        status = ended.code or 0
    end(status)
