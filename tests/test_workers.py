"""Workers as real processes, with a stand-in for the engine: killed, told to go, two on one slot."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from transfer.experiment import Experiment
from transfer.lab import Lab, devices, locks, spawner
from transfer.lab.process import Child

EXPERIMENT = Experiment(source="mnist_5k", labels_per_class=2)
ROOT = Path(__file__).parents[1]


WORKER = """
import sys, time, types
sys.path.insert(0, {root!r})
from transfer.engine.events import Note
from transfer.lab import worker
def train(experiment, emit, should_stop, folder):
    for number in range(10_000):
        emit(Note(str(number)))
        time.sleep(0.01)
        if should_stop():
            return types.SimpleNamespace(state="paused", metrics={{}}, environment={{}})
for name, content in (("train", dict(train=train)), ("measure.warm_up", dict(warm_up=lambda waiting: None))):
    module = types.ModuleType("transfer.engine." + name)
    vars(module).update(content)
    sys.modules[module.__name__] = module
import transfer.engine
transfer.engine.train = sys.modules["transfer.engine.train"]
"""
# SIGTERM arrives in the moment in which the run has been claimed.
TOLD_AT_ONCE = """
import os, signal
claim = worker.Store.claim
def claimed(*given):
    run = claim(*given)
    if run is not None:
        os.kill(os.getpid(), signal.SIGTERM)
    return run
worker.Store.claim = claimed
"""


def start_worker(slot: str = "cpu-0", before: str = "") -> subprocess.Popen[bytes]:
    script = WORKER.format(root=str(ROOT)) + before + f"worker.work({slot!r})"
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL)


def child_lives(child: subprocess.Popen[bytes]) -> bool:
    return psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE


def wait_for(what: Callable[[], bool], seconds: float = 10.0) -> None:
    latest = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < latest, "waited in vain"
        time.sleep(0.01)


def test_what_a_killed_worker_said_is_kept_and_the_run_can_go_on(here: Lab) -> None:
    run = here.submit(EXPERIMENT)
    child = start_worker()
    wait_for(lambda: len(here.events(run)) > 20)
    kept = len(here.events(run))
    child.kill()
    wait_for(lambda: not child_lives(child))
    here.tend()
    assert here.run(run).state == "interrupted"
    said = [event.body["text"] for event in here.events(run)[1:]]
    assert len(said) + 1 >= kept and said == [str(number) for number in range(len(said))]
    here.resume(run)
    child.wait()
    child = start_worker()
    wait_for(lambda: here.run(run).state == "running")
    child.terminate()
    assert child.wait(10) == 0
    assert (here.run(run).state, here.run(run).attempts) == ("paused", 2)


def test_told_to_go_as_it_claims_a_run_a_worker_pauses_that_run(here: Lab) -> None:
    run = here.submit(EXPERIMENT)
    assert start_worker(before=TOLD_AT_ONCE).wait(20) == 0
    assert (here.run(run).state, here.run(run).attempts) == ("paused", 1)
    assert here.run(run).resumable


def test_two_workers_on_one_slot_start_nothing_twice(here: Lab) -> None:
    Lab().submit(EXPERIMENT)
    Lab().submit(EXPERIMENT)
    children = [start_worker() for _ in range(3)]
    wait_for(lambda: any(run.state == "running" for run in here.runs()))
    time.sleep(0.5)
    assert sorted(run.state for run in here.runs()) == ["queued", "running"]
    assert not locks.free(locks.device_lock("cpu-0"))
    for run in here.runs():
        here.discard(run.id)
    for child in children:
        child.wait(10)
    assert locks.free(locks.device_lock("cpu-0"))


def test_worker_trouble_tells_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path))
    monkeypatch.setattr("transfer.lab.process.sys", SimpleNamespace(executable="/bin/false"))
    monkeypatch.setattr(spawner, "_STARTING_SECONDS", 0.0)
    monkeypatch.setattr(devices, "slots", lambda: ["cpu-0"])
    one = spawner.Spawner()
    starts: list[str] = []
    spawn = spawner.spawn_worker

    def count(slot: str) -> Child:
        starts.append(slot)
        return spawn(slot)

    def told() -> bool:
        one.ensure(waiting=1)
        return bool(one.trouble)

    monkeypatch.setattr(spawner, "spawn_worker", count)
    wait_for(told)
    assert "status 1" in one.trouble and "worker-" in one.trouble
    tried = len(starts)
    one.ensure(waiting=1)
    assert len(starts) == tried == 3
