"""The model that a user names: by MLflow address, directory, registered name, run or experiment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from moodring.checkout.git import shallow_hint
from moodring.checkout.revisions import results_of
from moodring.errors import MoodringError
from moodring.mlflow_ui.names import CHAMPION, registered_name
from moodring.serving.loading import loaded
from moodring.serving.scorer import TextScorer
from moodring.tracking.addresses import shown_uri
from moodring.tracking.listing import RUN_ID, list_runs, runs_named
from moodring.tracking.store import MODELS_MD5, reaching

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:/", re.IGNORECASE)  # models:/..., s3://...
RUN = re.compile(rf"runs:/({RUN_ID.pattern})/?")
LOGGED_MODEL = re.compile(r"m-[0-9a-f]{32}")
REGISTERED = re.compile(r"(?:models:)?(?P<name>[^@/]+?)(?:@(?P<alias>[^@/]+)|/v?(?P<version>\d+|latest))?/?")
FORMS = (
    "Name it as NAME/VERSION, NAME@ALIAS, a run or an experiment that `moodring runs` lists, or the "
    "directory of a logged model"
)


def load_scorer(named: str, root: Path) -> TextScorer:
    """The scorer in the model that a user names; see `model_address`.

    Raises:
        MoodringError: there is no such model, its files are missing, or another program logged it.
        StoreError: the store cannot be opened.
    """
    address = model_address(named, root)
    # All models that Moodring ever logged keep their scorer there.
    scorer = getattr(loaded(address).unwrap_python_model(), "_scorer", None)
    if not isinstance(scorer, TextScorer):
        raise MoodringError(f"the model {address!r} is not one of Moodring's. {FORMS}.")
    return scorer


def model_address(named: str, root: Path) -> str:
    """MLflow's address of the model that a user names.

    Args:
        named: an address, which is returned as it is; an absolute path of a logged model; a registered model
            or its dataset, with /VERSION, with @ALIAS or alone (its champion); a run's id, its beginning or
            its name; a DVC experiment or git revision.
        root: of the checkout.

    Raises:
        MoodringError: there is no such model.
        StoreError: the store cannot be opened.
    """
    if Path(named).is_absolute():
        return _directory(Path(named))
    if run := RUN.fullmatch(named):
        named = run[1]
    elif ADDRESS.match(named):
        return named
    if LOGGED_MODEL.fullmatch(named):
        return f"models:/{named}"
    with reaching() as client:
        versions = list(client.search_model_versions())
        found = _registered(named, versions, client)
    return found or _of_run(named, versions, root)


def _directory(path: Path) -> str:
    if not path.exists():
        raise MoodringError(f"cannot load the model {str(path)!r}: it does not exist. {FORMS}.")
    if not (path / "MLmodel").is_file():
        raise MoodringError(
            f"{str(path)!r} holds no model that MLflow logged: it has no file MLmodel. {FORMS}. Without "
            "--model, the checkout's own model scores."
        )
    return str(path)


def _registered(named: str, versions: Sequence[ModelVersion], client: MlflowClient) -> str | None:
    if (asked := REGISTERED.fullmatch(named)) is None:
        return None
    known = {str(version.name) for version in versions}
    name = next((name for name in (asked["name"], registered_name(asked["name"])) if name in known), None)
    if name is None:
        return None
    if asked["version"]:
        return f"models:/{name}/{asked['version']}"
    alias = asked["alias"] or CHAMPION
    if alias not in client.get_registered_model(name).aliases:
        raise MoodringError(
            f"cannot load the model {named!r}: {name} has no alias {alias!r}. Name a version, such as "
            f"{_newest(name, versions)}. `moodring promote` makes a champion."
        )
    return f"models:/{name}@{alias}"


def _of_run(named: str, versions: Sequence[ModelVersion], root: Path) -> str:
    """The address of the newest version of the runs with this name."""
    try:
        results, problem = results_of(root, named), None
    except MoodringError as error:
        results, problem = [], error
    if not (runs := runs_named(named, list_runs(), results)) and problem is not None:
        names = sorted({str(version.name) for version in versions})
        known = ", ".join(_newest(name, versions) for name in names) or "none"
        raise MoodringError(
            f"there is no model {named!r} in the MLflow store {shown_uri()}; the newest of each name: "
            f"{known}. {FORMS}.{shallow_hint(root)}"
        ) from problem
    # A model may have several runs: each evaluation of it is one.
    models = {run["run_id"]: run[MODELS_MD5] for run in runs}
    made = [version for version in versions if version.run_id in models]
    if not made:
        raise MoodringError(
            f"the result of {named!r} has no model in the MLflow store {shown_uri()}; check it out (git or "
            "`dvc exp apply`), `dvc checkout`, then `moodring sync`"
        )
    if len({models[version.run_id] for version in made}) > 1:
        found = ", ".join(sorted({str(version.run_id) for version in made}))
        raise MoodringError(f"{named!r} means several results: {found}. Give the id of one of these runs.")
    newest = max(made, key=lambda version: (int(version.creation_timestamp), int(version.version)))
    return f"models:/{newest.name}/{newest.version}"


def _newest(name: str, versions: Sequence[ModelVersion]) -> str:
    return f"{name}/{max(int(version.version) for version in versions if version.name == name)}"
