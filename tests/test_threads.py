"""A thread never ends unseen: what goes wrong in one is said, and nothing that was taken is lost."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from pages.parts.choose import estimates
from tests.test_lab import claimed, engine, result, wait_for
from transfer import settings
from transfer.engine.events import Note, Point, Stage
from transfer.errors import RunFailed
from transfer.experiment import Experiment
from transfer.lab import Lab, answerer, opened_runs, recorder, spawner, worker
from transfer.lab.recorder import Recorder


def told(here: Lab, run: str) -> list[str]:
    """The notes of a run, in order."""
    return [event.body["text"] for event in here.events(run) if event.kind == "Note"]


def test_a_recorder_that_cannot_write_fails_the_run_and_says_why(here: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    run = claimed(here)
    monkeypatch.setattr(here.store, "flush", lambda *_: {}["gone"])

    def train(_experiment: Experiment, emit: Any, should_stop: Any, **_rest: object) -> object:
        emit(Note("before"))
        wait_for(lambda: should_stop() == "never")
        return result()

    engine(monkeypatch, train)
    assert worker.run_claimed(here.store, run) == "failed"
    assert "KeyError: 'gone'" in here.run(run.id).error


def test_a_passing_fault_of_the_recorder_loses_nothing_that_was_taken(here: Lab, monkeypatch: Any) -> None:
    run, whole, tries = claimed(here), here.store.flush, iter((ZeroDivisionError("odd"),))

    def flush(*given: Any) -> Any:
        for problem in tries:
            raise problem
        return whole(*given)

    monkeypatch.setattr(here.store, "flush", flush)
    with Recorder(here.store, run) as kept:
        kept.emit(Note("first"))
        wait_for(lambda: kept._trouble is not None)
        with pytest.raises(RunFailed, match=r"can't be recorded\. Received: ZeroDivisionError"):
            kept.emit(Note("refused, and said so"))
    assert told(here, run.id) == ["first"]


def test_an_event_that_is_no_json_is_refused_where_it_is_made_and_spoils_no_other(here: Lab) -> None:
    run = claimed(here)
    with Recorder(here.store, run) as kept:
        kept.emit(Note("before"))
        for odd in (object(), {1, 2}, b"bytes"):
            with pytest.raises(TypeError):
                kept.emit(Note(odd))  # type: ignore[arg-type]  # which is the point
        kept.emit(Stage("on", 1, 2))
        kept.emit(Note("after"))
    assert told(here, run.id) == ["before", "after"]


def test_a_run_goes_on_without_its_outline_and_says_so(here: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    run = claimed(here)
    monkeypatch.setattr(recorder, "BLOCK", 2)
    monkeypatch.setattr("transfer.lab.outlines.Outlines.add", lambda *_: [][0])
    with Recorder(here.store, run) as kept:
        for step in range(3):
            kept.emit(Point("train", "target", 1, 0.0, step, 0.0, {"loss": 1.0}))
        kept.flush()
        kept.emit(Note("still here"))
    notes = told(here, run.id)
    assert "could not be condensed" in notes[0] and "IndexError" in notes[0] and notes[-1] == "still here"
    assert len(here.history(run.id)) == 3


def test_a_system_that_starts_no_worker_is_trouble_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path))
    monkeypatch.setenv("TRANSFER_STANDBY", "0")

    def refuse(_slot: str) -> object:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(spawner, "spawn_worker", refuse)
    found = spawner.Spawner()
    found.ensure(1)
    assert "The system could not start a worker: [Errno 11]" in found.trouble


def test_an_estimate_that_goes_wrong_says_so_instead_of_waiting(here: Lab, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(estimates, "SETTLED_SECONDS", 0.0)
    monkeypatch.setattr(estimates, "_measured", lambda *_: {}["odd"])
    path = str(tmp_path / "estimate.json")
    estimates._newest()["path"] = path
    answer = estimates._asked(here, "{}", 1, path)
    assert answer.result(timeout=10) == {"problem": "'odd'"}


def test_a_reply_that_cannot_be_sent_is_a_bug_in_words() -> None:
    class Line:
        sent = b""

        def send_bytes(self, packed: Any) -> None:
            self.sent = bytes(packed)

    line = Line()
    answerer._say(line, ("answer", threading.Lock()))  # type: ignore[arg-type]  # all of a Connection it needs
    assert b"bug" in line.sent and b"TypeError" in line.sent


def test_the_watch_of_the_answering_process_ends_it_rather_than_itself(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "answerer.json").touch()
    left: list[str] = []
    monkeypatch.setattr(answerer, "_leave", left.append)
    monkeypatch.setattr(answerer, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(answerer.settings, "answerer_seconds", lambda: {}["x"])
    monkeypatch.setattr(answerer.calling, "card_file", lambda: tmp_path / "answerer.json")
    answerer._end_when_idle(answerer._Life())
    assert left == ["it could no longer tell whether it is needed"]


def test_an_answer_about_a_run_that_is_discarded_meanwhile_leaves_no_folder_behind(here: Lab) -> None:
    folder = settings.run_folder(here.submit(Experiment(source="mnist_5k")))
    folder.mkdir(parents=True)
    (folder / "experiment.json").write_text(Experiment().canonical_json())
    found = opened_runs.Opened(folder.name)
    (folder / "experiment.json").unlink()
    folder.rmdir()
    opened_runs.keep(found, "moved", {"alike": 1.0})  # type: ignore[dict-item]  # never written
    assert not folder.exists()
