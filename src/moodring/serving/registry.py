"""The registered models: log and register a model, name the champion, load a model."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow.entities import Run
from mlflow.utils import logging_utils

from moodring.errors import MoodringError, warn
from moodring.io.digests import tree_sha256
from moodring.mlflow_ui.descriptions import NOTE, note_tags
from moodring.mlflow_ui.names import CHAMPION, registered_name
from moodring.serving.logged_models import BUNDLE, find_run, has_files, log_model, run_that_logged
from moodring.tracking.addresses import shown_uri
from moodring.tracking.artifacts import writing_artifacts
from moodring.tracking.store import StoreError, locked_store, reaching

BUNDLE_TAG = "bundle_sha256"
ACCEPTED = "accepted"


def record_model(run: Run, dataset: str, write_bundle: Callable[[Path], None]) -> int:
    """Log the served model with its run and register it; return the number of its version.

    The version is one of this name, run and bundle; it is logged and registered only if there is none with
    its files.

    Args:
        run: the result's run.
        dataset: gives the registered model its name.
        write_bundle: writes all files that scoring raw text needs into a directory.

    Raises:
        StoreError: the store cannot be written.
        ArtifactError: a file of the model cannot be written.
    """
    name = registered_name(dataset)
    with tempfile.TemporaryDirectory(prefix="moodring-") as directory:
        write_bundle(bundle := Path(directory) / BUNDLE)
        digest = tree_sha256(bundle)
        # Locked: two evaluations of the same result must not both find it missing.
        with reaching() as client, locked_store():
            of_run = client.search_model_versions(f"run_id = '{run.info.run_id}'")
            same = [version for version in of_run if version.tags.get(BUNDLE_TAG) == digest]
            named = [version for version in same if version.name == name]
            if whole := [int(version.version) for version in named if has_files(version)]:
                return max(whole)
            if renamed := sorted({version.name for version in same} - {name}):
                warn(
                    f"this model is registered as {', '.join(renamed)}, the new name of {name}: it is "
                    f"registered again as {name}, where aliases of {', '.join(renamed)} do not count"
                )
            with writing_artifacts():
                model_uri = log_model(run, bundle)
            tags = {"arch": run.data.tags["arch"], BUNDLE_TAG: digest}
            logging_utils.disable_logging()  # it prints a line for each step
            try:
                registered = mlflow.register_model(model_uri, name, tags=tags)
            finally:
                logging_utils.enable_logging()
    return int(registered.version)


def describe_version(run_id: str, name: str, version: int, note: str, model_note: str) -> None:
    """Give a version and its registered model their descriptions, unless a person wrote others.

    Args:
        run_id: of the version's run, which has had the same description until now.
        name: of the registered model.
        version: its number.
        note: the version's description.
        model_note: the registered model's.

    Raises:
        StoreError: the store cannot be written.
    """
    with reaching() as client:
        present = client.get_model_version(name, str(version)).description or ""
        if note_tags({**client.get_run(run_id).data.tags, NOTE: present}, note):
            client.update_model_version(name, str(version), description=note)
        if not client.get_registered_model(name).description:
            client.update_registered_model(name, model_note)


@dataclass(frozen=True)
class Champion:
    """The model version with the alias `champion`.

    Args:
        version: its number.
        run_id: of its result's run; empty: it has none.
        whole: whether its files and its run are where the store says.
        bundle: the digest of all files that it scores with; None: Moodring did not register it.
    """

    version: int
    run_id: str
    whole: bool
    bundle: str | None = None


def champion(dataset: str) -> Champion | None:
    """A dataset's champion, if it has one.

    Raises:
        StoreError: the store cannot be read.
    """
    name = registered_name(dataset)
    with reaching() as client:
        if not client.search_registered_models(f"name = '{name}'"):
            return None
        number = client.get_registered_model(name).aliases.get(CHAMPION)
        if number is None:
            return None
        version = client.get_model_version(name, str(number))
        run = find_run(version.run_id)
        whole = has_files(version) and run is not None and run.info.lifecycle_stage == "active"
        return Champion(int(number), version.run_id or "", whole, version.tags.get(BUNDLE_TAG))


def bundle_of(dataset: str, version: int) -> str | None:
    """The digest of all files that a version scores with; None: Moodring did not register it.

    Raises:
        StoreError: the store cannot be read.
    """
    with reaching() as client:
        digest = client.get_model_version(registered_name(dataset), str(version)).tags.get(BUNDLE_TAG)
        return None if digest is None else str(digest)


def check_champion(dataset: str, of: Champion) -> None:
    """Fail if the champion's run cannot say how the champion was validated.

    Raises:
        MoodringError: it has no such run, or its run is another model's.
        StoreError: the store cannot be read.
    """
    name = registered_name(dataset)
    try:
        with reaching() as client:
            version = client.get_model_version(name, str(of.version))
            run = find_run(of.run_id)
            if run is None:
                raise MoodringError(f"its run {of.run_id!r} does not exist" if of.run_id else "it has no run")
            if run.data.tags.get("dataset") != dataset:
                raise MoodringError(
                    f"its run {of.run_id} is not of {dataset!r} but of {run.data.tags.get('dataset')!r}"
                )
            made_by = run_that_logged(version)
            if made_by not in {None, of.run_id}:
                raise MoodringError(f"its model was logged by run {made_by}, not by its run {of.run_id}")
    except StoreError:
        raise
    except MoodringError as error:
        code = f"import mlflow; mlflow.MlflowClient({shown_uri()!r})"
        code += f".delete_registered_model_alias({name!r}, {CHAMPION!r})"
        raise MoodringError(
            f"nothing can be compared with the champion, version {of.version} of {name}: {error}. Remove "
            f"the alias {CHAMPION!r}, in the MLflow UI or by this command, then promote again: "
            f"python -c {shlex.quote(code)}"
        ) from error


def set_champion(dataset: str, version: int, replaces: Champion | None, accepted: Mapping[str, str]) -> None:
    """Give the alias `champion` to a version.

    Args:
        dataset: its registered model.
        version: the new champion.
        replaces: the champion that the version was compared with; None: there was none.
        accepted: the reason for which each failed check was accepted, by the check's name. The version gets
            a tag for each.

    Raises:
        MoodringError: the champion is no longer the one that the version was compared with.
        StoreError: the store cannot be written.
    """
    with reaching() as client, locked_store():
        if champion(dataset) != replaces:
            raise MoodringError(
                f"another process changed the champion of {registered_name(dataset)}; promote again"
            )
        for check, reason in accepted.items():
            tag = f"{ACCEPTED}.{check.replace(' ', '_')}"
            client.set_model_version_tag(registered_name(dataset), str(version), tag, reason)
        client.set_registered_model_alias(registered_name(dataset), CHAMPION, str(version))
