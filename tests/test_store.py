"""The store: claims, cursors, conditions, and what it says when it cannot."""

from __future__ import annotations

import math
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from transfer.errors import DiskFull, StoreUnreadable
from transfer.experiment import Experiment
from transfer.lab.process import Identity, myself
from transfer.lab.records import events, metadata
from transfer.lab.store import Store

EXPERIMENT = Experiment(source="mnist_5k", labels_per_class=2)
ELSEWHERE = Identity("another-host", 7, 1.0)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path))
    monkeypatch.delenv("TRANSFER_STORE", raising=False)
    return Store()


def test_nothing_is_written_before_the_first_use(store: Store, tmp_path: Path) -> None:
    assert not (tmp_path / "lab.sqlite").exists()
    assert store.runs() == []
    assert (tmp_path / "lab.sqlite").exists()


def test_a_run_comes_back_as_it_was_given(store: Store) -> None:
    run = store.run(store.add_run(EXPERIMENT))
    assert run is not None
    assert run.experiment == EXPERIMENT
    assert (run.state, run.live, run.pid, run.seconds, run.attempts) == ("queued", True, None, 0.0, 1)
    assert store.run("nothing") is None


def test_of_many_that_claim_at_once_each_run_goes_to_one(store: Store) -> None:
    wanted = {store.add_run(EXPERIMENT) for _ in range(20)}
    claimed: list[str] = []

    def claim() -> None:
        own = Store()
        while run := own.claim(myself(), "cpu"):
            claimed.append(run.id)

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(wanted)


def test_the_oldest_is_claimed_first_and_a_reserved_one_by_its_process_only(store: Store) -> None:
    reserved = store.add_run(EXPERIMENT, reserved=ELSEWHERE)
    first, second = store.add_run(EXPERIMENT), store.add_run(EXPERIMENT)
    assert store.waiting() == 2
    assert [store.claim(myself(), "cpu").id for _ in range(2)] == [first, second]
    assert store.claim(myself(), "cpu") is None
    assert store.claim(myself(), "cpu", only=reserved) is None
    assert store.claim(ELSEWHERE, "gpu0", only=reserved).device == "gpu0"


def test_the_cursor_gives_what_is_new(store: Store) -> None:
    run, other = store.add_run(EXPERIMENT), store.add_run(EXPERIMENT)
    store.append(run, [(1.0, "Note", {"text": "a"}), (2.0, "Stage", {"text": "b"})])
    store.append(other, [(3.0, "Note", {"text": "not mine"})])
    seen = store.events(run)
    assert [one.body["text"] for one in seen] == ["a", "b"]
    store.append(run, [(4.0, "Note", {"text": "c"})])
    assert [one.body["text"] for one in store.events(run, after=seen[-1].n)] == ["c"]
    assert [one.body["text"] for one in store.events(run, kinds=["Note"], limit=1)] == ["a"]


def test_no_number_is_given_twice_even_after_a_deletion(store: Store) -> None:
    run = store.add_run(EXPERIMENT)
    store.append(run, [(1.0, "Note", {})])
    last = store.events(run)[-1].n
    store.delete(run)
    again = store.add_run(EXPERIMENT)
    store.append(again, [(1.0, "Note", {})])
    assert store.events(again)[0].n > last


def test_a_number_that_is_none_is_kept_as_none(store: Store) -> None:
    run = store.add_run(EXPERIMENT)
    store.append(run, [(1.0, "Point", {"values": {"loss": math.nan, "accuracy": 0.5}})])
    assert store.events(run)[0].body == {"values": {"loss": None, "accuracy": 0.5}}


def test_only_its_holder_may_end_a_run_and_a_discarded_one_has_no_end(store: Store) -> None:
    store.add_run(EXPERIMENT)
    run = store.claim(myself(), "cpu")
    assert run is not None
    store.change(run, "interrupted", ended=run.started)
    store.requeue(run.id)
    assert not store.finish(run, "finished", {}, {}, ""), "an attempt that was given up"
    again = store.claim(ELSEWHERE, "cpu")
    assert again is not None and again.attempts == 2
    assert store.flush(run, [(1.0, "Note", {})], None) == (False, None)
    assert store.events(run.id) == []
    assert store.flush(again, [], None) == (True, None)
    store.wish(run.id, "discard")
    assert not store.wish(run.id, "pause"), "discarding is not taken back"
    assert store.flush(again, [], None) == (True, "discard")
    assert not store.finish(again, "finished", {}, {}, "")


def test_seconds_leave_out_the_time_between_attempts(store: Store) -> None:
    store.add_run(EXPERIMENT)
    run = store.claim(myself(), "cpu")
    assert run is not None and run.started is not None
    store.change(run, "paused", ended=run.started + 5)
    store.requeue(run.id)
    waiting = store.run(run.id)
    assert waiting is not None and waiting.seconds == pytest.approx(5)


def test_a_damaged_database_is_explained(store: Store, tmp_path: Path) -> None:
    (tmp_path / "lab.sqlite").write_bytes(b"not a database at all" * 500)
    with pytest.raises(StoreUnreadable, match="lab.sqlite.*[Mm]ove"):
        store.runs()
    (tmp_path / "lab.sqlite").rename(tmp_path / "moved-away")
    assert store.runs() == [], "the advice works without a restart"


def test_a_database_of_something_else_is_explained(store: Store, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "lab.sqlite") as other:
        other.execute("CREATE TABLE runs (id TEXT, colour TEXT, state TEXT, created REAL)")
    with pytest.raises(StoreUnreadable):
        store.runs()


def test_a_full_disk_is_explained(store: Store) -> None:
    run = store.add_run(EXPERIMENT)
    fill_disk(store)
    with pytest.raises(DiskFull, match="Free some space"):
        store.append(run, [(1.0, "Note", {"text": "x" * 10_000})] * 100)
    assert store.events(run) == [], "all of a transaction or nothing"


def test_the_tables_can_be_made_in_postgresql() -> None:
    made = [str(CreateTable(table).compile(dialect=postgresql.dialect())) for table in metadata.sorted_tables]
    assert len(made) == 7
    assert "SERIAL" in str(CreateTable(events).compile(dialect=postgresql.dialect()))


def fill_disk(store: Store) -> None:
    """From now on SQLite finds no room for another page."""
    engine = store._opened()
    engine.dispose()
    event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA max_page_count = 1"))
