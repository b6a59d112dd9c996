"""The nearest neighbours: by hand, and as an event of the runs that have frozen features at hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.test_train import SMALL, at_home, learned_source  # noqa: F401  # a home where the source is known
from transfer import train
from transfer.engine.events import Baseline, Event
from transfer.engine.judge.baseline import nearest, neighbours


def test_neighbours_vote_by_direction_not_by_length() -> None:
    known = np.array([[1.0, 0.0], [0.0, 1.0]])
    asked = np.array([[9.0, 1.0], [0.1, 0.2], [5.0, 4.0]])
    assert nearest(known, np.array([0, 1]), asked, np.array([0, 1, 1])) == pytest.approx(2 / 3)


def test_no_more_neighbours_vote_than_the_scarcest_class_has_labels() -> None:
    assert neighbours(np.array([0, 0, 0, 1, 1, 4])) == 1
    assert neighbours(np.repeat([0, 1], 9)) == 5


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize(("changes", "told"), [({}, True), ({"augment": True}, False), ({"strategy": "l2_sp"}, False)])
def test_only_frozen_features_that_are_at_hand_are_looked_up(changes: dict[str, object], told: bool) -> None:
    events: list[Event] = []
    train(SMALL.but(epochs=1, strategy="feature_extraction").but(**changes), emit=events.append)
    found = [event for event in events if isinstance(event, Baseline)]
    assert [one.name for one in found] == (["5 nearest"] if told else [])
    assert all(0.5 < one.accuracy <= 1 for one in found)
