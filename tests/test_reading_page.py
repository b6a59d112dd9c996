"""How the Data page says what it understood of a folder, and takes corrections of it."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from tests.trees import grow
from transfer.pictures.folders import listing
from transfer.pictures.layout.kept import kept
from transfer.pictures.layout.offered import offered


def page(key: str) -> AppTest:
    def shown(key: str) -> None:
        from pages.kinds.image import folder_layout
        from transfer.errors import LabError
        from transfer.pictures.folders import listing

        try:
            sentences = listing(folder_layout.folder_of(key)).said
        except LabError as problem:
            sentences = (str(problem),)
        folder_layout.how_it_was_read(key, sentences)

    return AppTest.from_function(shown, kwargs={"key": key}, default_timeout=60)


def press(opened: AppTest, label: str) -> AppTest:
    found = next(one for one in opened.button if one.label == label)
    return found.click().run()


def test_a_folder_is_corrected_on_the_page_and_what_was_said_can_be_forgotten(tmp_path: Path) -> None:
    root = grow(tmp_path / "own", "{2019,2020}/{cat,dog}/*3.jpg")
    key = f"folder:{root}"
    opened = page(key).run()
    assert not opened.exception
    assert "could be the classes" in opened.caption[0].value
    labels = {one.label: one for one in opened.selectbox}
    assert {"2019 is", "2020 is", "Classes are", "Labels come from"} <= set(labels)
    labels["2020 is"].select("test")
    labels["2019 is"].select("train")
    press(opened, "Apply")
    assert not opened.exception
    assert "2 classes, two parts (train, test)." in opened.caption[0].value
    assert kept(root).parts == {"2019": "train", "2020": "test"}
    press(opened, "Reset")
    assert not kept(root).given
    assert "could be the classes" in opened.caption[0].value


def test_what_cannot_be_read_so_is_refused_and_not_kept(tmp_path: Path) -> None:
    root = grow(tmp_path / "own", "{a,b}/*3.jpg", sizes_d_csv="file,width\na/p0.jpg,3\n")
    opened = page(f"folder:{root}").run()
    assert "sizes.csv was left out" in opened.caption[0].value
    next(one for one in opened.selectbox if one.label == "Table").select("sizes.csv")
    press(opened, "Apply")
    assert "sizes.csv gives no labels" in opened.error[0].value
    assert not kept(root).given
    assert listing(root).classes == ("a", "b")


def test_what_there_is_to_choose_from() -> None:
    found = offered(["readme.md", "pets/train/a/1.jpg", "pets/extra/a/1.jpg", "pets/labels.csv", "pets/b.tsv"])
    assert found.roots == ("pets", "pets/extra", "pets/train")
    assert found.tables == ("pets/b.tsv", "pets/labels.csv")
    assert found.parts == ("extra", "train", "b.tsv", "labels.csv")
    assert offered([f"{number}/1.jpg" for number in range(40)]).parts == ()
    assert offered([]).parts == offered(["a.jpg"]).parts == ()
