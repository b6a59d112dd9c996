"""The process that answers about networks: found, started once, survived, and right."""

from __future__ import annotations

import os
import signal
import stat
import threading
import time
from multiprocessing.connection import Client
from multiprocessing.context import AuthenticationError
from pathlib import Path

import numpy as np
import pytest

from tests.trained import finished_run
from transfer import settings
from transfer.engine.samples import arrays, splits
from transfer.errors import RequestError
from transfer.experiment import Experiment
from transfer.lab import calling, locks, opened_runs
from transfer.lab.lab import Lab


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("answering")


@pytest.fixture(scope="module")
def run(base) -> str:
    return finished_run(base)


@pytest.fixture(autouse=True)
def home(base, monkeypatch):
    monkeypatch.setenv("TRANSFER_HOME", str(base))
    monkeypatch.setenv("TRANSFER_ANSWERER_SECONDS", "120")
    return base


@pytest.fixture(scope="module", autouse=True)
def leaves_nothing(base):
    yield
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_HOME", str(base))
        if (found := calling.card()) is not None:
            os.kill(found.who.pid, signal.SIGKILL)


def stored(run: str) -> tuple[np.ndarray, splits.Split]:
    asked = Experiment(**Lab().run(run).experiment.model_dump())
    return arrays.read(settings.run_folder(run) / "test.npz")["logits"], splits.target_split(asked)


def softmax(logits: np.ndarray) -> np.ndarray:
    grown = np.exp(logits - logits.max())
    return grown / grown.sum()


def test_it_says_what_the_run_said_in_its_test_and_where_it_looked(run):
    logits, split = stored(run)
    fetched = calling.ask("pictures", run=run, places=[4, 0])
    assert np.array_equal(fetched["inputs"], split.test.inputs[[4, 0]])
    assert fetched["labels"].tolist() == split.test.labels[[4, 0]].tolist()
    ready = calling.ask("ready", run=run)
    assert list(ready["maps"]) == ["conv1", "conv2", "conv3"] and ready["shape"] == (28, 28, 1)
    said = calling.ask("answer", run=run, picture=split.test.inputs[4])
    assert said["probabilities"] == pytest.approx(softmax(logits[4]), abs=1e-4)
    assert said["heat"].shape == ready["maps"][said["stage"]] and 0 <= said["heat"].min() <= said["heat"].max() <= 1
    # A training picture is most like itself.
    mine = calling.ask("answer", run=run, picture=split.train.inputs[3])
    assert np.array_equal(mine["pictures"][0], split.train.inputs[3]) and mine["alike"][0] == pytest.approx(1)


def test_the_second_answer_comes_at_once(run):
    picture = np.zeros((28, 28, 1), "uint8")
    calling.ask("answer", run=run, picture=picture)
    begin = time.perf_counter()
    calling.ask("answer", run=run, picture=picture)
    assert time.perf_counter() - begin < 0.5


def test_what_cannot_be_answered_is_said_in_words(run):
    with pytest.raises(RequestError, match="shape differs"):
        calling.ask("answer", run=run, picture=np.zeros((5, 5, 3), "uint8"))
    with pytest.raises(RequestError, match="no stored network"):
        calling.ask("ready", run="nobody")
    with pytest.raises(RequestError, match="no such sample"):
        calling.ask("pictures", run=run, places=[10**6])
    with pytest.raises(RequestError, match="no feature map"):
        calling.ask("look", run=run, place=0, stage="dense")


def test_what_moved_is_what_the_run_said_while_it_trained(run):
    found = calling.ask("moved", run=run)
    points = Lab().history(run)
    best = points[(points["split"] == "validation") & (points["epoch"] == Lab().run(run).metrics["best_epoch"])].iloc[
        -1
    ]
    for stage, far in found["distances"].items():
        assert far == pytest.approx(best[f"moved:{stage}"], rel=1e-3) and far > 0
    assert all(0 < one < 1 for one in found["alike"].values())
    began = time.perf_counter()
    assert calling.ask("moved", run=run) == found and time.perf_counter() - began < 1


def test_the_test_set_lies_in_a_plane_before_and_after(run):
    found = calling.ask("embedded", run=run, method="pca")
    assert found["start"].shape == found["end"].shape == (len(found["chosen"]), 2)
    assert 0.5 < found["agree_end"] <= 1 and np.allclose(found["end"].mean(0), 0)


def test_a_question_and_its_answer_wait_for_no_acknowledgement(run):
    took = []
    for _ in range(10):
        began = time.perf_counter()
        calling.ask("pictures", run=run, places=list(range(50)))
        took.append(time.perf_counter() - began)
    assert min(took) < 0.035  # one such wait alone is 40 ms


def test_killed_it_is_started_again_at_the_next_question(run):
    before = calling.ask("pictures", run=run, places=[0])
    first = calling.card()
    os.kill(first.who.pid, signal.SIGKILL)
    after = calling.ask("pictures", run=run, places=[0])
    second = calling.card()
    assert second.who != first.who and np.array_equal(before["inputs"], after["inputs"])


def test_many_who_ask_at_once_start_one(run):
    if (found := calling.card()) is not None:
        os.kill(found.who.pid, signal.SIGKILL)
    logs = len(list((settings.home() / "logs").glob("answerer-*.log")))
    seen: list[int] = []

    def ask() -> None:
        calling.ask("pictures", run=run, places=[1])
        seen.append(calling.card().who.pid)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(seen) == 4 and len(set(seen)) == 1
    assert len(list((settings.home() / "logs").glob("answerer-*.log"))) == logs + 1


def test_an_old_one_goes_when_the_code_has_changed(run, monkeypatch):
    calling.ask("pictures", run=run, places=[0])
    first = calling.card()
    kept = calling.card_file().read_text()
    calling.card_file().write_text(kept.replace(str(first.code), "1"))
    calling.ask("pictures", run=run, places=[0])
    assert calling.card().who != first.who and not first.who.alive


def test_who_does_not_know_the_key_is_sent_away(run):
    calling.ask("pictures", run=run, places=[0])
    with pytest.raises((AuthenticationError, EOFError, OSError)):
        Client((calling.HOST, calling.card().port), authkey=b"guess")
    mode = stat.S_IMODE((settings.home() / "answerer.key").stat().st_mode)
    assert mode == 0o600
    # Who keeps silent holds up nobody.
    import socket

    with socket.create_connection((calling.HOST, calling.card().port)):
        assert calling.ask("pictures", run=run, places=[0])["labels"].shape == (1,)


def test_it_ends_when_nobody_asks(run, tmp_path, monkeypatch):
    folder = tmp_path / "other"
    monkeypatch.setenv("TRANSFER_HOME", str(folder))
    monkeypatch.setenv("TRANSFER_ANSWERER_SECONDS", "0.5")
    with pytest.raises(RequestError):
        calling.ask("ready", run="nobody")
    who = calling.card().who
    until = time.monotonic() + 20
    # The lock goes with the process's last thread.
    while not locks.free(locks.answerer_lock()) and time.monotonic() < until:
        time.sleep(0.1)
    assert not who.alive and calling.card() is None and locks.free(locks.answerer_lock())


def test_the_run_not_asked_for_longest_is_closed(run, base):
    for number in range(opened_runs.KEPT + 1):
        copy = settings.run_folder(f"copy{number}")
        copy.mkdir(parents=True, exist_ok=True)
        (copy / "experiment.json").write_text((settings.run_folder(run) / "experiment.json").read_text())
    first = opened_runs.opened("copy0")
    for number in range(1, opened_runs.KEPT):
        opened_runs.opened(f"copy{number}")
    assert opened_runs.opened("copy0") is first
    opened_runs.opened(f"copy{opened_runs.KEPT}")
    assert opened_runs.opened("copy0") is first and "copy1" not in opened_runs._open
    opened_runs._open.clear()
