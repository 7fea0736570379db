"""The store's addresses. SQLAlchemy reads and writes those of databases, pathlib those of files."""

from __future__ import annotations

import contextlib
import os
import re
import warnings
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import pathname2url, url2pathname

from mlflow.entities import Experiment as MlflowExperiment
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SAWarning

from moodring.checkout.root import checkout_root
from moodring.errors import MoodringError

STORE = "mlflow.db"
ARTIFACTS = "mlartifacts"
VARIABLE = "MLFLOW_TRACKING_URI"
REGISTRY_VARIABLE = "MLFLOW_REGISTRY_URI"
# SQLAlchemy takes a password with any character, also one that ends the host in other addresses.
PASSWORDS = re.compile(r"^[^:/]+://[^:/@]*:(.+)@|[?&]password=([^&]+)")
WRITABLE = "Give this user write permission for the file and its directory."
# What to do, by words of an error of SQLite or the system.
REMEDIES = {
    "disk is full": "Free some space.",
    "disk I/O error": "Free some space, or check the disk: `moodring doctor` says how much there is.",
    "database is locked": "Another program writes to it: wait for its end, then run the command again.",
    "readonly database": WRITABLE,
    "Permission denied": WRITABLE,
}


def store_uri() -> str:
    """The store's address: `MLFLOW_TRACKING_URI`, or by default the SQLite store in the checkout's root.

    A relative path, of SQLite or of a directory, is relative to that root, not to the working directory.

    Raises:
        MoodringError: the address is not valid, or it is a database in memory, which ends with each process.
    """
    given = given_uri()
    if given is None:
        return _sqlite_uri(URL.create("sqlite", database=str(checkout_root() / STORE)))
    _check(given)
    url = _sqlite(given)
    if url is None:
        directory = _relative_directory(given)
        return given if directory is None else (checkout_root() / directory).as_uri()
    place = _place(url)
    if place is None:
        raise MoodringError(
            f"{VARIABLE} is {given!r}, a database in memory: it ends with each process. Name a file, "
            "for example sqlite:///mlflow.db."
        )
    file = checkout_root() / place
    database = f"file:{pathname2url(str(file))}" if _is_sqlites_own(url) else str(file)
    return _sqlite_uri(url.set(database=database))


def given_uri() -> str | None:
    """The address that the user gave in `MLFLOW_TRACKING_URI`; None if it is not set."""
    return os.environ.get(VARIABLE, "").strip() or None


def remedy(error: str) -> str:
    """What to do about a store that fails with an error."""
    for words, known in REMEDIES.items():
        if words in error:
            return known
    if (given := given_uri()) is not None:
        forms = f" It is {given!r}; a file is written as sqlite:///mlflow.db, a server as http://HOST:PORT."
        return f"Repair it, or correct or unset {VARIABLE}.{forms if '://' not in given else ''}"
    return "Repair it, or move the file away: the next command creates a new store."


def shown_uri() -> str:
    """The store's address without its password, for messages."""
    return without_password(store_uri())


def artifact_root() -> str:
    """The checkout's folder of artifacts, as an address."""
    return (checkout_root() / ARTIFACTS).as_uri()


def file_of(uri: str) -> Path | None:
    """The file of a local SQLite store; None for any other."""
    url = _sqlite(uri)
    return None if url is None else _place(url)


def store_is_missing() -> bool:
    """Whether the store is a file that does not exist. MLflow would create it."""
    file = file_of(store_uri())
    return file is not None and not os.path.exists(file)  # noqa: PTH110  # Path.exists may raise


def _check(given: str) -> None:
    """Refuse an address that is not valid. Its readers would raise errors of many types later."""
    try:
        if urlsplit(given).scheme in {"http", "https"}:
            return
        with contextlib.suppress(ArgumentError):  # not of a database
            url = make_url(given)
            if url.get_backend_name() == "sqlite":
                with warnings.catch_warnings():
                    warnings.simplefilter("error", SAWarning)  # of options that would be ignored
                    url.set(drivername="sqlite").get_dialect()().create_connect_args(url)
    except (ValueError, SAWarning) as error:
        raise MoodringError(
            f"{VARIABLE} is {without_password(given)!r}, which is not a valid address: {error}. Correct or "
            "unset it."
        ) from error


def _relative_directory(uri: str) -> str | None:
    """The relative path of a store in a directory; None for any other address."""
    parts = urlsplit(uri)
    if parts.scheme == "file" and not parts.netloc and not parts.path.startswith("/"):
        return url2pathname(parts.path)
    named = bool(parts.scheme) or uri in {"databricks", "databricks-uc", "uc"}
    return None if named or Path(uri).is_absolute() else uri


def _sqlite(uri: str) -> URL | None:
    """A SQLite address, whichever its driver; None for any other."""
    try:
        url = make_url(uri)
    except (ArgumentError, ValueError):
        return None
    return url if url.get_backend_name() == "sqlite" else None


def _is_sqlites_own(url: URL) -> bool:
    """Whether the database is an address of SQLite's own: `file:PATH`, with `uri=true`."""
    return (url.database or "").startswith("file:") and url.query.get("uri") in {"true", "1", "yes", "on"}


def _place(url: URL) -> Path | None:
    """The file of a SQLite address; None for a database in memory."""
    place = url.database or ""
    if _is_sqlites_own(url):
        # Query parameters of SQLite's own are in the query of the whole address.
        place = "" if url.query.get("mode") == "memory" else url2pathname(urlsplit(place).path)
    return None if place in {"", ":memory:"} else Path(place)


def _sqlite_uri(url: URL) -> str:
    text = str(url.render_as_string(hide_password=False))
    # MLflow creates the parent directory of what follows `sqlite:///`, without decoding it. For other
    # drivers' addresses it creates nothing. The name of Python's own driver changes nothing else.
    if Path(text.removeprefix("sqlite:///")).parent != Path(url.database or "").parent:
        return str(url.set(drivername="sqlite+pysqlite").render_as_string(hide_password=False))
    return text


def server_of(uri: str) -> str | None:
    """The address of an MLflow server, for people: without user and password; None for any other store."""
    parts = urlsplit(uri)
    if parts.scheme not in {"http", "https"}:
        return None
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))


def without_password(text: str) -> str:
    """A text with the password of the store's address replaced by stars."""
    for found in PASSWORDS.finditer(given_uri() or ""):
        password = found[1] or found[2]
        for written in (password, unquote(password)):
            # As a whole word: a short password may be a part of other words.
            text = re.sub(rf"(?<!\w){re.escape(written)}(?!\w)", "***", text)
    return text


def is_misplaced(experiment: MlflowExperiment) -> bool:
    """Whether the checkout's own store sends an experiment's artifacts out of the checkout."""
    file = file_of(store_uri())
    if file is None or not file.is_relative_to(checkout_root()) or experiment.name == "Default":
        return False
    return old_artifact_root(experiment.artifact_location) not in {None, artifact_root()}


def old_artifact_root(place: str) -> str | None:
    """The artifact folder of a checkout that an address lies in, wherever that checkout was."""
    root, found, _ = place.rpartition(f"/{ARTIFACTS}/")
    return f"{root}/{ARTIFACTS}" if found and root.startswith("file://") else None
