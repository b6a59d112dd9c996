"""The lab: queue, wishes, dead processes, workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from tests.test_store import fill_disk
from transfer import settings
from transfer.engine.events import Event, Note, Point, Stage
from transfer.errors import DiskFull, RequestError, UnknownKey
from transfer.experiment import Experiment
from transfer.lab import Lab, lab, worker
from transfer.lab.process import Identity, myself
from transfer.lab.recorder import Recorder
from transfer.lab.records import Run

EXPERIMENT = Experiment(source="mnist_5k", labels_per_class=2)
DEAD = Identity(myself().host, 2**22 + 1, 1.0)
ELSEWHERE = Identity("another-host", 7, 1.0)
ROOT = Path(__file__).parents[1]


def claimed(here: Lab, by: Identity | None = None) -> Run:
    here.submit(EXPERIMENT)
    run = here.store.claim(by or myself(), "cpu")
    assert run is not None
    return run


def engine(monkeypatch: pytest.MonkeyPatch, train: Callable[..., object]) -> None:
    monkeypatch.setitem(sys.modules, "transfer.engine.train", SimpleNamespace(train=train))


def result(state: str = "finished") -> SimpleNamespace:
    return SimpleNamespace(state=state, metrics={"test_accuracy": 0.5}, environment={"python": "3"})


def wait_for(what: Callable[[], bool], seconds: float = 10.0) -> None:
    latest = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < latest, "waited in vain"
        time.sleep(0.01)


# Asking ------------------------------------------------------------------------------------------


def test_a_wrong_request_writes_nothing(here: Lab, tmp_path: Path) -> None:
    with pytest.raises(RequestError):
        here.submit(EXPERIMENT.but(target="nowhere"))
    assert not (tmp_path / "lab.sqlite").exists()


def test_an_unknown_run_is_named_with_the_nearest(here: Lab) -> None:
    run = here.submit(EXPERIMENT)
    with pytest.raises(UnknownKey, match=run):
        here.run(run[:-1])


def test_what_is_queued_is_paused_stopped_and_discarded_at_once(here: Lab) -> None:
    first, second, third = (here.submit(EXPERIMENT) for _ in range(3))
    here.pause(first)
    here.stop(second)
    here.discard(third)
    assert [here.run(one).state for one in (first, second)] == ["paused", "stopped"]
    assert third not in [run.id for run in here.runs()]
    with pytest.raises(RequestError, match="stopped"):
        here.pause(second)


def test_what_runs_is_asked(here: Lab) -> None:
    run = claimed(here)
    here.pause(run.id)
    assert (here.run(run.id).state, here.run(run.id).wish) == ("running", "pause")
    here.stop(run.id)
    assert here.run(run.id).wish == "stop"


def test_resume_keeps_the_id(here: Lab) -> None:
    run = claimed(here, by=DEAD)
    with pytest.raises(RequestError, match="running"):
        here.resume(run.id)
    here.tend()
    here.resume(run.id)
    again = here.run(run.id)
    assert (again.state, again.attempts, again.reserved) == ("queued", 2, None)


# Dead processes ----------------------------------------------------------------------------------


def test_a_run_whose_process_is_gone_is_interrupted(here: Lab) -> None:
    gone, mine = claimed(here, by=DEAD), claimed(here)
    here.tend()
    assert [here.run(run.id).state for run in (gone, mine)] == ["interrupted", "running"]


def test_a_number_given_to_another_process_does_not_count(here: Lab) -> None:
    run = claimed(here, by=Identity(myself().host, os.getpid(), myself().created - 60))
    here.tend()
    assert here.run(run.id).state == "interrupted"


def test_a_zombie_is_dead(here: Lab) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    who = Identity(myself().host, child.pid, psutil.Process(child.pid).create_time())
    assert who.alive
    child.kill()
    wait_for(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE)
    assert not who.alive
    child.wait()
    assert child.stdin
    child.stdin.close()


def test_a_queued_run_kept_for_a_dead_process_is_interrupted(here: Lab) -> None:
    run = here.submit(EXPERIMENT, reserved=DEAD)
    here.tend()
    assert here.run(run).state == "interrupted"


def test_a_process_elsewhere_is_given_up_when_it_is_silent(here: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    run = claimed(here, by=ELSEWHERE)
    here.tend()
    assert here.run(run.id).state == "running"
    monkeypatch.setattr(lab, "_SILENT_SECONDS", -1.0)
    here.tend()
    assert here.run(run.id).state == "interrupted"


def test_a_discarded_run_goes_with_its_process(here: Lab) -> None:
    run = claimed(here, by=DEAD)
    folder = settings.run_folder(run.id)
    folder.mkdir(parents=True)
    here.discard(run.id)
    assert here.runs() == [] and not folder.exists()


# Training ----------------------------------------------------------------------------------------


def test_everything_said_is_kept_before_the_run_ends(here: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(_experiment: Experiment, emit: Callable[[Event], None], **_rest: object) -> SimpleNamespace:
        for step in range(100):
            emit(Point("train", "target", 0, step / 10, step, float(step), {"loss": 0.0}))
        emit(Stage("testing", 1, 2))
        return result()

    engine(monkeypatch, train)
    run = claimed(here)
    assert worker.run_claimed(here.store, run) == "finished"
    found = here.run(run.id)
    assert (found.state, found.metrics["test_accuracy"], found.progress["text"]) == ("finished", 0.5, "testing")
    assert list(here.history(run.id).step) == list(range(100))


@pytest.mark.parametrize("wish", ["pause", "stop", "discard"])
def test_a_wish_reaches_training(here: Lab, monkeypatch: pytest.MonkeyPatch, wish: str) -> None:
    ends = {"pause": "paused", "stop": "stopped", "discard": "discarded"}

    def train(_experiment: Experiment, should_stop: Callable[[], str], folder: Path, **_rest: object) -> object:
        folder.mkdir(parents=True)
        getattr(Lab(), wish)(folder.name)
        wait_for(lambda: should_stop() is not None)
        return result(ends[should_stop()])

    engine(monkeypatch, train)
    run = claimed(here)
    assert worker.run_claimed(here.store, run) == ends[wish]
    assert [one.state for one in here.runs()] == ([] if wish == "discard" else [ends[wish]])
    assert settings.run_folder(run.id).exists() == (wish != "discard")


def test_discarding_in_the_moment_of_the_end_still_discards(here: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    run = claimed(here)

    def recorded(*_: object) -> worker.Ending:
        here.discard(run.id)
        return "finished", {}, {}, ""

    monkeypatch.setattr(worker, "_recorded", recorded)
    assert worker.run_claimed(here.store, run) == "discarded"
    assert here.runs() == []


def test_a_signal_pauses(here: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(_experiment: Experiment, should_stop: Callable[[], str], **_rest: object) -> object:
        os.kill(os.getpid(), signal.SIGTERM)
        return result({"pause": "paused"}[should_stop()])

    engine(monkeypatch, train)
    assert worker.run_claimed(here.store, claimed(here)) == "paused"


def test_failures_in_words_and_bugs_with_their_traceback(here: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    full = DiskFull("No room.", remedy="Make some.")
    for problem, shown in ((full, "No room. Make some."), (KeyError("x"), "Traceback")):

        def train(_experiment: Experiment, problem: Exception = problem, **_rest: object) -> object:
            raise problem

        engine(monkeypatch, train)
        run = claimed(here)
        assert worker.run_claimed(here.store, run) == "failed"
        assert here.run(run.id).error.startswith(shown)


def test_a_full_disk_ends_training(here: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    run = claimed(here)
    monkeypatch.setattr("transfer.lab.recorder._LAST_TRIES", 1)
    with pytest.raises(DiskFull), Recorder(here.store, run) as recorder:
        fill_disk(here.store)
        for _ in range(100):
            recorder.emit(Note("x" * 10_000))
            time.sleep(0.02)
    with pytest.raises(DiskFull):
        recorder.should_stop()
