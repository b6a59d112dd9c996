"""Own pictures in folders: what is a class, what is left out, what is refused, and what the engine makes of it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pictures import COLOURS, content, folder, picture
from transfer import Experiment, catalog
from transfer.engine.events import Note
from transfer.engine.network.features import Together
from transfer.engine.samples import cache, splits
from transfer.engine.samples.batches import ahead, batches
from transfer.errors import DiskFull, ImpossibleExperiment, RequestError
from transfer.listing import listed
from transfer.pictures import own, pack, scales
from transfer.pictures.formats import BadPicture, decoded, header
from transfer.pictures.kept import Pictures


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder is looked at each time."""
    monkeypatch.setattr(own, "_FRESH_SECONDS", -1.0)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder beside the lab's own."""
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


def opened(path: Path) -> splits.Split:
    return splits.split(catalog.dataset(f"folder:{path}"), 0)


def test_a_folder_is_a_data_set_like_any_other(place: Path) -> None:
    found = catalog.dataset(f"folder:{folder(place / 'own')}")
    assert (found.classes, found.shape, found.count) == (("blue", "green", "red"), (32, 32, 3), 24)
    split = splits.split(found, 0)
    assert [len(part) for part in (split.train, split.validation, split.test)] == [15, 3, 6]
    for inputs, label in zip(split.train.inputs, split.train.labels, strict=True):
        # A class's own colour is what there is most of.
        assert inputs.reshape(-1, 3).mean(axis=0).argmax() == {"red": 0, "green": 1, "blue": 2}[found.classes[label]]
    assert splits.split(found, 0).fingerprint == split.fingerprint
    assert splits.split(found, 1).fingerprint != split.fingerprint


def test_pictures_on_disk_index_like_the_array_they_stand_for(place: Path) -> None:
    train = opened(folder(place)).train.inputs
    assert isinstance(train, Pictures)
    whole = np.asarray(train)
    for key in (3, -1, slice(2, 9, 3), np.array([4, 4, 0]), np.arange(15) % 2 == 0, (slice(0, 4), 5), (2, 1, 1, 0)):
        np.testing.assert_array_equal(train[key], whole[key])
    np.testing.assert_array_equal(np.asarray(train.rows([7, 2])), whole[[7, 2]])
    assert train.shape == whole.shape
    assert train.rows([1]).identity != train.rows([2]).identity
    joined = Together([train, train.rows([0, 1])])
    np.testing.assert_array_equal(joined[np.array([16, 0, 15])], whole[[1, 0, 0]])


def test_a_file_that_changes_is_noticed_and_equal_files_are_equal_data(place: Path) -> None:
    first, second = opened(folder(place / "a")), opened(folder(place / "b"))
    assert first.fingerprint == second.fingerprint
    file = place / "a" / "red" / "000.png"
    file.write_bytes(content(COLOURS["red"], 99))
    os.utime(file, ns=(1, 1))
    assert opened(place / "a").fingerprint != first.fingerprint


def test_one_bad_picture_is_named_and_skipped(place: Path) -> None:
    root = folder(place)
    whole = (root / "red" / "003.png").read_bytes()
    (root / "red" / "003.png").write_bytes(whole[: len(whole) // 2])  # its header is whole
    (root / "blue" / "002.png").write_bytes(b"no picture")
    (root / "green" / "logo.svg").write_text("<svg onload='alert(1)'/>")
    found = catalog.dataset(f"folder:{root}")
    assert found.count == 23
    assert "blue/002.png (not a picture" in found.warning
    said: list[str] = []
    with own.telling.listening(lambda doing, done, total: None, said.append):
        published = cache.load(found)
    assert len(published.train) == 22
    assert "2 files were left out" in said[0]
    assert "red/003.png (cut short or damaged)" in said[0]
    assert ("green/logo.svg", ".svg is not read: it may run code") in own.looked(root).left_out


def test_parts_are_taken_from_the_folders(place: Path) -> None:
    for part, each in (("train", 6), ("val", 2), ("test", 3)):
        folder(place / "data" / part, each)
    split = opened(place)  # an archive's one outer folder is looked into
    assert [len(part) for part in (split.train, split.validation, split.test)] == [18, 6, 9]
    assert splits.split(catalog.dataset(f"folder:{place}"), 5, 2).validation.labels.tolist() == [0, 0, 1, 1, 2, 2]


def test_a_table_names_the_labels(place: Path) -> None:
    lines = ["file,label,split"]
    for number, (name, colour) in enumerate(COLOURS.items()):
        for index in range(6):
            (place / f"{name}{index}.jpg").write_bytes(content(colour, 10 * number + index, "JPEG"))
            lines.append(f"{name}{index}.jpg,{name},{'test' if index == 5 else 'train'}")
    lines += ["../outside.png,red,train", "gone.png,red,train", "red0.jpg,,train"]
    (place / "labels.csv").write_text("\n".join(lines))
    seen = own.looked(place)
    assert seen.listing.classes == ("blue", "green", "red")
    assert [why.split("labels.csv")[-1] for _, why in seen.left_out] == [" points out of the folder", ", and not there",
                                                                           " gives no label"]  # fmt: skip
    assert len(opened(place).test) == 3


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        ({"red": 8}, "only one class"),
        ({"red": 8, "blue": 0}, "'blue' has no pictures"),
        ({"red": 8, "blue": 2}, "'blue' has too few pictures"),
        ({}, "no labelled pictures"),
    ],
)
def test_what_cannot_be_learned_is_refused_in_words(place: Path, keep: dict[str, int], words: str) -> None:
    for name, count in keep.items():
        (place / name).mkdir()
        for index in range(count):
            (place / name / f"{index}.png").write_bytes(content(COLOURS[name], index))
    with pytest.raises(RequestError, match=words):
        catalog.dataset(f"folder:{place}")
    with pytest.raises(RequestError, match="no such folder"):
        catalog.dataset(f"folder:{place}/nowhere")


def test_a_class_that_decoding_leaves_too_small_is_refused(place: Path) -> None:
    root = folder(place, 3)
    whole = (root / "red" / "000.png").read_bytes()
    (root / "red" / "000.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImpossibleExperiment, match="'red' has too few"):
        opened(root)


def test_the_middle_is_kept_upright_and_opaque(place: Path) -> None:
    wide = np.zeros((20, 60, 3), "uint8")
    wide[:, 20:40] = 255
    Image.fromarray(wide).save(place / "wide.png")
    assert (decoded(place / "wide.png", 20, 1) > 250).mean() == 1
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    clear.save(place / "clear.png")
    assert decoded(place / "clear.png", 8, 3).min() == 255
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.fromarray(wide[:, :40]).save(place / "turned.png", exif=exif)
    assert (header(place / "turned.png").width, header(place / "turned.png").height) == (20, 40)
    upright = decoded(place / "turned.png", 40, 1)[..., 0]
    assert upright[-4:].mean() > 200 > 100 > upright[:4].mean()
    deep = Image.fromarray(np.full((8, 8), 65535, "uint16"))
    deep.save(place / "deep.png")
    assert decoded(place / "deep.png", 8, 1).min() == 255


def test_a_huge_picture_is_not_decoded(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFER_MOST_MEGAPIXELS", "0.001")
    picture((9, 9, 9), 0).save(place / "a.png")
    with pytest.raises(BadPicture, match="more than 0.001 million pixels"):
        header(place / "a.png")


def test_a_corrupted_folder_is_a_data_set_too(place: Path) -> None:
    key = f"folder:{folder(place / 'a~b')}"
    clean, changed = catalog.dataset(key), catalog.dataset(f"{key}~inversion:5")
    assert changed.key == f"{key}~inversion:5"
    assert changed.classes == clean.classes
    np.testing.assert_array_equal(cache.load(changed).train.inputs, 255 - np.asarray(cache.load(clean).train.inputs))


def test_batches_made_ahead_are_the_same_and_leave_no_thread(place: Path) -> None:
    import threading

    train = opened(folder(place)).train
    in_memory = type(train)(np.asarray(train.inputs), train.labels)
    for ours, theirs in zip(batches(train, 4, [0], 1), batches(in_memory, 4, [0], 1), strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
    left = batches(train, 1, [0], 0)
    next(left)
    left.close()
    assert not [one for one in threading.enumerate() if one.name == "batches"]

    def breaks():
        yield 1
        raise ValueError("torn")

    with pytest.raises(ValueError, match="torn"):
        list(ahead(breaks()))


def test_packs_make_room_for_newer_ones_and_say_when_there_is_none(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pack.packed("first", (4, 4, 1), ["a"], lambda at: np.zeros((4, 4, 1), "uint8"))
    os.utime(first.folder, (1, 1))
    monkeypatch.setenv("TRANSFER_PICTURES_GB", "0")
    second = pack.packed("second", (4, 4, 1), ["a"], lambda at: np.ones((4, 4, 1), "uint8"))
    assert second.folder.exists()
    assert not first.folder.exists()
    with pytest.raises(DiskFull, match="TRANSFER_PICTURE_SIZE"):
        pack.packed("third", (2**20, 2**20, 3), ["a"] * 100, lambda at: np.zeros(1, "uint8"))


def test_a_run_on_a_folder_says_what_it_left_out(place: Path) -> None:
    from transfer import train

    root = folder(place / "own")
    (root / "red" / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0 torn")
    Image.fromarray(np.full((32, 40), 3000, "uint16")).save(root / "red" / "deep.png")
    events: list[object] = []
    asked = Experiment(target=f"folder:{root}", backbone="small_cnn", strategy="from_scratch", epochs=3, augment=True)
    result = train(asked, events.append, folder=place / "run")
    assert scales.kept(place / "run") == {"16-bit": (0.0, 4095.0)}
    assert "red/bad.jpg" in next(one.text for one in events if isinstance(one, Note))
    assert result.metrics["test_accuracy"] > 0.5
    assert train(asked).metrics["test_loss"] == result.metrics["test_loss"]


def test_decoding_can_be_broken_off_and_leaves_nothing(place: Path, home: Path) -> None:
    from transfer import train

    asked = Experiment(target=f"folder:{folder(place)}", strategy="from_scratch")
    assert train(asked, should_stop=lambda: "discard").state == "discarded"
    assert not [one for one in (home / "cache" / "pictures").iterdir() if one.is_dir()]


def test_a_remembered_folder_is_listed_until_it_is_forgotten_or_gone(place: Path) -> None:
    from transfer.datasets.folder import forget, remember

    remember(str(folder(place / "one")))
    remember(str(place / "gone"))
    assert [one.title for one in catalog.own_datasets()] == ["one"]
    assert f"folder:{place / 'one'}" in {one["key"] for one in listed("datasets")}
    forget(str(place / "one"))
    assert not catalog.own_datasets()


def test_only_folders_that_are_allowed_are_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFER_FOLDERS", str(place / "allowed"))
    folder(place / "allowed" / "own")
    folder(place / "other")
    assert catalog.dataset(f"folder:{place}/allowed/own").count == 24
    with pytest.raises(RequestError, match="not among those"):
        catalog.dataset(f"folder:{place}/allowed/../other")
