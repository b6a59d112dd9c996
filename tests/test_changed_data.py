"""Own pictures that change after a run began: it shows what it kept, and never goes on with others."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.test_seen import CLASSES, SCRATCH, fill, finished
from transfer import Experiment, catalog, settings, train
from transfer.engine.begin import before
from transfer.engine.events import Event, Point
from transfer.engine.samples import arrays, since, splits
from transfer.errors import DataChanged
from transfer.insight import facts, gain, race
from transfer.lab import Lab, answers
from transfer.lab.process import myself
from transfer.lab.records import Run
from transfer.modalities.image import identity
from transfer.pictures import own
from transfer.seen import record

NEW = 40


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder is looked at each time."""
    monkeypatch.setattr(own, "_FRESH_SECONDS", -1.0)


def added(folder: Path) -> None:
    shutil.copy(fill(folder.parent / "new", NEW, 1) / "cup" / "00.png", folder / "cup" / "new.png")


def removed(folder: Path) -> None:
    (folder / "dog" / "03.png").unlink()


def edited_in_place(folder: Path) -> None:
    """Equal in size and time, as some tools leave it."""
    file = folder / "owl" / "02.png"
    about, content = file.stat(), bytearray(file.read_bytes())
    other = (fill(folder.parent / "new", NEW, 1) / "owl" / "00.png").read_bytes()
    file.write_bytes((other + bytes(content))[: len(content)] if len(other) <= len(content) else other)
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))


def renamed_picture(folder: Path) -> None:
    (folder / "cup" / "00.png").rename(folder / "cup" / "99.png")


def renamed_class(folder: Path) -> None:
    (folder / "cup").rename(folder / "mug")


def moved_to_another_class(folder: Path) -> None:
    (folder / "cup" / "00.png").rename(folder / "dog" / "00x.png")


def replaced_by_a_link(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(fill(folder.parent / "another", 3))


def gone(folder: Path) -> None:
    shutil.rmtree(folder)


CHANGES: dict[Callable[[Path], None], str] = {
    added: "1 added",
    removed: "1 removed",
    edited_in_place: "1 altered",
    renamed_picture: "names, labels or parts of pictures",
    renamed_class: "its classes",
    moved_to_another_class: "names, labels or parts of pictures",
    replaced_by_a_link: "21 altered",
    gone: "no longer there",
}


def began(folder: Path) -> tuple[Experiment, record.Record]:
    """A run on the folder has begun, under the id ``one``."""
    asked = SCRATCH.but(target=f"folder:{folder}")
    split = splits.target_split(asked)
    settings.run_folder("one").mkdir(parents=True, exist_ok=True)
    before.recorded(settings.run_folder("one"), "target", asked.target, 0, split, resumed=False)
    found = record.read(settings.run_folder("one"))
    assert found is not None
    return asked, found


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.__name__)
def test_what_has_changed_is_said_and_nothing_goes_on_with_it(tmp_path: Path, change: Callable[[Path], None]) -> None:
    folder = fill(tmp_path / "own", 1)
    asked, made = began(folder)
    test = splits.target_split(asked).test
    pictures, labels = np.asarray(test.inputs), test.labels
    assert record.since(made, catalog.datasets()) == ""
    change(folder)
    assert CHANGES[change] in record.since(made, catalog.datasets())
    if folder.exists() and catalog.datasets().get(asked.target):
        with pytest.raises(DataChanged, match="Put the pictures back"):
            before.recorded(settings.run_folder("one"), "target", asked.target, 0, splits.target_split(asked), True)
    # What the run has kept is shown, with each picture that is still the same.
    then = since.as_then(made, labels, "image")
    assert then is not None and then.classes == CLASSES
    there = identity.there(then.test.inputs)
    np.testing.assert_array_equal(then.test.inputs[there], pictures[there])
    np.testing.assert_array_equal(then.test.labels, labels)
    lost = {added: 0, renamed_picture: 0, renamed_class: 0, moved_to_another_class: 0}
    assert len(labels) - len(there) <= lost.get(change, len(labels) if change in (gone, replaced_by_a_link) else 1)


def test_files_that_were_only_touched_or_copied_have_not_changed(tmp_path: Path) -> None:
    folder = fill(tmp_path / "own", 1)
    asked, made = began(folder)
    shutil.copytree(folder, tmp_path / "copy")
    shutil.rmtree(folder)
    shutil.move(tmp_path / "copy", folder)
    os.utime(folder / "cup" / "00.png")
    assert record.since(made, catalog.datasets()) == ""
    before.recorded(settings.run_folder("one"), "target", asked.target, 0, splits.target_split(asked), resumed=True)


def test_a_label_in_a_table_and_the_size_of_pictures_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path / "own", 1)
    rows = [f"{file.relative_to(folder)},{file.parent.name}" for file in sorted(folder.glob("*/*"))]
    (folder / "labels.csv").write_text("\n".join(["file,label", *rows]))
    _, made = began(folder)
    (folder / "labels.csv").write_text("\n".join(["file,label", rows[0].replace(",cup", ",owl"), *rows[1:]]))
    assert "names, labels or parts" in record.since(made, catalog.datasets())
    (folder / "labels.csv").write_text("\n".join(["file,label", *rows]))
    assert record.since(made, catalog.datasets()) == ""
    monkeypatch.setenv("TRANSFER_PICTURE_SIZE", "8")
    _, made = began(fill(tmp_path / "large", 1))
    monkeypatch.setenv("TRANSFER_PICTURE_SIZE", "12")
    assert record.since(made, catalog.datasets()) == ""  # no picture is larger than 8 pixels


def test_resume_is_refused_in_words_before_anything_is_queued(here: Lab, tmp_path: Path) -> None:
    folder = fill(tmp_path / "own", 1)
    asked = SCRATCH.but(target=f"folder:{folder}")
    run = here.submit(asked, reserved=myself())
    claimed = here.store.claim(myself(), "cpu", only=run)
    assert claimed is not None
    place = settings.run_folder(run)
    place.mkdir(parents=True)
    before.recorded(place, "target", asked.target, 0, splits.target_split(asked), resumed=False)
    here.store.finish(claimed, "paused", {}, {}, "")
    (place / "checkpoint.npz").write_bytes(b"some weights")
    added(folder)
    with pytest.raises(DataChanged, match="1 added"):
        here.resume(run, reserved=myself())
    assert here.run(run).state == "paused"
    (folder / "cup" / "new.png").unlink()
    here.resume(run, reserved=myself())
    assert here.run(run).state == "queued"


def test_a_run_that_trains_keeps_what_it_saw_and_refuses_to_go_on_with_anything_else(tmp_path: Path) -> None:
    folder = fill(tmp_path / "own", 1, 12)
    asked = SCRATCH.but(target=f"folder:{folder}", epochs=2)
    shutil.copy(folder / "cup" / "00.png", folder / "cup" / "00 again.png")
    place = settings.run_folder("one")
    points: list[Event] = []

    def told(event: Event) -> None:
        points.extend([event] if isinstance(event, Point) and event.split == "train" else [])

    assert train(asked, told, lambda: "pause" if points else None, place).state == "paused"
    added(folder)
    with pytest.raises(DataChanged, match="1 added"):
        train(asked, folder=place)
    (folder / "cup" / "new.png").unlink()
    result = train(asked, folder=place)
    assert result.state == "finished"
    assert (result.metrics["test_copies"], result.metrics["remarks"]) == (0, [])  # copies stay in one part
    kept = arrays.read(place / "test.npz")["labels"]
    split = splits.target_split(asked)
    lost = split.prints["test"].names[0]
    (folder / lost).unlink()
    (folder / "owl" / "07.png").replace(folder / "owl" / "0x.png")
    shown = answers.pictures("one", list(range(len(kept))))
    np.testing.assert_array_equal(shown["labels"], kept)
    np.testing.assert_array_equal(shown["inputs"][1:], np.asarray(split.test.inputs)[1:])
    assert not (shown["inputs"][0] == split.test.inputs[0]).all()
    assert answers.answer("one", np.asarray(split.test.inputs)[1])["probabilities"].shape == (3,)


# Races ---------------------------------------------------------------------------------------------


def ran(strategy: str, seed: int, version: str = "a", accuracy: float = 0.9, **metrics: object) -> Run:
    asked = Experiment(target="optdigits", strategy=strategy, labels_per_class=1, seed=seed)
    found = {"test_accuracy": accuracy + 0.001 * seed, "test_count": 500, "validation_pictures": 100, "chance": 0.1}
    return Run(f"{strategy}-{seed}", "finished", asked, 0.0, metrics=found | metrics,
               environment={"published": {"optdigits": version}})  # fmt: skip


def test_a_race_over_data_that_changed_says_so_and_pairs_no_seed_across_it() -> None:
    names = ("fine_tuning", "from_scratch")
    same = [ran(name, seed) for seed in range(3) for name in names]
    assert "changed while" not in race.verdicts(race.arms(same))[0][1]
    later = [ran(name, seed, "b") for seed in range(3, 5) for name in names]
    said = race.verdicts(race.arms([*same, *later]))
    assert "optdigits has changed between these runs" in said[0][1]
    assert "seeds 0, 1, 2; seeds 3, 4" in said[0][1]
    crossed = race.arms([ran("fine_tuning", 0), ran("from_scratch", 0, "b")])
    assert race.lead(*crossed) is None
    assert facts.mixed_data([replace(one, environment={}) for one in same]) == ""  # an older version says nothing


def test_a_network_that_saw_all_labels_is_no_measure_of_transfer() -> None:
    before_it = {"more_labels_seen": True, "labels_seen_before": 980}
    several = race.arms(
        [*(ran("fine_tuning", seed, accuracy=0.98, **before_it) for seed in range(3)),
         *(ran("from_scratch", seed, accuracy=0.5) for seed in range(3))]
    )  # fmt: skip
    assert "had learned more labels" in race.verdicts(several)[0][1]
    curve = (np.arange(3.0), np.array([0.1, 0.5, 0.9]))
    found = gain.gains(several, {run.id: curve for arm in several for run in arm.runs})
    assert "no measure of transfer" in gain.sentence(found[0])
    assert "transfer helped" not in gain.sentence(found[0])
    assert gain.summary(found)[0].startswith("No measure of transfer")


def test_facts_of_a_run_name_copies_conflicts_and_remarks() -> None:
    assert facts.remarks({"test_accuracy": 0.9}) == []
    said = facts.remarks({
        "remarks": ["This is not learning from 1 label."], "test_copies": 3, "test_near_copies": 1, "test_count": 12,
        "test_accuracy_without_copies": 0.75, "test_count_without_copies": 8, "label_conflicts": 1,
    })  # fmt: skip
    assert said[0] == "This is not learning from 1 label."
    assert "3 of the 12 test pictures were also trained on" in said[1] and "75.0\u00a0% on 8 pictures" in said[1]
    assert "1 picture appears with different labels" in said[2]


def test_the_record_of_a_run_outlives_it_and_a_child_is_refused_on_what_its_parent_trained_on(tmp_path: Path) -> None:
    folder = fill(tmp_path / "own", 1)
    key = f"folder:{folder}"
    finished("one", SCRATCH.but(target=key))
    finished("two", Experiment().but(target=key, backbone="run:one", strategy="fine_tuning"))
    shutil.rmtree(settings.run_folder("one"))
    removed(folder)
    third = Experiment().but(target=key, backbone="run:two", strategy="fine_tuning")
    with pytest.raises(Exception, match="changed since"):
        catalog.check(third)
