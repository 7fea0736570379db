"""The addresses of stores: what a user gives, and what any name of a directory makes of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from sqlalchemy.engine import make_url

from moodring.errors import MoodringError
from moodring.tracking.addresses import artifact_root, file_of, remedy, shown_uri, store_uri, without_password

NAMES = [
    "plain",
    "feature%2Fx",
    "100%",
    "%zz",
    "a b",
    "a#b",
    "a?b=c",
    "a&b;c+d=e",
    "a:b@c",
    "naïve-日本語",
    "dot.",
    'it\'s "quoted"',
    "[brackets]{}",
    "back\\slash",
    "~tilde",
]


@pytest.fixture(params=NAMES)
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in a directory of this name."""
    root = tmp_path / str(request.param)
    (root / ".dvc").mkdir(parents=True)
    monkeypatch.setenv("DVC_ROOT", str(root))
    return root


def test_the_default_store_is_in_a_checkout_of_any_name(root: Path) -> None:
    assert file_of(store_uri()) == root / "mlflow.db"
    assert make_url(store_uri()).database == str(root / "mlflow.db")
    assert url2pathname(urlsplit(artifact_root()).path) == str(root / "mlartifacts")


@pytest.mark.parametrize("inside", [".dvc/tmp/exps/tmpX", ".dvc/tmp/exps/standalone/tmpX"])
def test_a_relative_store_is_in_the_main_checkout_of_any_name(
    root: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    (root / inside).mkdir(parents=True)
    monkeypatch.setenv("DVC_ROOT", str(root / inside))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///q.db?timeout=30")
    assert file_of(store_uri()) == root / "q.db"
    assert dict(make_url(store_uri()).query) == {"timeout": "30"}


@pytest.mark.parametrize(
    ("given", "file"),
    [
        ("sqlite:///q.db", "{root}/q.db"),
        ("sqlite:///q.db?timeout=30", "{root}/q.db"),
        ("sqlite:///a%20b/q.db", "{root}/a b/q.db"),
        ("sqlite:///a b/q.db", "{root}/a b/q.db"),
        ("sqlite:////srv/q.db?timeout=30", "/srv/q.db"),
        ("sqlite:////srv/feature%252Fx/q.db", "/srv/feature%2Fx/q.db"),
        ("sqlite+pysqlite:///q.db", "{root}/q.db"),
        ("sqlite+pysqlite:////srv/q.db", "/srv/q.db"),
        ("sqlite:///file:q%20r.db?uri=true&mode=rwc", "{root}/q r.db"),
        ("sqlite:///file:/srv/q.db?uri=true", "/srv/q.db"),
    ],
)
def test_a_sqlite_address_names_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, file: str
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
    assert file_of(store_uri()) == Path(file.format(root=tmp_path))
    # The address of an address is the same address.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store_uri())
    assert file_of(store_uri()) == Path(file.format(root=tmp_path))


@pytest.mark.parametrize(
    "given", ["my%20runs", "./my%20runs", "sub/../my%20runs", "file:my%2520runs", "file:./my%2520runs"]
)
def test_a_relative_directory_starts_at_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
    store = Path(url2pathname(urlsplit(store_uri()).path))
    assert (store.is_absolute(), store.resolve()) == (True, tmp_path / "my%20runs")


@pytest.mark.parametrize(
    "given",
    [
        "http://mlflow.example:5000/base?x=1",
        "https://u:p%40ss@mlflow.example",
        "postgresql://u:p%2Fq@h/db",
        "postgresql+psycopg://u@h/db?sslmode=require",
        "mysql+pymysql://u@h/db",
        "databricks",
        "file:///srv/mlruns",
        "/srv/mlruns",
        "https://[::1]:5000",
        "localhost:5000",
    ],
)
def test_other_addresses_stay_as_they_are(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
    assert store_uri() == given
    assert file_of(given) is None


@pytest.mark.parametrize(
    "given",
    ["sqlite://", "sqlite:///:memory:", "sqlite+pysqlite://", "sqlite:///file:x?mode=memory&uri=true"],
)
def test_a_store_in_memory_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
    with pytest.raises(MoodringError, match="in memory") as error:
        store_uri()
    assert repr(given) in str(error.value)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("sqlite:///q.db?timeout=soon", "could not convert string to float: 'soon'"),
        ("sqlite+pysqlite:///q.db?detect_types=all", "invalid literal"),
        ("sqlite:///file:q.db?uri=maybe", "not true/false: 'maybe'"),
        ("sqlite:///q.db?mode=ro", "'mode' are not accepted"),
        ("sqlite:///q.db?tiemout=30", "'tiemout' are not accepted"),
        ("postgresql://u:hush@h:port/db", "'port'"),
        ("mysql+pymysql://u:hush@[h/db", "IPv6"),
        ("http://[broken", "IPv6"),
    ],
)
def test_an_address_that_is_not_valid_is_refused(
    monkeypatch: pytest.MonkeyPatch, given: str, reason: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
    with pytest.raises(MoodringError, match=r"not a valid address.*Correct or unset it") as error:
        store_uri()
    assert reason in str(error.value)
    assert repr(given.replace("hush", "***")) in str(error.value)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("postgresql://u:p@h/db", "postgresql://u:***@h/db"),
        ("postgresql://postgres:postgres@h/db", "postgresql://***:***@h/db"),
        ("postgresql://u:hu/sh@h/db", "postgresql://u:***@h/db"),
        ("postgresql://u:h#u?s@h%40@h/db", "postgresql://u:***@h/db"),
        ("postgresql://h/db?user=u&password=hush", "postgresql://h/db?user=u&password=***"),
        ("http://u:hush%20hush@h:5000", "http://u:***@h:5000"),
        ("http://h:5000/base", "http://h:5000/base"),
        ("sqlite:////srv/a:b@c/q.db", "sqlite+pysqlite:////srv/a%3Ab%40c/q.db"),
    ],
)
def test_a_password_of_any_form_is_hidden(monkeypatch: pytest.MonkeyPatch, given: str, shown: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
    assert shown_uri() == shown
    assert without_password("No module named 'psycopg'") == "No module named 'psycopg'"


@pytest.mark.parametrize(
    ("given", "said", "expected"),
    [
        ("", "database or disk is full", "Free some space"),
        ("", "(sqlite3.OperationalError) disk I/O error", "check the disk"),
        ("", "database is locked", "wait for its end"),
        ("", "attempt to write a readonly database", "write permission"),
        ("sqlite:////srv/q.db", "[Errno 13] Permission denied: '/srv/q.db.lock'", "write permission"),
        ("", "file is not a database", "move the file away"),
        ("http://h:5000", "Connection refused", "correct or unset MLFLOW_TRACKING_URI."),
        ("q.db", "maintenance mode", "It is 'q.db'; a file is written as sqlite:///mlflow.db"),
        ("localhost:5000", "unsupported URI", "a server as http://HOST:PORT"),
    ],
)
def test_the_remedy_for_a_store_is_that_of_its_error(
    monkeypatch: pytest.MonkeyPatch, given: str, said: str, expected: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
    assert expected in remedy(said)


# One process: the import of MLflow takes seconds, and so does the creation of a store. The first store is
# created, the others are copies of it.
CREATE = """
import os, shutil, sys
from pathlib import Path
import mlflow
from moodring.errors import MoodringError
from moodring.tracking.addresses import artifact_root
from moodring.tracking.store import Experiment, StoreError, reaching
first, *others = map(Path, sys.argv[1:])
os.environ["DVC_ROOT"] = str(first)
Experiment("unused")
for root in others:
    shutil.copy(first / "mlflow.db", root)
for root in (first, *others):
    os.environ["DVC_ROOT"] = str(root)
    experiment = Experiment("made")
    with reaching() as client:
        run = client.create_run(experiment.id).info
        client.log_text(run.run_id, "a report", "report/index.html")
        assert mlflow.artifacts.load_text(run.artifact_uri + "/report/index.html") == "a report"
    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert files == {
        "mlflow.db", "mlflow.db.lock", f"mlartifacts/made/{run.run_id}/artifacts/report/index.html"
    }, files
    assert "MLFLOW_TRACKING_URI" not in os.environ
    (root / "mlflow.db").write_bytes(b"not a database, and longer than a header" * 99)
    try:
        Experiment("made")
    except StoreError as error:
        assert "cannot open" in str(error) and "MLFLOW_TRACKING_URI" not in str(error), error
    else:
        raise AssertionError("the store was not read")
"""


def test_runs_and_files_are_in_a_checkout_of_any_name_and_nowhere_else(tmp_path: Path) -> None:
    roots = [tmp_path / name for name in ("all %2F#?&;+ of them", "100%", "a?b=c", "a:b@c", "naïve", "it's")]
    for root in roots:
        root.mkdir()
    command = [sys.executable, "-c", CREATE, *map(str, roots)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} - {"home"} == {root.name for root in roots}
