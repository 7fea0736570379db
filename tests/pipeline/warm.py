"""Programs that need not import their libraries: a process that has imported them forks for each program.

To import TensorFlow, MLflow and DVC takes seconds, which is most of what a stage takes on made data.
`python`, `dvc`, `moodring` and `mlflow` of the folder `bin` send what they were started with (arguments,
environment, directory, open files) to one server, which forks. The fork becomes the program: it runs the
same module or script, from the checkout's own code, and ends as any process does. Nothing of Moodring is
imported before.

The fork joins the process group of what started it, which ends when it does: signals to a group work as ever.
Tests of how a program takes a signal, or of one process' state, start the true programs.
"""

from __future__ import annotations

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

PROGRAMS = ("python", "dvc", "moodring", "mlflow")
# What the programs import; no operation of TensorFlow runs before the fork, which would start its threads.
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
    """What a program is started with."""

    program: str
    arguments: list[str]
    directory: str
    environment: dict[str, str]
    starter: int  # the process whose group it joins, so that a signal to the group reaches it


@contextlib.contextmanager
def warm_programs(environment: dict[str, str]) -> Iterator[Path]:
    """A folder with the programs, for the front of PATH; their server runs while the block does."""
    # A socket's path may have no more than about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="warm-") as name:
        room = Path(name)
        (room / "bin").mkdir()
        for program in PROGRAMS:
            shim = room / "bin" / program
            start = [sys.executable, "-IS", str(Path(__file__).with_name("warm_start.py"))]
            what = [str(room / "socket"), str(Path(sys.executable).with_name(program))]
            shim.write_text(f'#!/bin/sh\nexec {shlex.join([*start, *what])} "$@"\n', encoding="utf-8")
            shim.chmod(0o755)
        with subprocess.Popen(
            [sys.executable, "-m", "tests.pipeline.warm", str(room / "socket")],
            env=environment,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,  # its end ends the server, also where the tests are killed
            stdout=subprocess.PIPE,
            process_group=0,  # Ctrl-C is for the tests
        ) as server:
            assert server.stdout is not None
            assert server.stdin is not None
            assert server.stdout.readline() == b"ready\n"
            yield room / "bin"
            server.stdin.close()


def serve(address: str) -> Start:
    """Fork for every program that is started; returns in each of the forks, with what it is to become."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        os.write(1, b"ready\n")
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the keepers, for whom nobody waits
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
    """Fork the program, wait for it and answer how it ended."""
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
    """Kill a program when what started it is gone."""
    connection.recv(1)
    with contextlib.suppress(ProcessLookupError):
        os.kill(program, signal.SIGKILL)


def become(start: Start) -> None:
    """Run the program in this process, as the interpreter itself would have begun it."""
    os.chdir(start.directory)
    os.environ.clear()
    os.environ.update(start.environment)
    if Path(start.program).name != "python":
        sys.argv = [start.program, *start.arguments]
        sys.path[0] = str(Path(start.program).parent)
        runpy.run_path(start.program, run_name="__main__")
        return
    option, what, *arguments = start.arguments
    sys.argv = [option, *arguments]
    sys.path[0] = "" if option == "-c" else start.directory
    if option == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102


if __name__ == "__main__":
    for library in LIBRARIES:
        importlib.import_module(library)
    assert not {"moodring", "stages"} & set(sys.modules)
    gc.collect()
    gc.freeze()  # else the first collection in a fork copies all of this memory
    become(serve(sys.argv[1]))
