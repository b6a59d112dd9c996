"""History: a row a point, and what a resumed attempt made anew only once."""

from __future__ import annotations

from transfer.engine.events import Event, Point, Resumed, to_record
from transfer.lab import StoredEvent, history


def point(step: int, domain: str = "target", split: str = "train", loss: float = 0.0) -> Point:
    return Point(split, domain, 0, step / 10, step, float(step), {"loss": loss})


def stored(*said: Event) -> list[StoredEvent]:
    return [StoredEvent(n, float(n), *to_record(event)) for n, event in enumerate(said, 1)]


def test_history_replaces_what_was_made_anew() -> None:
    first = [point(step, loss=1.0) for step in range(6)]
    said: list[Event] = [*first, Resumed("target", 3), *[point(step, loss=2.0) for step in range(4, 6)]]
    found = history.table(stored(*said))
    assert list(found.step) == [0, 1, 2, 3, 4, 5]
    assert list(found.loss) == [1, 1, 1, 1, 2, 2]
    assert list(found.columns) == [*history.COLUMNS, "loss"]


def test_history_of_a_source_taken_up_again_has_no_target_yet() -> None:
    found = history.table(stored(point(-2, "source"), point(-1, "source"), point(0), Resumed("source", -2)))
    assert list(found.step) == [-2]


def test_history_of_an_attempt_begun_anew_without_a_checkpoint() -> None:
    said = [point(0), point(0, split="validation"), point(1), point(0, loss=2.0), point(0, split="validation")]
    found = history.table(stored(*said))
    assert list(found.n) == [4, 5]


def test_history_of_nothing_has_its_columns() -> None:
    assert list(history.table([]).columns) == list(history.COLUMNS)
