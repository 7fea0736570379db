"""The registered models: log and register a model, name the champion, load a model."""

from __future__ import annotations

import importlib.metadata
import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import mlflow
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.pyfunc import PyFuncModel
from mlflow.types import ColSpec, Schema
from mlflow.utils import logging_utils

from moodring.errors import MoodringError
from moodring.io.digests import tree_sha256
from moodring.tracking.addresses import shown_uri
from moodring.tracking.store import StoreError, locked_store, reaching

if TYPE_CHECKING:
    import pandas as pd

CHAMPION = "champion"
BUNDLE = "bundle"
BUNDLE_TAG = "bundle_sha256"
ACCEPTED = "accepted"
PACKAGE = Path(__file__).parents[1]
REQUIREMENTS = (
    "keras",
    "mlflow",
    "nltk",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "ruamel.yaml",
    "scipy",
    "tensorflow",
)


def registered_name(dataset: str) -> str:
    """The name under which a dataset's models are registered."""
    return f"moodring-{dataset}"


def record_model(run: Run, dataset: str, write_bundle: Callable[[Path], None]) -> int:
    """Log the served model with its run and register it; return the number of its version.

    A model is logged and registered again only if its bundle changed, for example by another threshold.

    Args:
        run: the result's run.
        dataset: gives the registered model its name.
        write_bundle: writes all files that scoring raw text needs into a directory.

    Raises:
        StoreError: the store cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="moodring-") as directory:
        write_bundle(bundle := Path(directory) / BUNDLE)
        digest = tree_sha256(bundle)
        # Locked: two evaluations of the same result must not both find it missing.
        with reaching() as client, locked_store():
            known = client.search_model_versions(f"run_id = '{run.info.run_id}'")
            same = [version for version in known if version.tags.get(BUNDLE_TAG) == digest]
            if whole := [int(version.version) for version in same if has_files(version)]:
                return max(whole)
            logging.getLogger("mlflow.pyfunc").setLevel(logging.WARNING)  # it says that it checks the example
            mlflow.set_experiment(experiment_id=run.info.experiment_id)
            # This is not `start_run`, which would open the finished run again.
            model = Model.log(
                artifact_path=None,
                flavor=mlflow.pyfunc,
                name="model",
                run_id=run.info.run_id,
                **served_model(bundle),
            )
            tags = {"arch": run.data.tags["arch"], BUNDLE_TAG: digest}
            logging_utils.disable_logging()  # it prints a line for each step
            try:
                registered = mlflow.register_model(model.model_uri, registered_name(dataset), tags=tags)
            finally:
                logging_utils.enable_logging()
    return int(registered.version)


def served_model(bundle: Path) -> dict[str, Any]:
    """What MLflow logs or saves for a bundle: arguments of `mlflow.pyfunc.log_model` and `save_model`."""
    return {
        "python_model": str(PACKAGE / "serving" / "pyfunc_model.py"),
        "artifacts": {BUNDLE: str(bundle)},
        "code_paths": [str(PACKAGE)],
        "signature": _signature(),
        "input_example": ["a fine film", "a waste of two hours"],
        "pip_requirements": [f"{name}=={importlib.metadata.version(name)}" for name in REQUIREMENTS],
    }


def _signature() -> ModelSignature:
    signature = ModelSignature(
        inputs=Schema([ColSpec("string")]),
        outputs=Schema([ColSpec("double", "score"), ColSpec("string", "label")]),
    )
    # MLflow then passes on whatever it receives, and the model checks it. Without this, MLflow would cut a
    # table to its first column, and make an array as wide as the longest text of each list.
    signature._is_signature_from_type_hint = True
    return signature


def has_files(version: ModelVersion) -> bool:
    """Whether a version's files are where the store says."""
    return bool(mlflow.artifacts.list_artifacts(f"models:/{version.name}/{version.version}"))


@dataclass(frozen=True)
class Champion:
    """The model version with the alias `champion`.

    Args:
        version: its number.
        run_id: of its result's run.
        whole: whether its files are where the store says.
    """

    version: int
    run_id: str
    whole: bool


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
        return Champion(int(number), str(version.run_id), has_files(version))


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


def load_model(address: str) -> Callable[[list[str]], pd.DataFrame]:
    """The `predict` of a logged model, by its MLflow address or directory.

    Raises:
        MoodringError: as `loaded`.
        StoreError: the store cannot be opened.
    """
    return cast("Callable[[list[str]], pd.DataFrame]", loaded(address).predict)


def loaded(address: str) -> PyFuncModel:
    """A logged model, by its MLflow address or directory.

    Raises:
        MoodringError: there is no such model, or its files are missing.
        StoreError: the store cannot be opened.
    """
    with reaching():
        try:
            return mlflow.pyfunc.load_model(address)
        except StoreError:
            raise
        except (MlflowException, OSError) as error:
            raise MoodringError(
                f"cannot load the model {address!r} with the MLflow store {shown_uri()}: "
                f"{str(error).rstrip('. ')}. Choose a version that `moodring runs` lists, as "
                "models:/moodring-DATASET/VERSION or models:/moodring-DATASET@champion. If its files are "
                "missing, `moodring sync` in a checkout of its result logs it again."
            ) from error


def fetch_bundled(address: str, name: str, directory: str) -> Path:
    """Fetch a file of a registered model's bundle into a directory.

    Args:
        address: of a model that `load_model` loaded.
        name: of the file.
        directory: where to.

    Raises:
        StoreError: the store cannot be opened, or the file is missing.
    """
    with reaching():
        place = f"{address}/artifacts/{BUNDLE}/{name}"
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=place, dst_path=directory))
