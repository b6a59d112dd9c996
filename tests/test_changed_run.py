"""A run on own pictures that is killed, resumed and looked at while its pictures are changed, removed or put back."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.common import network_questions
from tests import tiny
from tests.test_run_pages import opened, said
from tests.test_seen import CLASSES, SCRATCH, fill
from transfer import settings, train
from transfer.engine.begin import before
from transfer.engine.events import Event, Point
from transfer.engine.samples import arrays, splits
from transfer.errors import DataChanged, LabError
from transfer.insight.words import percent
from transfer.lab import Lab, answers, opened_runs
from transfer.lab.in_process import run_here
from transfer.lab.process import myself
from transfer.lab.spawner import Spawner
from transfer.pictures import own, uploads

ROOT = Path(__file__).resolve().parents[1]
EACH = 12
TINY = SCRATCH.but(backbone=tiny.NETWORK, epochs=3, batch_size=8)

TRAINING = """
import sys, time
import pytest
from tests import tiny
from transfer.engine.loop import watch
from transfer.engine.events import Point
from transfer.experiment import Experiment
from transfer.lab import Lab
from transfer.lab.in_process import run_here
from transfer.lab.process import myself

tiny.add(pytest.MonkeyPatch())
watch.SAVED_EVERY = 0.0
lab = Lab()
run = lab.submit(Experiment.model_validate_json(sys.argv[1]), reserved=myself())

def listen(event):
    if isinstance(event, Point) and event.split == "validation" and event.epoch == 2:
        print("run", run, flush=True)
        time.sleep(120)

run_here(lab, run, listen, lambda words: None)
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("changed")


@pytest.fixture(autouse=True)
def home(base: Path, world: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """One lab for the whole module, in which no worker starts; folders and answers are read anew."""
    import streamlit as st

    monkeypatch.setenv("TRANSFER_HOME", str(base / "home"))
    monkeypatch.setenv("TRANSFER_STANDBY", "0")
    monkeypatch.setattr(own, "_FRESH_SECONDS", -1.0)
    monkeypatch.setattr(Spawner, "ensure", lambda *_: None)
    monkeypatch.setattr(network_questions.calling, "ask", _asked_here)
    st.cache_resource.clear()
    st.cache_data.clear()
    opened_runs._open.clear()
    yield base
    st.cache_resource.clear()
    st.cache_data.clear()


def _asked_here(question: str, seconds: float = 0.0, **about: object) -> object:
    """The answer as the process that holds networks gives it, without that process."""
    return answers.QUESTIONS[question](**about)


@pytest.fixture(scope="module")
def folder(base: Path) -> Path:
    return fill(base / "own", 1, EACH)


@pytest.fixture(scope="module")
def killed(base: Path, folder: Path, world: None) -> str:
    """A run whose process was killed in its second epoch."""
    asked = TINY.but(target=f"folder:{folder}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_HOME", str(base / "home"))
        patch.setenv("TRANSFER_STANDBY", "0")
        child = subprocess.Popen(
            [sys.executable, "-c", TRAINING, asked.canonical_json()], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
    assert child.stdout is not None
    run = child.stdout.readline().removeprefix("run ").strip()
    child.kill()  # SIGKILL
    child.wait()
    child.stdout.close()
    return run


@pytest.fixture(scope="module")
def finished(killed: str, base: Path, world: None) -> str:
    """The same run, resumed and finished."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_HOME", str(base / "home"))
        patch.setenv("TRANSFER_STANDBY", "0")
        patch.setattr(Spawner, "ensure", lambda *_: None)
        lab = Lab()
        lab.reconcile()
        if lab.run(killed).state == "interrupted":  # it has not been resumed by another test
            lab.resume(killed, reserved=myself())
            run_here(lab, killed, lambda event: None, lambda words: None)
        assert lab.run(killed).state == "finished", lab.run(killed).error
    return killed


def two_added_one_removed(folder: Path) -> None:
    first_tested(folder).unlink()
    for place, file in enumerate(sorted((fill(folder.parent / "new", 40) / "cup").glob("*"))[:2]):
        shutil.copy(file, folder / "cup" / f"new{place}.png")


def first_tested(folder: Path) -> Path:
    """The first picture of the test set."""
    return folder / splits.target_split(TINY.but(target=f"folder:{folder}")).prints["test"].names[0]


def gone(folder: Path) -> None:
    shutil.rmtree(folder)


def renamed_class(folder: Path) -> None:
    (folder / "cup").rename(folder / "mug")


PARTS = {
    "metrics": "By class",
    "confusion": "Click a cell",
    "mistakes": "Least confident hits",
    "look": "Where it looked",
    "plane": "among their own class",
    "moved": "moved furthest",
}
NEEDS_PICTURES = ("plane", "moved")
Change = Callable[[Path], None]
CHANGES: dict[Change, tuple[str, tuple[str, ...]]] = {
    two_added_one_removed: ("2 added, 1 removed", tuple(PARTS)),
    gone: ("no longer there", tuple(PARTS)),
    renamed_class: ("its classes", ("mistakes",)),
}


@pytest.fixture
def kept(folder: Path, base: Path) -> Iterator[None]:
    """Whatever becomes of the folder, it is put back."""
    shutil.copytree(folder, base / "kept")
    yield
    shutil.rmtree(folder, ignore_errors=True)
    shutil.move(base / "kept", folder)
    shutil.rmtree(base / "new", ignore_errors=True)


# Resume ------------------------------------------------------------------------------------------------


def test_a_run_killed_in_its_middle_goes_on_only_with_the_pictures_it_began_with(
    killed: str, folder: Path, kept: None
) -> None:
    lab = Lab()
    lab.reconcile()
    assert lab.run(killed).state == "interrupted"
    place = settings.run_folder(killed)
    assert (place / "checkpoint.npz").exists()
    split = splits.target_split(lab.run(killed).experiment)
    pictures, labels = np.array(split.test.inputs), split.test.labels
    two_added_one_removed(folder)
    with pytest.raises(DataChanged, match="2 added, 1 removed") as refused:
        lab.resume(killed, reserved=myself())
    assert "Put the pictures back" in str(refused.value) and lab.run(killed).state == "interrupted"
    with pytest.raises(DataChanged):  # nor does the engine, if the change comes after the queue
        train(lab.run(killed).experiment, folder=place)
    shutil.rmtree(folder)
    with pytest.raises(LabError, match="There is no such folder"):
        lab.resume(killed, reserved=myself())
    shutil.copytree(folder.parent / "kept", folder)
    lab.resume(killed, reserved=myself())
    said: list[Event] = []
    assert run_here(lab, killed, said.append, lambda words: None) == "finished", lab.run(killed).error
    assert [one.epoch for one in said if isinstance(one, Point) and one.split == "validation"][0] == 2
    np.testing.assert_array_equal(arrays.read(place / "test.npz")["labels"], labels)
    np.testing.assert_array_equal(answers.pictures(killed, list(range(len(labels))))["inputs"], pictures)


def sent(classes: tuple[str, ...], first: int) -> uploads.Received:
    """An upload as a browser sends it."""
    source = fill(settings.home().parent / f"sent-{first}", first, EACH)
    files = [(f"{one}/{file.name}", BytesIO(file.read_bytes())) for one in classes for file in source.glob(f"{one}/*")]
    return uploads.take_files("sent", files)


def test_an_upload_sent_again_is_the_same_data_and_another_under_its_name_is_not() -> None:
    sent(CLASSES, 1)
    lab, asked = Lab(), TINY.but(target="upload:sent")
    run, tested = lab.submit(asked, reserved=myself()), np.array(splits.target_split(asked).test.inputs)
    place = settings.run_folder(run)
    claimed = lab.store.claim(myself(), "cpu", only=run)
    assert claimed is not None
    before.recorded(place, "target", asked.target, 0, splits.target_split(asked), resumed=False)
    lab.store.finish(claimed, "paused", {}, {}, "")
    (place / "checkpoint.npz").write_bytes(b"some weights")
    uploads.remove("sent")
    with pytest.raises(LabError, match="upload"):
        lab.resume(run, reserved=myself())
    sent(CLASSES, 2)
    with pytest.raises(DataChanged, match="36 altered"):
        lab.resume(run, reserved=myself())
    with pytest.raises(DataChanged, match="36 altered"):
        before.recorded(place, "target", asked.target, 0, splits.target_split(asked), resumed=True)
    assert lab.run(run).state == "paused"
    uploads.remove("sent")
    sent(CLASSES[::-1], 1)
    lab.resume(run, reserved=myself())
    assert lab.run(run).state == "queued"
    before.recorded(place, "target", asked.target, 0, splits.target_split(asked), resumed=True)
    np.testing.assert_array_equal(splits.target_split(asked).test.inputs, tested)


# The run's page ------------------------------------------------------------------------------------------


def shown(run: str, part: str) -> AppTest:
    shutil.rmtree(settings.run_folder(run) / "insight", ignore_errors=True)  # or only the first would be worked out
    return opened("run", run=run, part=part)


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.__name__)
def test_the_page_shows_what_was_stored_and_says_how_the_folder_has_changed(
    finished: str, folder: Path, kept: None, change: Change
) -> None:
    accuracy = percent(Lab().run(finished).metrics["test_accuracy"], 1)
    change(folder)
    how, parts = CHANGES[change]
    for part in parts:
        app = shown(finished, part)
        assert "has changed since this run" in said(app) and how in said(app), part
        if part in NEEDS_PICTURES and change is gone:
            assert "None of the run's pictures" in app.error[0].value, part
        else:
            assert PARTS[part] in said(app), part
        if part == "metrics":
            assert {one.label: one.value for one in app.metric}["Accuracy"] == accuracy
        if part == "look":  # at the first picture of the test, which has gone
            assert ["no longer exists" in one.value for one in app.error] == [True]
            if change is two_added_one_removed:
                app = app.number_input(key="picture").set_value(1).run()
                assert not app.exception and not app.error and "Picture 1: **" in said(app)
    if change is gone:
        for part in ("curves", "about"):
            assert not opened("run", run=finished, part=part).error
