"""A network's file says which pictures it has seen: on another machine, after a change of name, through a chain."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from tests import tiny
from transfer import Experiment, catalog, settings, train
from transfer.backbones import uploaded
from transfer.errors import ImpossibleExperiment, RequestError
from transfer.export import keras_file
from transfer.seen import Prints, TrainedOn, carried, contents

FIRST = Experiment(
    target=tiny.TARGET, backbone=tiny.NETWORK, strategy="from_scratch", epochs=1, labels_per_class=2, optimizer="sgd"
)


def exported(run: str, asked: Experiment, file: Path) -> Experiment:
    """Trains that run and writes its network; the experiment that goes on from the file alone."""
    train(asked, folder=settings.run_folder(run))
    keras_file.write(run, file)
    shutil.rmtree(settings.runs_folder())
    shutil.rmtree(settings.home() / "splits")
    return asked.but(backbone=f"file:{file}", strategy="feature_extraction")


@pytest.fixture(scope="module")
def network(world: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that has learned the tiny digits, seed 0, and whose run is gone."""
    folder = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_HOME", str(folder / "home"))
        exported("one", FIRST, folder / "net.keras")
    return folder / "net.keras"


def asked(file: Path, **changes: object) -> Experiment:
    return FIRST.but(**{"backbone": f"file:{file}", "strategy": "feature_extraction", **changes})


@pytest.mark.usefixtures("world", "at_once")
@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({}, True),
        ({"seed": 1}, False),
        ({"seed": 1, "target": f"{tiny.TARGET}~noise:1"}, False),
        ({"target": f"{tiny.TARGET}~noise:1"}, True),
        ({"seed": 1, "target": tiny.SOURCE}, True),
        ({"seed": 1, "strategy": "from_scratch"}, True),
    ],
)
def test_a_file_is_refused_on_what_its_network_has_learned(
    network: Path, tmp_path: Path, changes: dict[str, object], allowed: bool
) -> None:
    renamed = shutil.copyfile(network, tmp_path / "other name.keras")
    if allowed:
        catalog.check(asked(renamed, **changes))
        return
    with pytest.raises(ImpossibleExperiment, match="may have seen this run's test pictures"):
        catalog.check(asked(renamed, **changes))


@pytest.mark.usefixtures("world", "at_once")
def test_a_chain_of_files_forgets_nothing(network: Path, tmp_path: Path) -> None:
    second = exported("two", asked(network, target=tiny.SOURCE, labels_per_class=1), tmp_path / "second.keras")
    with pytest.raises(ImpossibleExperiment, match="it was trained on another split"):
        catalog.check(second.but(target=tiny.TARGET, seed=1))
    catalog.check(second.but(target=tiny.TARGET))
    learned = catalog.backbone(second.backbone).trained_on
    assert len({one.split for one in learned}) == 2
    assert [(one.data, one.seed) for one in learned] == [(tiny.TARGET, 0), (tiny.SOURCE, 0)]
    assert all(one.known is not None for one in learned), "the fingerprints of the pictures came along"


def with_member(network: Path, file: Path, text: bytes) -> Path:
    """The network with other lessons."""
    with zipfile.ZipFile(network) as old, zipfile.ZipFile(file, "w") as new:
        for one in old.namelist():
            new.writestr(one, text if one == carried.MEMBER else old.read(one))
    return file


@pytest.mark.usefixtures("world", "at_once")
@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"null", b"[1]", b'[{"data": 3, "seed": 0}]', b'[{"seed": 0}]', b"\x80\x04K\x01.", b"[" * 100_000,
        b'[{"data": "a", "seed": 0, "pictures": {"train": {"pixels": "AAAA", "files": "!"}, "unlabelled": {}}}]',
    ],
)  # fmt: skip
def test_damaged_lessons_are_told_and_not_passed_over(network: Path, tmp_path: Path, text: bytes) -> None:
    file = with_member(network, tmp_path / "net.keras", text)
    with pytest.raises(RequestError, match="pictures that this network has seen is damaged"):
        catalog.backbone(f"file:{file}")


GOOD = {"data": "a", "seed": 0, "labels": None, "run": "x"}
FIELDS = [
    ("seed", -1), ("seed", 2**80), ("seed", True), ("labels", -1), ("labels", "all"), ("run", ""), ("run", ["x"]),
    ("data", ""), ("data", "x" * 5000), ("data", "\ud800"), ("data", "folder:\0"), ("data", "folder:/"),
    ("data", "upload:../.."), ("name", None), ("drawn_from", "mnist"), ("unlabelled", 2), ("pictures", {"train": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), FIELDS)
def test_a_lesson_with_a_field_that_no_run_writes_is_damaged(field: str, value: object, tmp_path: Path) -> None:
    """A seed below 0 would end the drawing of a split; a folder would be looked through because a file names it."""
    with zipfile.ZipFile(tmp_path / "net.keras", "w") as file:
        file.writestr(carried.MEMBER, json.dumps([GOOD]))
    assert [one.data for one in carried.carried(tmp_path / "net.keras", "good")] == ["a"]
    with zipfile.ZipFile(tmp_path / "bad.keras", "w") as file:
        file.writestr(carried.MEMBER, json.dumps([GOOD | {field: value}]))
    with pytest.raises(RequestError, match="damaged"):
        carried.carried(tmp_path / "bad.keras", "bad")


def test_no_flipped_byte_of_the_lessons_escapes_or_is_passed_over(tmp_path: Path) -> None:
    """In the member's own head and content; a flip in the archive's table may take the name from it."""
    random = np.random.default_rng(0).integers(1, 2**63, (2, 12), "uint64")
    parts = dict.fromkeys(contents.PARTS, Prints(*random))
    path = tmp_path / "net.keras"
    with zipfile.ZipFile(path, "w") as file:
        text = carried.packed((TrainedOn("optdigits", 0, run="r", parts=parts),))
        file.writestr(carried.MEMBER, text, zipfile.ZIP_DEFLATED)
        end = file.start_dir
    whole, learned = path.read_bytes(), carried.carried(path, "whole")
    told = 0
    for place in range(end):
        for flip in (1, 128, 255):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
            try:
                assert carried.carried(path, f"{place} {flip}") == learned
            except RequestError:
                told += 1
    assert told > end


def test_keras_drops_the_lessons_when_it_saves_the_network_anew(network: Path, tmp_path: Path) -> None:
    assert carried.carried(network, "as it was exported")
    keras.models.load_model(network).save(tmp_path / "anew.keras")
    assert carried.carried(tmp_path / "anew.keras", "anew") == ()


@pytest.mark.usefixtures("world", "at_once")
def test_an_upload_and_a_teacher_are_judged_by_their_files(network: Path) -> None:
    key = f"file:{uploaded.keep('mine.keras', network.read_bytes())}"
    taught = Experiment(target=tiny.TARGET, backbone="efficientnet_lite0", strategy="distillation", seed=1)
    for one in (FIRST.but(backbone=key, strategy="fine_tuning", seed=1), taught.but(options={"teacher": key})):
        with pytest.raises(ImpossibleExperiment, match="tiny_digits, seed 0, in run one"):
            catalog.check(one)


def test_neither_path_nor_name_of_own_pictures_is_in_the_file(
    world: None, home: Path, tmp_path: Path, at_once: None
) -> None:
    from tests.test_seen import fill

    root = fill(tmp_path / "Ann's secret" / "clinic", 1)
    file = tmp_path / "net.keras"
    again = exported("one", FIRST.but(target=f"folder:{root}", labels_per_class=None), file)
    with zipfile.ZipFile(file) as archive:
        text = archive.read(carried.MEMBER).decode()
    assert "secret" not in text and ".png" not in text and str(tmp_path) not in text
    assert json.loads(text)[0]["data"] == "clinic (a folder elsewhere)"
    shutil.move(root, tmp_path / "moved")
    moved = again.but(target=f"folder:{tmp_path / 'moved'}", labels_per_class=1)
    with pytest.raises(ImpossibleExperiment, match="test pictures were trained on"):
        train(moved.but(seed=1))
