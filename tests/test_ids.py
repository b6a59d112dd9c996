"""Ids from links, commands and other people's experiments: none names a place outside the lab's home."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from transfer import Experiment, catalog, ids, removal, settings
from transfer.backbones import run_network
from transfer.datasets import upload
from transfer.errors import LabError, RequestError, UnknownKey
from transfer.lab import Lab, lineage, locks
from transfer.lab.opened_runs import Opened
from transfer.lab.store import new_row

BAD = [
    "", ".", "..", "../x", "x/..", "x/../../y", "/", "/tmp", "/tmp/x", "~", "~root", "a/b", "a\\b", "..\\x", "C:\\x",
    "x.y", "\uff0e\uff0e", "\u2024\u2024/x", "\uff0fetc", "cafe\u0301", "caf\u00e9", "\u202etxt", "x\u200f",
    "x\u200by", "\u0661", "x\0", "\0", "x\n", "\nx", "x\r", "x\u2028", " x", "x ", "x\t",
    "-x", "_x", "%", "x%", "*", "[a]", "ABC", "x" * 65,
    "x" * 100_000, "\udcff", "a;b", "a'b", "{0}",
]  # fmt: skip
GOOD = ["one", "260101-120000-abc123", "251125-183000-0a1b2c3d", "251125-183000-9f8e", "before_lora", "x" * 64, "0"]
names = pytest.mark.parametrize("text", BAD, ids=lambda text: ascii(text[:12]))


@names
def test_what_is_no_id_is_refused_wherever_it_becomes_a_path_or_a_key(text: str, here: Lab) -> None:
    assert not ids.is_id(text)
    for used in (
        settings.run_folder, run_network.packed, run_network.open_, Opened, upload.opened, here.run,
        here.races.get, here.discard, here.resume, locks.device_lock,
        lambda one: catalog.check(Experiment(strategy="distillation", options={"teacher": f"run:{one}"})),
        lambda one: catalog.check(Experiment(backbone=f"run:{one}")),
    ):  # fmt: skip
        with pytest.raises(RequestError) as refused:
            used(text)
        assert len(str(refused.value)) < 1500 and str(refused.value).isprintable()
    assert here.store.run(text) is None and here.store.children(text) == []
    assert lineage.bonds("child", Experiment(backbone=f"run:{text}", options={"teacher": f"run:{text}"})) == []
    assert lineage.experiment_of(text) is None


@pytest.mark.parametrize("text", GOOD)
def test_ids_that_the_lab_makes_or_has_made_pass(text: str) -> None:
    assert ids.is_id(text) and ids.checked("run", text) == text
    assert settings.run_folder(text) == settings.home() / "runs" / text


def test_new_ids_pass_and_nothing_that_is_not_text_does(here: Lab) -> None:
    assert ids.is_id(new_row(Experiment())["id"])
    assert not any(ids.is_id(one) for one in (None, 3, b"one", ["one"], Path("one")))


def test_a_folder_elsewhere_is_no_run_and_outlives_its_discarding(here: Lab, tmp_path: Path) -> None:
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    elsewhere.mkdir()
    (elsewhere / "network.json").write_text("{}")
    (elsewhere / "experiment.json").write_text(Experiment().canonical_json())
    with pytest.raises(RequestError, match="cannot be the id of a run"):
        here.submit(Experiment(backbone=f"run:{elsewhere}"))
    # As a store of an older version may hold it.
    child = here.store.add_run(Experiment(backbone=f"run:{elsewhere}"))
    here.discard(child)
    assert here.runs() == [] and sorted(one.name for one in elsewhere.iterdir()) == ["experiment.json", "network.json"]


def test_children_are_those_of_this_run_and_no_other(here: Lab) -> None:
    for parent in ("a_b", "axb", "a-b", "a_bc"):
        here.store.add_run(Experiment(backbone=f"run:{parent}"))
    assert [one.experiment.backbone for one in here.store.children("a_b")] == ["run:a_b"]
    assert len(here.store.children()) == 4


def kept_and_linked(tmp_path: Path) -> tuple[Path, Path]:
    """A folder with a file outside of the home, and a link to it inside."""
    outside = tmp_path / "outside"
    (outside / "inner").mkdir(parents=True)
    (outside / "precious").write_text("x")
    link = settings.home() / "runs" / "linked"
    link.parent.mkdir(parents=True)
    link.symlink_to(outside, target_is_directory=True)
    return outside, link


def test_of_a_link_only_the_link_is_removed(tmp_path: Path, home: Path) -> None:
    outside, link = kept_and_linked(tmp_path)
    with pytest.raises(RequestError, match="only inside its own folder"):
        removal.remove(link / "inner")
    removal.remove(link)
    assert not link.is_symlink() and (outside / "precious").exists() and (outside / "inner").exists()
    within = settings.home() / "runs" / "whole"
    within.mkdir()
    (within / "out").symlink_to(outside, target_is_directory=True)
    removal.remove(within)
    assert not within.exists() and (outside / "precious").exists()
    removal.remove(within)  # gone already


@pytest.mark.parametrize(
    "place",
    [
        "",
        ".",
        "..",
        "runs/..",
        "runs/../..",
        "runs/../../outside",
        "/",
        "/tmp",
        "runs/\0",
        "loop/x",
        "runs/" + "x/" * 3000,
    ],
    ids=lambda place: ascii(place[:16]),
)
def test_nothing_outside_the_home_is_removed_nor_the_home(place: str, home: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (settings.home() / "runs").mkdir()
    (settings.home() / "loop").symlink_to(settings.home() / "loop")
    try:
        removal.remove(settings.home() / place)
    except LabError as problem:
        assert str(problem)
    assert outside.is_dir() and settings.home().is_dir() and (settings.home() / "runs").is_dir()


def test_a_home_behind_a_link_is_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "disk" / "runs" / "one").mkdir(parents=True)
    (tmp_path / "home").symlink_to(tmp_path / "disk")
    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path / "home"))
    removal.remove(settings.run_folder("one"))
    assert not (tmp_path / "disk" / "runs" / "one").exists() and (tmp_path / "disk" / "runs").exists()


def test_a_linked_run_may_be_read_but_not_where_folders_are_restricted(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside, link = kept_and_linked(tmp_path)
    assert settings.run_folder("linked") == link
    monkeypatch.setenv("TRANSFER_FOLDERS", str(tmp_path / "allowed"))
    with pytest.raises(RequestError, match="may not be used"):
        settings.run_folder("linked")
    assert settings.run_folder("one").name == "one"
    monkeypatch.setenv("TRANSFER_FOLDERS", str(outside))
    assert settings.run_folder("linked") == link


def test_a_run_whose_folder_lies_on_another_disk_is_refused_whole(here: Lab, tmp_path: Path) -> None:
    disk = tmp_path.parent / f"{tmp_path.name}-disk"
    (tmp_path / "runs").symlink_to(disk)
    run = here.store.add_run(Experiment())
    (disk / run).mkdir(parents=True)
    with pytest.raises(RequestError, match="only inside its own folder"):
        here.discard(run)
    assert (disk / run).is_dir() and here.run(run).state == "queued"


def test_a_linked_upload_loses_its_link_alone(tmp_path: Path, home: Path) -> None:
    from transfer.pictures import uploads

    outside, _ = kept_and_linked(tmp_path)
    (uploads.place() / "flowers").symlink_to(outside, target_is_directory=True)
    uploads.remove("flowers")
    assert uploads.names() == [] and (outside / "precious").exists()


def test_a_message_shows_what_it_received_without_doing_anything_with_it() -> None:
    hostile = "[x](http://e) <b>`\n\u202e" + "y" * 1000
    assert not re.search(r"[`\[\]<>*\n\u202e]", ids.shown(hostile)) and len(ids.shown(hostile)) < 70
    with pytest.raises(UnknownKey) as refused:
        Lab().run(hostile)
    assert "\u202e" not in str(refused.value) and len(str(refused.value)) < 300


def test_the_command_line_answers_an_id_that_is_no_text(capfd: pytest.CaptureFixture[str]) -> None:
    from typer.testing import CliRunner

    from transfer.__main__ import app

    for command in ("show", "stop", "resume"):
        done = CliRunner().invoke(app, [command, os.fsdecode(b"\xff/..")])
        assert done.exit_code == 2 and "There is no run of that name" in done.output
