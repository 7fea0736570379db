"""Checks of Keras' backend and the fused kernel."""

from __future__ import annotations

import pytest

from moodring.doctor.backend import check_keras
from moodring.params.pipeline import Params
from tests.conftest import dropout


def chosen(params: Params, arch: str, recurrent_dropout: float = 0.0) -> Params:
    """The committed parameters with another architecture and this recurrent dropout in all."""
    changes = {"dropout": dropout(recurrent=recurrent_dropout)}
    archs = {name: block.model_copy(update=changes) for name, block in params.recurrent_archs.items()}
    return params.model_copy(update={"arch": arch, "archs": {**params.archs, **archs}})


def test_an_unknown_backend_is_bad(monkeypatch: pytest.MonkeyPatch, params: Params) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    (finding,) = check_keras(params)
    assert (finding.level, finding.about) == ("bad", "backend")
    assert "'theano'" in finding.seen


def test_an_architecture_with_a_fused_kernel_is_ok(params: Params) -> None:
    findings = {finding.about: finding for finding in check_keras(chosen(params, "lstm"))}
    assert findings["backend"].level == "ok"
    assert findings["fused kernel"].level == "ok"
    assert findings["fused kernel"].seen.startswith("lstm ")


def test_an_obstacle_to_the_fused_kernel_is_noted(params: Params) -> None:
    findings = {finding.about: finding for finding in check_keras(chosen(params, "lstm", 0.25))}
    assert findings["fused kernel"].level == "note"
    assert "dropout.recurrent is 0.25" in findings["fused kernel"].seen


def test_a_linear_model_and_invalid_parameters_need_no_kernel(params: Params) -> None:
    for given in (chosen(params, "nbsvm"), None):
        assert "fused kernel" not in {finding.about for finding in check_keras(given)}
