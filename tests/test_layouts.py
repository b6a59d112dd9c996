"""What folders of pictures mean: every way in which people lay them out, and what is refused or asked."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.trees import grow
from transfer.__main__ import app
from transfer.errors import RequestError
from transfer.pictures.folders import listing
from transfer.pictures.layout.kept import keep, kept
from transfer.pictures.layout.typed import Corrections
from transfer.pictures.layout.understanding import understand

# Name: lines of the tree, then for each part the pictures of each class, and words that have to be said.
UNDERSTOOD: dict[str, tuple[tuple[str, ...], dict[str, dict[str, int]], tuple[str, ...]]] = {
    "plain": (("{cat,dog,owl}/*3.jpg",), {"train": {"cat": 3, "dog": 3, "owl": 3}}, ("3 classes, not divided",)),
    "deeper": (("cat/{a,b}/x/*2.jpg", "dog/*4.jpg"), {"train": {"cat": 4, "dog": 4}}, ()),
    "wrapped twice": (("data/pets/{cat,dog}/*3.jpg",), {"train": {"cat": 3, "dog": 3}}, ("read from data/pets",)),
    "chest x-ray, doubled": (
        ("chest_xray/{train,val,test}/{N,P}/*3.jpg", "chest_xray/__MACOSX/._train",
         "chest_xray/train/N/.DS_Store", "same"),
        {"train": {"N": 3, "P": 3}, "validation": {"N": 3, "P": 3}, "test": {"N": 3, "P": 3}},
        ("2 classes, three parts (train, validation, test).",),
    ),
    "readme and licence beside": (
        ("PetImages/{Cat,Dog}/*3.jpg", "readme[1].txt", "CDLA.pdf", "PetImages/Cat/Thumbs.db"),
        {"train": {"Cat": 3, "Dog": 3}}, ("2 classes",),
    ),
    "readme without an ending": (("p/{a,b}/*3.jpg", "README", "LICENSE"), {"train": {"a": 3, "b": 3}}, ()),
    "a picture beside": (("p/{a,b}/*3.jpg", "cover.png"), {"train": {"a": 3, "b": 3}}, ()),
    "folders of systems": (
        ("{a,b}/*3.jpg", ".git/x/1.jpg", "@eaDir/a/1.jpg", "$RECYCLE.BIN/a/1.jpg", "lost+found/",
         "System Volume Information/1.jpg", ".ipynb_checkpoints/1.jpg", "__MACOSX/a/._1.jpg"),
        {"train": {"a": 3, "b": 3}}, (),
    ),
    "Roboflow": (
        ("{train,valid,test}/{a,b}/*2.jpg", "README.roboflow.txt", "data.yaml"),
        {"train": {"a": 2, "b": 2}, "validation": {"a": 2, "b": 2}, "test": {"a": 2, "b": 2}}, ("three parts",),
    ),
    "upper case": (("{TRAIN,TEST}/{a,b}/*2.jpg",), {"train": {"a": 2, "b": 2}, "test": {"a": 2, "b": 2}}, ()),
    "training and validation": (
        ("{training,validation}/{a,b}/*2.jpg",), {"train": {"a": 2, "b": 2}, "validation": {"a": 2, "b": 2}},
        ("two parts (train, validation)",),
    ),
    "trn, dev, tst": (("{trn,dev,tst}/{a,b}/*1.jpg",),
                      {"train": {"a": 1, "b": 1}, "validation": {"a": 1, "b": 1}, "test": {"a": 1, "b": 1}}, ()),
    "numbered": (("{01_train,02_val,03_test}/{a,b}/*1.jpg",),
                 {"train": {"a": 1, "b": 1}, "validation": {"a": 1, "b": 1}, "test": {"a": 1, "b": 1}}, ()),
    "train_images": (("{train_images,test_images}/{a,b}/*2.jpg",),
                     {"train": {"a": 2, "b": 2}, "test": {"a": 2, "b": 2}}, ()),
    "prefix": (("{dataset_train,dataset-holdout}/{a,b}/*2.jpg",),
               {"train": {"a": 2, "b": 2}, "test": {"a": 2, "b": 2}}, ()),
    "a prefix of their own": (("{flowers_train,flowers_test}/{a,b}/*2.jpg",),
                              {"train": {"a": 2, "b": 2}, "test": {"a": 2, "b": 2}}, ()),
    "camel case and years": (("{TrainSet,Val2017,hold_out}/{a,b}/*1.jpg",),
                             {"train": {"a": 1, "b": 1}, "validation": {"a": 1, "b": 1}, "test": {"a": 1, "b": 1}}, ()),
    "unseen": (("{train,unseen}/{a,b}/*2.jpg",), {"train": {"a": 2, "b": 2}, "test": {"a": 2, "b": 2}}, ()),
    "eval beside val is the test": (
        ("{train,val,eval}/{a,b}/*1.jpg",),
        {"train": {"a": 1, "b": 1}, "validation": {"a": 1, "b": 1}, "test": {"a": 1, "b": 1}}, (),
    ),
    "Chinese parts": (("{训练集,测试集}/{猫,狗}/*2.jpg",),
                      {"train": {"狗": 2, "猫": 2}, "test": {"狗": 2, "猫": 2}}, ()),
    "test without labels": (("train/{a,b}/*3.jpg", "test/*5.jpg"), {"train": {"a": 3, "b": 3}},
                            ("test was left out: its pictures have no labels.",)),
    "test with a folder that is no class": (("train/{a,b}/*3.jpg", "test/unknown/*5.jpg"),
                                            {"train": {"a": 3, "b": 3}}, ("test was left out",)),
    "Intel scenes": (
        ("seg_train/seg_train/{sea,street}/*2.jpg", "seg_test/seg_test/{sea,street}/*2.jpg",
         "seg_pred/seg_pred/*4.jpg"),
        {"train": {"sea": 2, "street": 2}, "test": {"sea": 2, "street": 2}}, ("seg_pred was left out",),
    ),
    "parts in images": (("images/{train,val}/{a,b}/*2.jpg", "annotations/x.xml"),
                        {"train": {"a": 2, "b": 2}, "validation": {"a": 2, "b": 2}}, ("read from images",)),
    "images inside of parts": (("{train,test}/images/{a,b}/*2.jpg",),
                               {"train": {"a": 2, "b": 2}, "test": {"a": 2, "b": 2}}, ()),
    "parts inside of classes": (("{cat,dog}/{train,test}/*2.jpg",),
                                {"train": {"cat": 2, "dog": 2}, "test": {"cat": 2, "dog": 2}},
                                ("The parts lie inside of the classes.",)),
    "a class in another case in test": (("train/{Cat,Dog}/*2.jpg", "test/{cat,dog}/*1.jpg"),
                                        {"train": {"Cat": 2, "Dog": 2}, "test": {"Cat": 1, "Dog": 1}}, ()),
    "Food-101": (("food-101/images/{pie,ceviche}/*3.jpg", "food-101/meta/classes.txt", "food-101/README.txt"),
                 {"train": {"ceviche": 3, "pie": 3}}, ("read from food-101/images",)),
    "CUB-200": (
        ("CUB/images/{001.Albatross,002.Auk}/*3.jpg", "CUB/images.txt", "CUB/attributes/a.txt", "CUB/README"),
        {"train": {"001.Albatross": 3, "002.Auk": 3}}, ("read from CUB/images",),
    ),
    "masks beside images": (("images/{a,b}/*3.jpg", "masks/{a,b}/*3.png"), {"train": {"a": 3, "b": 3}},
                            ("masks beside it was left out",)),
    "mask and no mask are classes": (("{with_mask,without_mask}/*3.jpg",),
                                     {"train": {"with_mask": 3, "without_mask": 3}}, ()),
    "train is a class of vehicles": (("{bus,car,train}/*3.jpg",), {"train": {"bus": 3, "car": 3, "train": 3}}, ()),
    "test tubes and train stations": (("{test_tube,train_station}/*3.jpg",),
                                      {"train": {"test_tube": 3, "train_station": 3}}, ()),
    "malaria, classes doubled": (
        ("cells/{ill,well}/*3.jpg", "cells/cells/{ill,well}/*3.jpg"), {"train": {"ill": 3, "well": 3}},
        ("cells inside was left out as a copy",),
    ),
    "hand signs": (("asl_train/asl_train/{A,B}/*3.jpg", "asl_test/asl_test/{A,B}_test.jpg"),
                   {"train": {"A": 3, "B": 3}}, ("asl_test was left out",)),
    "cats and dogs, parts doubled": (
        ("dataset/training_set/training_set/{cats,dogs}/*2.jpg", "dataset/test_set/test_set/{cats,dogs}/*1.jpg"),
        {"train": {"cats": 2, "dogs": 2}, "test": {"cats": 1, "dogs": 1}}, (),
    ),
    "Stanford dogs": (("Images/{n1-pug,n2-chow}/*3.jpg", "Annotation/{n1-pug,n2-chow}/n_*3"),
                      {"train": {"n1-pug": 3, "n2-chow": 3}}, ("Annotation beside it was left out",)),
    "Fruits-360": (("{Training,Test}/{fig,kiwi}/*2.jpg", "test-multiple_fruits/*4.jpg", "papers/a.pdf"),
                   {"train": {"fig": 2, "kiwi": 2}, "test": {"fig": 2, "kiwi": 2}},
                   ("test-multiple_fruits was left out", "papers was left out")),
    "blanks in names of parts": (("{Training Data,Test Data}/{a,b}/*2.jpg",),
                                 {"train": {"a": 2, "b": 2}, "test": {"a": 2, "b": 2}}, ()),
    "odd names": (("{don't 🐶,tench; Tinca,猫,10,9}/*3.jpg",),
                  {"train": {"10": 3, "9": 3, "don't 🐶": 3, "tench; Tinca": 3, "猫": 3}}, ("5 classes",)),
    "years inside of classes": (("{cat,dog}/{2019,2020}/*2.jpg",), {"train": {"cat": 4, "dog": 4}},
                                ("2019 and 2020", "taken together")),
    "images inside of each class": (("{cat,dog}/images/*3.jpg",), {"train": {"cat": 3, "dog": 3}}, ()),
    "other papers inside of classes": (("{cat,dog}/*3.jpg", "cat/notes.txt", "dog/list.xlsx"),
                                       {"train": {"cat": 3, "dog": 3}}, ()),
    "a table that says nothing of labels": (("{a,b}/*3.jpg", "sizes.csv"), {"train": {"a": 3, "b": 3}},
                                            ("sizes.csv was left out",)),
}  # fmt: skip

ASKED: dict[str, tuple[tuple[str, ...], str]] = {
    "years": (("{2019,2020}/{cat,dog}/*3.jpg",), "could be the classes.*cat and dog in 2019 and 2020"),
    "folds": (("{fold1,fold2,fold3}/{cat,dog}/*3.jpg",), "could be the classes"),
    "one class a year": (("{2019,2020}/cat/*3.jpg",), "could be the classes"),
    "hospitals": (("{north,south}/{ill,well}/*3.jpg",), "could be the classes"),
    "overlapping": (("2019/{cat,dog}/*3.jpg", "2020/{dog,owl}/*3.jpg"), "could be the classes"),
    "a stranger beside parts": (("{train,test,extra}/{a,b}/*3.jpg",), "folder beside them that is not.*extra"),
    "parts and classes mixed": (("{train,test}/{a,b}/*3.jpg", "a/*3.jpg"), "folder beside them that is not.*a"),
    "no training": (("{test,val}/{a,b}/*3.jpg",), "No folder is for training"),
    "parts in some classes": (("cat/{train,test}/*2.jpg", "dog/*4.jpg"), "cat is divided into training and test.*dog"),
    "flat parts": (("{train,test}/*3.jpg",), "no labelled pictures.*6 pictures in no class's folder"),
    "flat": (("*5.jpg",), "5 pictures in no class's folder"),
    "Oxford pets": (("images/{cat,dog}_*5.jpg", "annotations/trimaps/{cat,dog}_*5.png", "annotations/list.txt"),
                    "no labelled pictures.*labels.csv"),
    "YOLO": (("images/train/*4.jpg", "labels/train/*4.txt"), "txt beside each picture"),
    "COCO": (("images/*4.jpg", "annotations.json"), "annotations.json is not read: .*labels.csv"),
    "a spreadsheet": (("*4.jpg", "labels.xlsx"), "labels.xlsx is not read"),
    "a class of raw files": (("cat/*3.jpg", "dog/*4.cr2"), "'dog' has no picture in a supported format.*4 .cr2"),
    "an empty class": (("cat/*3.jpg", "owl/*3.jpg", "dog/"), "'dog' has no pictures to train on"),
    "one class": (("cat/*3.jpg",), "one class|no class's folder"),
    "one class and papers": (("cat/*3.jpg", "readme.txt"), "one class"),
    "a class that only the test has": (("train/{a,b}/*3.jpg", "test/{a,b,c}/*1.jpg"), "'c' has no pictures to train"),
    "nothing": (("notes.txt",), "no labelled pictures"),
}  # fmt: skip


def counted(folder: Path, wanted: Corrections | None = None) -> dict[str, dict[str, int]]:
    made = listing(folder, wanted)
    found: dict[str, Counter[str]] = {}
    for one in made.files:
        found.setdefault(one.part, Counter())[made.classes[one.label]] += 1
    return {part: dict(sorted(several.items())) for part, several in found.items()}


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_folders_are_understood(name: str, tmp_path: Path) -> None:
    lines, expected, words = UNDERSTOOD[name]
    root = grow(tmp_path / "own", *lines)
    if name.startswith("chest"):
        grow(root, "chest_xray/chest_xray/{train,val,test}/{N,P}/*3.jpg")
    assert counted(root) == {part: dict(sorted(several.items())) for part, several in expected.items()}
    said = " ".join(listing(root).said)
    for one in words:
        assert one in said
    if name.startswith("chest"):
        assert "chest_xray inside was left out as a copy." in said


@pytest.mark.parametrize("name", ASKED)
def test_what_could_be_two_things_is_asked_and_never_guessed(name: str, tmp_path: Path) -> None:
    lines, words = ASKED[name]
    with pytest.raises(RequestError, match=words) as refused:
        listing(grow(tmp_path / "own", *lines))
    assert str(tmp_path) not in str(refused.value), "no path of the machine is shown"


def test_a_person_corrects_what_was_understood(tmp_path: Path) -> None:
    years = grow(tmp_path / "years", "{2019,2020}/{cat,dog}/*3.jpg")
    assert counted(years, Corrections(classes="sub-folders")) == {"train": {"cat": 6, "dog": 6}}
    apart = Corrections(parts={"2019": "train", "2020": "test"})
    assert counted(years, apart) == {"train": {"cat": 3, "dog": 3}, "test": {"cat": 3, "dog": 3}}
    assert counted(years, Corrections(classes="folders")) == {"train": {"2019": 6, "2020": 6}}
    parts = grow(tmp_path / "parts", "{train,test,extra}/{a,b}/*3.jpg")
    assert counted(parts, Corrections(parts={"extra": "left out"})) == {
        "train": {"a": 3, "b": 3}, "test": {"a": 3, "b": 3}
    }  # fmt: skip
    assert counted(parts, Corrections(root="extra")) == {"train": {"a": 3, "b": 3}}
    assert counted(parts, Corrections(classes="folders"))["train"] == {"extra": 6, "test": 6, "train": 6}
    with pytest.raises(RequestError, match="no such sub-folder.*extra, test, train"):
        listing(parts, Corrections(root="../x"))


def test_corrections_are_kept_with_the_folder_and_forgotten(tmp_path: Path) -> None:
    root = grow(tmp_path / "own", "{2019,2020}/{cat,dog}/*3.jpg")
    keep(root, Corrections(classes="sub-folders"))
    assert listing(root).classes == ("cat", "dog")
    assert not (root / ".reading.json").exists(), "nothing is written into a person's own folder"
    keep(root, Corrections())
    with pytest.raises(RequestError, match="could be the classes"):
        listing(root)
    (root / ".reading.json").write_text('{"classes": "folders"}')
    assert kept(root).classes == "folders"
    for broken in ("{", "[1]", '{"classes": "maybe"}', '{"nonsense": 1}', "\x00"):
        (root / ".reading.json").write_text(broken)
        with pytest.raises(RequestError):
            listing(root)


def test_names_in_the_bytes_of_an_old_system_become_letters(tmp_path: Path) -> None:
    root = os.fsencode(tmp_path / "own")
    for name in (b"caf\xe9", b"th\xe9"):
        os.makedirs(root + b"/" + name)
        for number in range(3):
            Path(os.fsdecode(root + b"/%s/%d.jpg" % (name, number))).write_bytes(b"x")
    made = listing(tmp_path / "own")
    assert made.classes == ("café", "thé")
    assert "Western European" in " ".join(made.said)


@pytest.mark.parametrize("parts", [("",), ("test/", "train/", "val/")])
def test_the_stamp_of_folders_that_were_always_read_so_stays(tmp_path: Path, parts: tuple[str, ...]) -> None:
    """Root, then name, label, part, size and times of each, then the classes: what is decoded is found by it."""
    root = tmp_path / "own"
    for place in parts:
        grow(root, f"{place}{{b,a,B}}/*3.jpg")
    digest = hashlib.sha256(str(root).encode())
    for part in parts:
        for label, name in enumerate("Bab"):
            for number in range(3):
                path = f"{part}{name}/p{number}.jpg"
                about = (root / path).stat()
                kind = {"val/": "validation", "test/": "test"}.get(part, "train")
                written = about.st_mtime_ns + about.st_ctime_ns
                digest.update(f"{path}\0{label}\0{kind}\0{about.st_size}\0{written}\n".encode())
    digest.update(b"B\0a\0b")
    assert listing(root).stamp == digest.hexdigest()


NAMES = st.sampled_from(
    ["train", "test", "val", "cat", "dog", "images", "2019", "fold1", "a\udce9", "labels.csv", "train.csv", "1.jpg",
     "2.jpg", "3.png", "x", "classes.txt", "b.cr2", "README", "-", "test.csv", "é"]
)  # fmt: skip
CELLS = st.sampled_from(["1.jpg", "2.jpg", "cat", "dog", "0", "1", "", "file", "label", "split", "train", "é", "../x",
                         "/a/1.jpg", "C:\\1.jpg", "%", "\x00", '"', "#", "id"])  # fmt: skip
TABLES = st.one_of(
    st.binary(max_size=60),
    st.lists(st.lists(CELLS, max_size=4).map(",".join), max_size=6).map(lambda rows: "\n".join(rows).encode()),
)
TREES = st.lists(st.tuples(st.lists(NAMES, min_size=1, max_size=4), TABLES), max_size=8)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TREES, st.sampled_from([{}, {"classes": "folders"}, {"classes": "sub-folders"}, {"way": "table"},
                               {"table": "labels.csv", "file_column": "1"}, {"parts": {"cat": "train"}}]))  # fmt: skip
def test_no_tree_and_no_table_makes_anything_but_a_request_error(
    tmp_path_factory: pytest.TempPathFactory, files: list[tuple[list[str], bytes]], said: dict[str, str]
) -> None:
    root = tmp_path_factory.mktemp("any")
    for path, data in files:
        place = root.joinpath(*path)
        if not any(one.is_file() for one in (place, *place.parents)) and not place.is_dir():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
    try:
        meant = understand(root, Corrections(**said))
        " ".join((*meant.said, *meant.classes)).encode()  # can be shown
        listing(root, Corrections(**said))
    except RequestError as problem:
        str(problem).encode()


def test_the_command_line_says_what_was_understood_and_takes_corrections(tmp_path: Path) -> None:
    root = grow(tmp_path / "own", "{2019,2020}/{cat,dog}/*3.jpg")
    key = f"folder:{root}"

    def ask(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["understand", key, *words])
        return done.exit_code, done.output

    assert ask()[0] == 2
    assert "could be the classes" in ask()[1]
    assert ask("--classes", "maybe") == (2, ask("--classes", "maybe")[1])
    status, said = ask("--part", "2019=train", "--part", "2020=test", "--json")
    assert status == 0
    assert json.loads(said.splitlines()[-1])["understood"] == ["2 classes, two parts (train, test)."]
    assert "two parts" in ask()[1], "it was kept"
    assert ask("--afresh", "--classes", "nonsense")[0] == 2
    assert "two parts" in ask()[1], "what cannot be read is not kept"
    assert ask("--afresh")[0] == 2
