"""Start the MLflow UI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from moodring.checkout.root import checkout_root
from moodring.cli.programs import replace_process
from moodring.errors import shows_errors

if TYPE_CHECKING:
    pass


@shows_errors
def ui(
    port: Annotated[int, typer.Option(help="on the loopback address")] = 5000,
    host: Annotated[str, typer.Option(help="address to listen on; there is no login")] = "127.0.0.1",
) -> None:
    """Start the MLflow UI on this checkout's store."""
    from moodring.tracking.addresses import artifact_root, store_uri

    command = ["mlflow", "ui", "--backend-store-uri", store_uri()]
    command += ["--default-artifact-root", artifact_root(), "--host", host, "--port", str(port)]
    replace_process(command, checkout_root())
