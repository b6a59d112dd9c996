"""A run goes in one way, whoever asks: what others came of stays until the last of them goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from transfer import Experiment, removal, settings
from transfer.backbones import run_network
from transfer.errors import LabError
from transfer.lab import Lab, discarding, remarks
from transfer.lab.process import Identity, myself
from transfer.lab.worker import _write_ending

GONE = Identity(myself().host, 2**22 - 1, 1.0)


def finished(lab: Lab, parent: str = "", teacher: str = "") -> str:
    """A run that has left files, come of another or of none."""
    options = {"teacher": f"run:{teacher}"} if teacher else {}
    asked = Experiment(backbone=f"run:{parent}" if parent else "small_cnn", options=options)
    run = lab.store.add_run(asked)
    held = lab.store.claim(myself(), "cpu")
    assert held is not None and held.id == run
    lab.store.finish(held, "finished", {}, {}, "")
    settings.run_folder(run).mkdir(parents=True)
    (settings.run_folder(run) / "experiment.json").write_text(asked.canonical_json())
    run_network.packed(run).write_text("a copy of its network")
    return run


def here_still(*runs: str) -> list[bool]:
    return [settings.run_folder(run).exists() and run_network.packed(run).exists() for run in runs]


def by_discard(lab: Lab, run: str) -> None:
    lab.discard(run)


def later(lab: Lab) -> None:
    """What is done once everybody's ten minutes are over."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lab.remarks, "overdue", lambda: remarks.Remarks(lab.store).overdue(-1.0))
        lab.reconcile()


def by_delete(lab: Lab, run: str) -> None:
    lab.remarks.remove([run])
    lab.reconcile()
    assert settings.run_folder(run).exists(), "it can be undone for ten minutes"
    later(lab)


ways = pytest.mark.parametrize("go", [by_discard, by_delete])


@ways
def test_files_stay_until_the_last_run_that_came_of_them_goes(go, here: Lab) -> None:
    first = finished(here)
    tuned = finished(here, parent=first)
    taught = finished(here, teacher=tuned)
    other = finished(here, parent=first)
    go(here, first)
    go(here, tuned)
    assert here.store.run(first) is None and here_still(first, tuned, taught) == [True, True, True]
    go(here, other)
    assert here_still(other, first) == [False, True]
    go(here, taught)
    assert here_still(first, tuned, taught) == [False, False, False]
    assert here.runs() == [] and here.remarks.all() == {}


@ways
def test_a_run_that_nothing_came_of_takes_its_files_along(go, here: Lab) -> None:
    first, other = finished(here), finished(here)
    go(here, first)
    assert here_still(first, other) == [False, True]


def test_what_is_queued_while_its_parent_waits_for_its_ten_minutes_keeps_the_files(here: Lab) -> None:
    first = finished(here)
    here.remarks.remove([first])
    child = here.store.add_run(Experiment(backbone=f"run:{first}"))
    later(here)
    assert here.store.run(first) is None and here_still(first) == [True]
    here.discard(child)
    assert here_still(first) == [False]


def test_a_child_in_its_ten_minutes_keeps_the_files_and_so_does_one_that_is_brought_back(here: Lab) -> None:
    first = finished(here)
    tuned = finished(here, parent=first)
    here.remarks.remove([tuned])
    here.discard(first)
    assert here_still(first) == [True]
    here.remarks.restore([tuned])
    assert here.run(tuned) and here_still(first) == [True]


@pytest.mark.parametrize("marked", ["doomed", "its process died"])
def test_whoever_is_killed_on_the_way_leaves_nothing_behind(marked: str, here: Lab) -> None:
    first = finished(here)
    run = here.store.add_run(Experiment(backbone=f"run:{first}"))
    here.discard(first)
    if marked == "doomed":
        assert here.store.doom(run, ("running",))
        assert here.store.run(run) is not None and here.runs() == [], "marked, and out of sight"
        assert not here.store.requeue(run) and here.store.claim(myself(), "cpu") is None
        here.remarks.restore([run])
        here.remarks.remove([run])
    else:
        assert here.store.claim(GONE, "cpu") is not None and here.store.wish(run, "discard")
    Lab(here.store).reconcile()
    assert here.store.run(run) is None and here_still(first) == [False]
    assert not settings.run_folder(run).exists() and here.remarks.all() == {}


def test_a_worker_that_is_told_to_discard_keeps_what_others_need_and_takes_the_rest(here: Lab) -> None:
    first = finished(here)
    run = here.store.add_run(Experiment(backbone=f"run:{first}"))
    here.discard(first)
    held = here.store.claim(myself(), "cpu")
    assert held is not None
    settings.run_folder(run).mkdir()
    assert here.store.wish(run, "discard")
    assert _write_ending(here.store, held, ("discarded", {}, {}, "")) == "discarded"
    assert here.store.run(run) is None and here_still(first) == [False] and not settings.run_folder(run).exists()


def test_two_that_go_at_once_leave_nothing_of_what_both_came_of(here: Lab) -> None:
    first = finished(here)
    one, other = finished(here, parent=first), finished(here, parent=first)
    here.discard(first)
    both = [here.run(one), here.run(other)]
    for run in both:
        assert here.store.doom(run.id, ("running",))
    for run in both:
        discarding.finish(here.store, run)
    assert here_still(first, one, other) == [False, False, False]


def test_a_removed_run_that_is_resumed_is_brought_back(here: Lab) -> None:
    run = here.store.add_run(Experiment(strategy="from_scratch"))
    here.pause(run)
    here.remarks.remove([run])
    here.resume(run)
    later(here)
    assert [one.id for one in here.runs()] == [run]


def test_files_that_cannot_be_removed_are_told_and_tried_again(here: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    run = finished(here)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as refused:
        refused.setattr(removal.shutil, "rmtree", refuse)
        with pytest.raises(LabError, match="could not be removed.*Permission denied"):
            here.discard(run)
        here.reconcile()  # says so in the log; a page goes on
        assert here.store.run(run) is not None and here.runs() == []
    here.reconcile()
    assert here.store.run(run) is None and here_still(run) == [False]


def test_a_cache_on_another_disk_does_not_keep_a_run_from_going(here: Lab, tmp_path: Path) -> None:
    disk = tmp_path.parent / f"{tmp_path.name}-scratch"
    disk.mkdir()
    (tmp_path / "cache").symlink_to(disk)
    run = finished(here)
    here.discard(run)
    assert not settings.run_folder(run).exists() and run_network.packed(run).exists()
