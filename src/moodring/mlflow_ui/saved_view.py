"""A saved view of an experiment's runs: the best first, by validation accuracy as everywhere."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any
from urllib.parse import urlencode

# The saved view. MLflow 3.17 keeps one as a tag of the experiment.

KEY = "moodring"
VIEW = f"mlflow.sharedViewState.{KEY}"
_NAME = "Best first"
_WIDTHS = {  # columns and their widths, in pixels
    "attributes.`Run Name`": 185,
    "runDateAndNestInfo": 125,  # Created
    "params.`arch`": 75,
    "metrics.`test_accuracy`": 120,
    "metrics.`test_gain`": 75,
    "metrics.`best_val_accuracy`": 135,
    "duration": 70,
}
_CURVES = ("val_accuracy", "val_loss", "train_accuracy", "train_loss")
_BARS = ("test_accuracy", "test_gain", "best_val_accuracy", "test_log_loss", "test_calibration_error")
_UNSEEN = ("best_train_accuracy", "best_train_loss")


def _chart(kind: str, metric: str) -> dict[str, Any]:
    chart = {
        "uuid": metric,
        "type": kind,
        "metricKey": metric,
        "metricSectionId": "model",
        "isGenerated": True,
    }
    return {
        **chart,
        "runsCountToCompare": 10,
        "deleted": metric in _UNSEEN,
        **(_LINE if kind == "LINE" else {}),
    }


_LINE = {
    "xAxisKey": "step",
    "yAxisKey": "metric",
    "scaleType": "linear",
    "xAxisScaleType": "linear",
    "lineSmoothness": 0,
    "range": {},
    "selectedXAxisMetricKey": "",
    "yAxisExpressions": [],
    "useGlobalXaxisKey": True,
    "useGlobalLineSmoothing": True,
}
_SECTION = {
    "uuid": "model",
    "name": "Model metrics",
    "display": True,
    "isReordered": True,
    "isGenerated": True,
}
# What MLflow's JavaScript keeps for a view. It adds charts of further metrics at the end.
STATE: dict[str, Any] = {
    "orderByKey": "metrics.`best_val_accuracy`",
    "orderByAsc": False,
    "selectedColumns": [*(name for name in _WIDTHS if name[0] in "pm"), "attributes.`Duration`"],
    "columnOrder": list(_WIDTHS),
    "columnWidths": _WIDTHS,
    "compareRunCharts": [
        *(_chart("LINE", metric) for metric in _CURVES),
        *(_chart("BAR", metric) for metric in (*_BARS, *_UNSEEN)),
    ],
    "compareRunSections": [_SECTION],
}


def view(created: int) -> str:
    """The tag's value for the view of the runs, best first.

    Args:
        created: the time that MLflow shows, in milliseconds since 1970.
    """
    packed = base64.b64encode(zlib.compress(json.dumps(STATE).encode())).decode("ascii")
    return json.dumps(
        {"name": _NAME, "createdAt": created, "updatedAt": created, "state": f"deflate;{packed}"}
    )


def is_current(value: str | None) -> bool:
    """Whether a tag's value is this version's view; another version of zlib may have packed it."""
    try:
        state = json.loads(value or "")["state"]
        return bool(json.loads(zlib.decompress(base64.b64decode(state.removeprefix("deflate;")))) == STATE)
    except (ValueError, TypeError, KeyError, AttributeError, zlib.error):  # damaged, or in another form
        return False


def runs_page(experiment_id: str) -> str:
    """The address of an experiment's runs in the saved view, relative to the server's address."""
    # Without the workflow MLflow may show traces of language models instead.
    query = urlencode({"workflowType": "machine_learning", "viewStateShareKey": KEY})
    return f"#/experiments/{experiment_id}/runs?{query}"
