"""Start the MLflow UI."""

from __future__ import annotations

from typing import Annotated

import typer

from moodring.checkout.root import checkout_root
from moodring.cli.programs import replace_process
from moodring.errors import shows_errors


@shows_errors
def ui(
    port: Annotated[int, typer.Option(help="port to listen on")] = 5000,
    host: Annotated[str, typer.Option(help="address to listen on; there is no login")] = "127.0.0.1",
) -> None:
    """Start the MLflow UI with this checkout's store."""
    from moodring.tracking.addresses import artifact_root, store_uri

    command = ["mlflow", "ui", "--backend-store-uri", store_uri()]
    command += ["--default-artifact-root", artifact_root(), "--host", host, "--port", str(port)]
    replace_process(command, checkout_root())
