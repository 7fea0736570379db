"""A model that was logged before the package had subpackages still loads and gives the same scores."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import mlflow
import numpy as np
import pandas as pd
import pytest

WORDS = ["good", "bad", "film", "not", "a"]
# MLflow copied this file into the logged model, so it must run unchanged; only the module has changed since.
MODULES = ["moodring.serving", "moodring.serving.scorer"]
PYFUNC_MODEL = """
from pathlib import Path

from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class SentimentModel(PythonModel):
    def load_context(self, context):
        from {module} import TextScorer

        self._scorer = TextScorer.from_bundle(Path(context.artifacts["bundle"]))

    def predict(self, context, model_input: list[str], params=None):
        return self._scorer.predict(list(model_input))


set_model(SentimentModel())
"""
MLMODEL = """\
flavors:
  python_function:
    artifacts:
      bundle:
        path: artifacts/bundle
        uri: /tmp/moodring-bhgaq5z2/bundle
    loader_module: mlflow.pyfunc.loaders.code_model
    model_code_path: /home/someone/moodring/src/moodring/pyfunc_model.py
    python_version: 3.11.7
    streamable: false
is_signature_from_type_hint: true
mlflow_version: 3.17.2
model_id: m-66f4ca2c789f4bf09366254478b322b8
model_uuid: m-66f4ca2c789f4bf09366254478b322b8
signature:
  inputs: '[{"type": "string", "required": true}]'
  outputs: '[{"type": "any", "required": true}]'
  params: null
type_hint_from_example: false
"""
SCORER = {
    "threshold": 0.5,
    "temperature": 0.980781,
    "cleaning": {
        "preprocess": {
            "html": "space",
            "lowercase": True,
            "emoticons": "drop",
            "pattern": "keras",
            "stop_words": "keep",
            "stem": "none",
            "validation_share": 0.1,
        },
        "stop_words": [],
    },
}
SETTINGS = {
    "max_length": 6,
    "buckets": 2,
    "vocabulary_size": len(WORDS) + 2,
    "weights": 123,
    "best_epoch": 1,
    "params": {"arch": "lstm", "archs.lstm.dropout": 0.0, "archs.lstm.ngrams": 2},
    "coverage": None,
    "blended": {"val_loss": 0.5, "val_accuracy": 0.75},
}
TEXTS = ["A GOOD film!", "not a good film", "bad<br />bad bad film, not good a a a", "", "unknown words"]
# Commit 48d995c, the version before the move, gave these scores with the files that `logged` writes.
SCORES = [0.8141471, 0.383621, 0.6185935, 0.502549, 0.7803463]


@pytest.fixture(params=MODULES)
def logged(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A logged blend with the files, names and values of the old layout."""
    bundle = tmp_path / "artifacts" / "bundle"
    bundle.mkdir(parents=True)
    (tmp_path / "MLmodel").write_text(MLMODEL)
    (tmp_path / "pyfunc_model.py").write_text(PYFUNC_MODEL.format(module=request.param))
    (bundle / "scorer.json").write_text(json.dumps(SCORER))
    (bundle / "settings.json").write_text(json.dumps(SETTINGS))
    (bundle / "vocabulary.json").write_text(json.dumps({"drop_oov": False, "words": WORDS}))
    (bundle / "blend.json").write_text(json.dumps({"network": 0.7, "linear": 1.1, "bias": -1.5}))
    ids = np.arange(len(WORDS) + 2, dtype=np.int64)
    pairs = (ids[:, None] * len(ids) + ids).ravel()
    weights = np.sin(np.arange(len(ids) + len(pairs))).astype(np.float32)
    arrays = {"keys_1": ids, "keys_2": pairs, "base": np.array(len(ids)), "weights": weights}
    np.savez(bundle / "nbsvm.npz", allow_pickle=False, bias=np.array(0.1), **arrays)
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(len(ids), 3, mask_zero=True),
            keras.layers.LSTM(2),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    shapes = [weight.shape for weight in model.get_weights()]
    model.set_weights([2 * np.cos(np.arange(np.prod(shape))).reshape(shape) for shape in shapes])
    model.save(bundle / "model.keras")
    return tmp_path


def test_a_model_of_the_old_layout_loads_and_scores_the_same(logged: Path) -> None:
    model = mlflow.pyfunc.load_model(str(logged))
    table = model.predict(TEXTS)
    np.testing.assert_allclose(table["score"], SCORES, rtol=0, atol=1e-6)
    assert list(table["label"]) == ["positive" if score >= 0.5 else "negative" for score in SCORES]
    # `moodring predict --model` takes the scorer, because it also counts the unknown words.
    scorer = model.unwrap_python_model()._scorer
    pd.testing.assert_frame_equal(scorer.explain(TEXTS)[["score", "label"]], table)
    assert scorer.explain(TEXTS)["unknown"].tolist() == [0, 0, 0, 0, 2]
