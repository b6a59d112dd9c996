"""Looks over a strategy's shoulder at everything it is handed."""

from __future__ import annotations

from typing import Any

import pytest

from transfer.engine.loop.leg import Leg
from transfer.strategies import Ready, Strategy


def without_target_labels(strategy: type[Strategy], monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails as soon as a batch or a `Ready` of the target holds a label."""
    plain = Leg.batches

    def batches(leg: Leg, *given: Any) -> Any:
        for inputs, labels in plain(leg, *given):
            assert leg.domain == "source" or ("target" not in inputs and "target" not in labels)
            yield inputs, labels

    def looked(method: str) -> Any:
        own = getattr(strategy, method)

        def asked(self: Strategy, ready: Ready) -> Any:
            assert len(ready.labels) == 0 and len(ready.inputs) == 0
            return own(self, ready)

        return asked

    monkeypatch.setattr(Leg, "batches", batches)
    for method in ("prepare", "refresh", "fit_head"):
        if getattr(strategy, method) is not getattr(Strategy, method):
            monkeypatch.setattr(strategy, method, looked(method))
