"""Own texts as data sets: on this machine and uploaded, on the command line and on the Data page."""

from __future__ import annotations

import json
import os
import threading
from io import BytesIO
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from tests.test_text_files import IMDB, lines, zipped
from transfer import catalog
from transfer.__main__ import app
from transfer.datasets import own_texts as paths
from transfer.errors import RequestError, UnknownKey
from transfer.lab.data_questions import Question
from transfer.texts import own, uploads
from transfer.texts.files import reading
from transfer.texts.files.typed import Choices

ROOT = Path(__file__).parent.parent
REVIEWS = "id,review,title,stars,mood\n" + "".join(
    f"{n},It was {n} times as told,So it is {n},{n % 3 + 1},{['glad', 'sad'][n % 2]}\n" for n in range(24)
)


@pytest.fixture
def reviews(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table, which is looked at anew each time."""
    monkeypatch.setattr(own, "_FRESH_SECONDS", -1.0)
    path = tmp_path / "reviews.csv"
    path.write_text(REVIEWS)
    return path


def test_a_file_is_a_data_set(reviews: Path) -> None:
    one = catalog.dataset(f"texts:{reviews}")
    assert (one.title, one.classes, one.count, one.shape) == ("reviews", ("1", "2", "3"), 24, ())
    assert one.modality == "text" and one.kept and not one.download_mb
    assert one.understood[0] == "24 texts from the columns title and review; 3 classes from the column stars: 1, 2, 3."
    found = one.load()
    assert found.train.inputs[5] == "So it is 5\nIt was 5 times as told" and found.train.labels[:4].tolist() == [
        0,
        1,
        2,
        0,
    ]
    assert found.test is found.validation is None


def test_choices_stand_in_the_key(reviews: Path) -> None:
    one = catalog.dataset(f"texts:{reviews}?text=review&label=mood")
    assert one.classes == ("glad", "sad") and one.load().train.inputs[5] == "It was 5 times as told"
    two = catalog.dataset(f"texts:{reviews}?text=review&text=title&label=4")
    assert two.load().train.inputs[5] == "It was 5 times as told\nSo it is 5"
    with pytest.raises(RequestError, match="no column 'nope'.*columns id, review"):
        catalog.dataset(f"texts:{reviews}?label=nope")
    with pytest.raises(RequestError, match="no choice 'lable'"):
        catalog.dataset(f"texts:{reviews}?lable=mood")


@pytest.mark.parametrize("path", ["/a/b.csv", "/a/what?.csv", "/a/x?y/b=c.csv", "/a b/ü&c.csv"])
def test_keys_come_apart_as_they_were_put_together(path: str) -> None:
    for choices in (Choices(), Choices(("a & b", "c?=d"), "é"), Choices((), "", "none")):
        assert paths.apart(paths.together(path, choices)) == (path, choices)


def test_it_is_read_once_and_anew_when_it_changes(reviews: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = f"texts:{reviews}"
    first = catalog.dataset(key)
    question = Question("look", (key,), {"seed": 0}).folder
    reads: list[Path] = []
    real = reading.from_path
    monkeypatch.setattr(reading, "from_path", lambda place, choices: reads.append(place) or real(place, choices))
    assert catalog.dataset(key).stamp == first.stamp and catalog.dataset(key).load().train.inputs[0] and not reads
    reviews.write_text(REVIEWS + "99,One more,T,1,sad\n")
    second = catalog.dataset(key)
    assert second.stamp != first.stamp and second.version != first.version and second.count == 25 and len(reads) == 1
    assert Question("look", (key,), {"seed": 0}).folder != question
    for file in (own.settings.cache("texts")).glob("*.npz"):
        file.write_bytes(b"damaged")
    assert len(second.load().train) == 25 and len(reads) == 2
    reviews.write_text("text,label\n")
    for _ in range(2):  # that it is refused is kept, too
        with pytest.raises(RequestError, match="no labelled texts|looks like"):
            catalog.dataset(key)
    assert len(reads) == 3


def test_the_cache_is_kept_small_and_what_is_gone_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "MOST_BYTES", 1)
    for name in ("one", "two"):
        (tmp_path / f"{name}.csv").write_text(lines())
        catalog.dataset(f"texts:{tmp_path}/{name}.csv")
    assert len(list(own.settings.cache("texts").glob("*.npz"))) == 1
    assert len(catalog.dataset(f"texts:{tmp_path}/one.csv").load().train) == 8


def test_a_folder_and_a_zip_are_data_sets(tmp_path: Path, reviews: Path) -> None:
    (tmp_path / "aclImdb.zip").write_bytes(zipped(IMDB))
    for name, content in IMDB.items():
        file = tmp_path / "here" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    for place in (tmp_path / "aclImdb.zip", tmp_path / "here", tmp_path / "here" / "aclImdb"):
        one = catalog.dataset(f"texts:{place}")
        found = one.load()
        assert one.classes == ("neg", "pos") and found.test is not None and len(found.train) == len(found.test) == 6
        assert "5 texts without a label" in " ".join(one.understood)
        assert found.train.inputs[3] == "train pos <br /> 0"
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "aclImdb.zip").rename(inside / "aclImdb.zip")
    assert catalog.dataset(f"texts:{inside}").count == 12
    os.mkfifo(inside / "pipe.csv")
    os.symlink("/nowhere", inside / "gone.csv")
    with pytest.raises(RequestError, match="several tables"):
        catalog.dataset(f"texts:{inside}")
    (inside / "gone.csv").unlink()
    with pytest.raises(RequestError, match="named pipe"):
        catalog.dataset(f"texts:{inside}")
    with pytest.raises(RequestError, match="named pipe"):
        catalog.dataset(f"texts:{inside}/pipe.csv")


def test_a_path_that_is_not_there_or_not_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, why in (
        ("", "needs a path"),
        ("/nowhere.csv", "no such file"),
        ("/a\0b", "cannot be kept"),
        ("/" + "a" * 300, "cannot be read"),
    ):
        with pytest.raises(RequestError, match=why):
            catalog.dataset(f"texts:{path}")
    (tmp_path / "x.csv").write_text(lines())
    monkeypatch.setenv("TRANSFER_FOLDERS", "/data")
    with pytest.raises(RequestError, match="not among those"):
        catalog.dataset(f"texts:{tmp_path}/x.csv")


def test_texts_have_no_corruptions(reviews: Path) -> None:
    with pytest.raises(RequestError, match="Only pictures"):
        catalog.dataset(f"texts:{reviews}~noise:3")


def test_paths_are_remembered_with_their_choices(reviews: Path) -> None:
    paths.remember(str(reviews))
    paths.remember(f"{reviews}?label=mood")
    assert [one.key for one in catalog.own_datasets()] == [f"texts:{reviews}?label=mood"]
    paths.forget(f"{reviews}?label=mood")
    assert catalog.own_datasets() == [] and reviews.exists()


def upload(name: str, content: str | bytes = REVIEWS, file: str = "reviews.csv", **chosen: str) -> own.Known:
    raw = content.encode() if isinstance(content, str) else content
    return uploads.take(name, {file: BytesIO(raw)}, Choices(**chosen))  # type: ignore[arg-type]


def test_an_upload_is_kept_changed_and_removed(home: Path) -> None:
    assert upload("reviews", label="mood").count == 24
    one = catalog.dataset("own_texts:reviews")
    assert one.classes == ("glad", "sad") and [one.key for one in catalog.own_datasets()] == ["own_texts:reviews"]
    uploads.choose("reviews", Choices(label="stars"))
    own.afresh()
    assert catalog.dataset("own_texts:reviews").classes == ("1", "2", "3")
    assert uploads.suggested("Reviews.csv") == "reviews_2"
    with pytest.raises(RequestError, match="already exists"):
        upload("reviews")
    uploads.remove("reviews")
    assert not list(uploads.place().iterdir())
    upload("reviews", lines(), "train.csv")
    assert catalog.dataset("own_texts:reviews").count == 8
    both = {"train.csv": BytesIO(lines().encode()), "test.csv": BytesIO(lines(4).encode())}
    uploads.take("both", both, Choices())
    found = catalog.dataset("own_texts:both").load()
    assert found.test is not None and len(found.test) == 4
    upload("zipped", zipped(IMDB), "aclImdb.zip")
    assert catalog.dataset("own_texts:zipped").count == 12


def test_an_upload_that_is_refused_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for content, file, why in (
        ("text,label\nx,a\n", "x.csv", "only one class"),
        (b"\0\1\2" * 99, "x.csv", "not a text file"),
        (zipped({"a/1.txt": bytes(30 * 2**20)}), "x.zip", "suspicious"),
        (lines(), "../x.csv", "points outside"),
    ):
        with pytest.raises(RequestError, match=why):
            upload("bad", content, file)
    for name in ("", "../x", "A b", "a" * 41, ".staging-1"):
        with pytest.raises(RequestError, match="not allowed"):
            upload(name)
    for name in ("x", "../own_texts", ""):
        with pytest.raises(UnknownKey):
            catalog.dataset(f"own_texts:{name}")
    (uploads.place() / ".staging-999999999-x").mkdir()
    monkeypatch.setattr(uploads, "_PIECE", None)  # whatever goes wrong while it is written
    with pytest.raises(TypeError):
        uploads.take("bad", {"x.csv": _Odd(lines().encode())}, Choices())
    assert not list(uploads.place().iterdir())
    monkeypatch.setenv("TRANSFER_UPLOAD_MB", "0")
    with pytest.raises(RequestError, match="too large"):
        upload("bad")


class _Odd(BytesIO):
    """It can be read as a whole only."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None:
            raise TypeError
        return super().read(size)


def test_of_two_uploads_of_one_name_one_is_kept_whole() -> None:
    said = []

    def take(count: int) -> None:
        try:
            said.append(upload("same", lines(count)).count)
        except RequestError as problem:
            assert "already exists" in str(problem)

    both = [threading.Thread(target=take, args=(count,)) for count in (8, 12)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert said == [catalog.dataset("own_texts:same").count]
    assert [one.name for one in uploads.place().iterdir()] == ["same"]


def test_the_command_line_says_how_texts_are_read(reviews: Path) -> None:
    reviews.write_text(REVIEWS + "50,,,1,sad\n")
    done = CliRunner().invoke(app, ["understand", f"texts:{reviews}?label=mood"])
    assert "2 classes from the column mood: glad, sad." in done.stdout
    assert "left out: line 26: no text" in done.stdout
    record = json.loads(CliRunner().invoke(app, ["understand", f"texts:{reviews}", "--json"]).stdout)
    assert record["classes"] == ["1", "2", "3"] and record["left_out"] == [["line 26", "no text"]]
    assert CliRunner().invoke(app, ["understand", f"texts:{reviews}", "--label-column", "mood"]).exit_code == 2
    done = CliRunner().invoke(app, ["look", f"texts:{reviews}"])
    assert "24 texts" in done.stdout.splitlines()[0] and "3\t" in done.stdout.splitlines()[-2]


NO_TEXT = b"".join(b"50,,Title %d,1,sad\n" % number for number in range(5))


def page() -> AppTest:
    opened = AppTest.from_file(str(ROOT / "pages" / "data.py"), default_timeout=60)
    opened.session_state["through_app"] = True
    opened.session_state["drawn"] = True
    opened.session_state["upload_kind"] = "Texts"
    opened.session_state["data_view"] = "Split"
    return opened


def shown(opened: AppTest) -> str:
    assert not opened.exception
    return " ".join(one.value for one in (*opened.caption, *opened.info, *opened.error, *opened.markdown))


def press(opened: AppTest, label: str) -> AppTest:
    return next(one for one in opened.button if one.label == label).click().run()


def test_the_page_takes_an_upload_with_the_columns_that_are_chosen() -> None:
    opened = page().run()
    assert "one folder per class" in shown(opened) and "million pixels" not in shown(opened)
    opened.file_uploader[0].upload("Reviews.csv", REVIEWS.encode() + NO_TEXT, "text/csv").run()
    assert "3 classes from the column stars" in shown(opened) and "left out" not in shown(opened)
    next(one for one in opened.selectbox if one.label == "Label").select("mood").run()
    assert "2 classes from the column mood: glad, sad." in shown(opened)
    opened.multiselect[0].select("review").run()
    assert "24 texts from the column review" in shown(opened) and "lines 26, 27, 28, 29 ... (no text)" in shown(opened)
    assert any("5 entries left out" in one.label for one in opened.expander)
    assert not list(uploads.place().iterdir()), "nothing is kept before it is asked for"
    press(opened, "Add")
    assert catalog.dataset("own_texts:reviews").classes == ("glad", "sad")
    assert "`own_texts:reviews`" in shown(opened) and "How it was read" in shown(opened)
    press(opened, "Remove reviews")
    assert not list(uploads.place().iterdir()) and "own_texts:reviews" not in shown(opened)


def test_the_page_offers_columns_where_none_was_found() -> None:
    opened = page().run()
    table = "what,kind,why\n" + "".join(f"{n}.5,{n % 2},because of number {n}\n" for n in range(12))
    opened.file_uploader[0].upload("x.csv", table.replace(",0,", ",a$b,").replace(",1,", ",a$b,").encode()).run()
    assert "looks like a label" in opened.error[0].value and not any(one.label == "Add" for one in opened.button)
    assert list(opened.multiselect[0].options) == ["what", "kind", "why"]


def test_the_page_reads_a_path_and_remembers_it(reviews: Path) -> None:
    opened = page()
    opened.session_state["texts_way"] = "Path on this machine"
    opened.run()
    opened.text_input[0].input("/nowhere.csv")
    press(opened, "Read")
    assert "no such file" in opened.error[0].value
    opened.text_input[0].input(str(reviews))
    press(opened, "Read")
    next(one for one in opened.selectbox if one.label == "Label").select("mood").run()
    press(opened, "Add")
    assert paths.known() == [f"texts:{reviews}?label=mood"]
    assert f"`texts:{reviews}?label=mood`" in shown(opened)
    next(one for one in opened.selectbox if one.label == "Label").select("stars")
    press(opened, "Apply")
    assert paths.known() == [f"texts:{reviews}?label=stars"] and "3 classes" in shown(opened)
    press(opened, "Forget reviews")
    assert paths.known() == [] and reviews.exists()
