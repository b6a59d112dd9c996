"""How every strategy divides its epochs, whatever its options: no phase is empty and none is lost."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest

from transfer import catalog
from transfer.errors import RequestError
from transfer.strategies import Setting, Strategy

STAGES = ("low", "middle", "high", "top")


def extremes(strategy: type[Strategy]) -> Iterator[dict[str, Any]]:
    """The strategy's options as they come, then each alone at the ends of what it allows."""
    yield {}
    for name, field in strategy.Options.model_fields.items():
        found = [limit for one in field.metadata for limit in (getattr(one, "ge", None), getattr(one, "le", None))]
        if get_origin(field.annotation) is Literal:
            found = list(get_args(field.annotation))
        if field.annotation is bool:
            found = [True, False]
        yield from ({name: value} for value in found if value is not None)


def test_an_option_of_every_kind_is_tried() -> None:
    tried = list(extremes(catalog.strategy("gradual_unfreezing"))) + list(extremes(catalog.strategy("fine_tuning")))
    assert {"probe_share": 0.9} in tried and {"every": 1000} in tried and {"batch_norm": "batch"} in tried


@pytest.mark.parametrize("strategy", catalog.strategies().values(), ids=lambda one: one.key)
def test_no_phase_is_empty_and_they_add_up(strategy: type[Strategy]) -> None:
    for options in extremes(strategy):
        for epochs, keeps_head, count in itertools.product((1, 2, 3, 4, 7, 20), (True, False), (1, 4)):
            chosen, stages = strategy(**options), STAGES[:count]
            try:
                chosen.check(stages)
            except RequestError:
                continue
            setting = Setting(chosen.used(stages), epochs, None, keeps_head, source=True)
            phases = chosen.phases(setting)
            lengths = [phase.epochs for phase in phases]
            where = f"{options}, {epochs} epochs, {count} stages: {lengths}"
            trains = any(phase.rates or phase.head_rate for phase in phases)
            assert min(lengths) >= 1, where
            assert sum(lengths) == (epochs if trains else 1), where
