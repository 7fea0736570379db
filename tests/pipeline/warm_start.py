"""Start a program in the server of `warm.py` and exit with its status.

It runs without site packages, so it starts fast.
"""

import json
import os
import signal
import socket
import sys


def main(address: str, program: str, *arguments: str) -> None:
    known = not program.endswith("/python") or arguments[:1] in (("-m",), ("-c",))
    # The server has imported the default backend. A program with another backend cannot use it.
    if not known or os.environ.get("KERAS_BACKEND"):
        os.execv(program, [program, *arguments])
    start = {
        "program": program,
        "arguments": arguments,
        "directory": os.getcwd(),  # noqa: PTH109
        "environment": dict(os.environ),
        "starter": os.getpid(),
    }
    # Signals to the group reach the program too. The program decides when to end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        socket.send_fds(server, [b"."], [0, 1, 2])
        server.sendall(json.dumps(start).encode() + b"\n")
        status = int(server.makefile().readline())
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


if __name__ == "__main__":
    main(*sys.argv[1:])
