"""What is shown may vanish between two reads, in another tab say: a page then says what is gone and never breaks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import delete

from pages.parts.common import background_questions, run_log
from pages.parts.common.redrawing import still_there
from tests.test_pages import home, opened, recorded, said  # noqa: F401  # home is a fixture
from tests.test_race_pages import raced
from transfer.errors import RequestError, UnknownKey
from transfer.lab import Lab, data_questions
from transfer.lab.records import members, races, runs
from transfer.lab.store import Store


@contextmanager
def vanishing(monkeypatch: pytest.MonkeyPatch, reads: int) -> Iterator[None]:
    """Within, all runs and races are removed after so many transactions."""
    whole, left = Store.begin, [reads]

    def begin(store: Store) -> Any:
        left[0] -= 1
        if left[0] == -1:
            with whole(store) as database:
                for table in (members, races, runs):
                    database.execute(delete(table))
        return whole(store)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "begin", begin)
        yield


@pytest.mark.parametrize("place", ["live", "race", "run", "compare", "runs"])
def test_a_run_that_vanishes_between_two_reads_breaks_no_page(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if place == "race":
        app = opened(race=raced({"lora": 0.9}))
    else:
        run = recorded("running" if place in ("live", "runs") else "finished")
        query = {} if place == "runs" else {"runs" if place == "compare" else "run": run}
        app = opened("lab" if place == "live" else place, **query)
    with vanishing(monkeypatch, 3):
        app.run()
    assert not app.exception


def test_a_live_run_that_vanishes_while_its_points_are_read_is_said_to_be_gone(monkeypatch: Any) -> None:
    run = recorded("running")
    app = opened(run=run)

    def read(self: run_log.Log, lab: Lab, _run: object) -> None:
        lab.store.delete(self.run)
        lab.run(self.run)

    monkeypatch.setattr(run_log.Log, "read", read)
    app.run()
    assert not app.exception and f"There is no run {run} here" in said(app)


def test_a_data_set_that_vanishes_while_it_is_looked_at_is_asked_for_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_question: object) -> object:
        raise RequestError("It was removed.")

    class Rerun(Exception):
        """Stands for Streamlit's own."""

    def rerun(scope: str) -> None:
        raise Rerun(scope)

    monkeypatch.setattr(data_questions, "ask", gone)
    monkeypatch.setattr(background_questions.st, "rerun", rerun)
    with pytest.raises(Rerun, match="app"):
        background_questions._wait.__wrapped__(None, "looking")


def test_a_page_that_does_not_notice_is_not_drawn_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(background_questions.st, "rerun", lambda scope: shown.append(scope))
    monkeypatch.setattr(background_questions.st, "warning", lambda words, icon: shown.append(words))

    @still_there
    def draw() -> None:
        raise UnknownKey("run", "x", [])

    background_questions.st.session_state.pop("gone_at", None)
    draw()
    draw()
    assert shown.count("app") == 1 and "There is no run of that name" in shown[-1]
