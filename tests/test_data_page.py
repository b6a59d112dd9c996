"""The Data page, driven without a browser, and what it asks of a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from tests import tiny
from tests.pictures import COLOURS
from transfer import Experiment, catalog
from transfer.__main__ import app
from transfer.datasets import folder as folders
from transfer.engine.inspect.first_batch import first_batch
from transfer.engine.inspect.rebuilt import target_split
from transfer.engine.samples.batches import batches
from transfer.insight import data as said
from transfer.lab import data_questions
from transfer.lab.data_questions import Question
from transfer.pictures import alike
from transfer.pictures.kept import Pictures

ROOT = Path(__file__).parent.parent


def photograph(seed: int) -> Image.Image:
    """Smooth shapes, as photographs have."""
    rough = np.random.default_rng(seed).integers(0, 255, (5, 6, 3)).astype("uint8")
    return Image.fromarray(rough).resize((96, 80), Image.Resampling.BICUBIC)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder of three classes with a double in another class and a copy that was saved anew."""
    root = tmp_path / "own"
    for number, name in enumerate(COLOURS):
        (root / name).mkdir(parents=True)
        for place in range(8):
            photograph(100 * number + place).save(root / name / f"{place}.png")
    photograph(0).save(root / "blue" / "double.png")
    photograph(1).resize((80, 67)).save(root / "red" / "anew.jpg", quality=50)
    (root / "red" / "torn.png").write_bytes(b"torn")
    return root


def look(key: str, seed: int = 0) -> dict:
    return data_questions.find_out(Question("look", (key,), {"seed": seed}))


def test_a_look_finds_doubles_copies_and_what_was_left_out(own: Path) -> None:
    found = look(f"folder:{own}")
    assert {name: sum(part) for name, part in found["counts"].items()} == {"train": 17, "validation": 3, "test": 6}
    assert found["pair_counts"] | {"across": 0} == {"same": 1, "near": 1, "across": 0, "clash": 1}
    pairs = {tuple(sorted(one["names"])) for one in found["pairs"]}
    assert pairs == {("blue/double.png", "red/0.png"), ("red/1.png", "red/anew.jpg")}
    assert found["left_out"] == [["red/torn.png", "not a picture in a supported format"]]
    assert "different labels" in said.about_pairs(found["pair_counts"])[0]
    assert catalog.dataset(f"folder:{own}").sample_sheet is not None


def test_what_is_alike_is_found_and_what_differs_is_not() -> None:
    several = [np.asarray(photograph(seed)) for seed in range(40)]
    lighter = np.clip(several[3] * 1.1, 0, 255).astype("uint8")
    both = [alike.fingerprint(one) for one in (*several, lighter, several[5])]
    digests = np.array([np.frombuffer(exact, "uint64")[0] for exact, _ in both])
    assert alike.pairs(digests, np.stack([thumbnail for _, thumbnail in both])) == [(3, 40, False), (5, 41, True)]


def test_the_first_batch_is_the_one_the_run_begins_with(own: Path, tmp_path: Path) -> None:
    asked = Experiment(target=f"folder:{own}", backbone="small_cnn", strategy="from_scratch", batch_size=4, seed=3)
    found = first_batch(asked, tmp_path / "drawn")
    split = target_split(asked)
    inputs, labels = next(batches(split.train, 4, [3, 1], 0))
    assert found["labels"] == [split.classes[label] for label in labels]
    assert found["shape"] == [4, 28, 28, 1]
    assert found["raw"] == list(inputs.shape[1:]) == [80, 80, 3]
    assert 0 <= found["low"] < found["mean"][0] < found["high"] <= 255
    grey = inputs.astype(float) @ [0.2989, 0.587, 0.114]
    assert found["mean"][0] == pytest.approx(grey.mean(), abs=3)


def test_equal_data_are_no_distance_apart_and_inverted_ones_are(home: Path, world: None) -> None:
    asked = {"backbone": tiny.NETWORK, "seed": 0}
    same = data_questions.find_out(Question("distance", (tiny.SOURCE, tiny.SOURCE), asked))
    apart = data_questions.find_out(Question("distance", (tiny.SOURCE, f"{tiny.SOURCE}~inversion:5"), asked))
    assert same["mmd"] == pytest.approx(0, abs=1e-5)
    assert same["a_distance"] <= max(same["a_distance_chance"], 0.3)
    assert apart["a_distance"] > 1.5 > same["a_distance_chance"]
    assert apart["mmd"] > 10 * apart["mmd_chance"]
    assert "random weights" in said.about_distance(apart, tiny.NETWORK)


def test_an_answer_is_kept_until_a_file_changes(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transfer.pictures import own as reading

    monkeypatch.setattr(reading, "_FRESH_SECONDS", -1.0)
    first = Question("look", (f"folder:{own}",), {"seed": 0}).folder
    assert Question("look", (f"folder:{own}",), {"seed": 0}).folder == first
    photograph(77).save(own / "red" / "more.png")
    assert Question("look", (f"folder:{own}",), {"seed": 0}).folder != first


def test_what_cannot_be_answered_says_why(own: Path) -> None:
    for file in (own / "green").glob("*.png"):  # whole headers, torn pictures: known only once they are decoded
        file.write_bytes(file.read_bytes()[:300])
    question = Question("look", (f"folder:{own}",), {"seed": 0})
    for _ in range(600):
        answer = data_questions.ask(question)
        if answer.problem:
            break
        time.sleep(0.1)
    assert "The class 'green' has no pictures to train on" in answer.problem
    data_questions.again(question)


def test_the_command_line_looks_too(own: Path) -> None:
    done = CliRunner().invoke(app, ["look", f"folder:{own}", "--json"])
    assert json.loads(done.stdout.splitlines()[-1])["classes"] == ["blue", "green", "red"]
    assert CliRunner().invoke(app, ["look", "folder:/nowhere"]).exit_code == 2
    assert "left out: red/torn.png" in CliRunner().invoke(app, ["look", f"folder:{own}"]).stdout


def test_few_validation_pictures_are_those_of_the_class_that_is_named() -> None:
    # b has fewest to train on, c fewest to validate.
    found, warns = said.about_balance({"train": [8, 7, 8], "validation": [2, 2, 1]}, ["a", "b", "c"])
    assert warns and "1 validation picture of c. One picture moves its accuracy by 100 points" in found
    found, _ = said.about_balance({"train": [8, 7], "validation": [0, 2]}, ["a", "b"])
    assert "0 validation pictures of a. Its accuracy cannot be validated" in found


@pytest.mark.parametrize(
    ("counts", "words", "matters"),
    [
        ([100, 20], "5.0 times as many", True),
        ([20, 20], "Every class has 20", False),
        ([20, 25], "20 to 25", False),
    ],
)
def test_balance_warns_when_it_matters(counts: list[int], words: str, matters: bool) -> None:
    found, warns = said.about_balance({"train": counts, "validation": [10, 10]}, ["a", "b"])
    assert words in found
    assert warns == matters


def opened() -> AppTest:
    page = AppTest.from_file(str(ROOT / "pages" / "data.py"), default_timeout=60)
    page.session_state["through_app"] = True
    page.session_state["drawn"] = True
    return page


def test_the_page_shows_an_own_folder_and_makes_it_the_target(own: Path) -> None:
    folders.remember(str(own))
    key = f"folder:{own}"
    look(key)  # found out before: the page has it at once
    page = opened()
    page.session_state["data_key"] = key
    page.run()
    assert not page.exception
    text = " ".join(one.value for one in (*page.markdown, *page.caption))
    assert "red/torn.png" in text
    assert "balanced, but small" in text
    for view, words in (("Split", "fingerprint"), ("Duplicates", "nearly identical"), ("Distance", "up to 500")):
        page.session_state["data_view"] = view
        page.run()
        assert not page.exception
        everything = (*page.markdown, *page.caption, *page.warning, *page.info)
        assert words in " ".join(one.value for one in everything), view


def test_the_page_opens_without_own_pictures_and_says_what_an_upload_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFER_UPLOAD_FILES", "1234")
    look("optdigits")
    page = opened().run()
    assert not page.exception
    assert page.expander[0].proto.expanded
    assert any("1,234 files" in one.value for one in page.caption)


def test_the_lab_opens_though_the_chosen_pictures_were_removed(own: Path) -> None:
    page = AppTest.from_file(str(ROOT / "pages" / "lab.py"), default_timeout=60)
    page.session_state["through_app"] = True
    page.session_state["chosen"] = Experiment().model_dump() | {"target": f"folder:{own}/gone", "source": None}
    page.run()
    assert not page.exception
    assert "There is no such folder" in " ".join(one.value for one in page.warning)


class Ended:
    """A process that has ended well."""

    returncode = 0

    def poll(self) -> int:
        return 0


def test_an_answer_that_was_cleared_away_while_it_is_shown_is_found_out_anew(own: Path, monkeypatch) -> None:
    question, started = Question("look", (f"folder:{own}",), {"seed": 0}), []

    def start(_question: Question, folder: Path) -> Ended:
        started.append(folder)
        (folder / "answer.json").write_text('{"classes": []}')
        (folder / "batch.png").write_bytes(b"x")
        return Ended()

    monkeypatch.setattr(data_questions, "_started", start)
    answer = data_questions.ask(question)
    assert answer.found == {"classes": []} and answer.picture("batch.png") == b"x"
    shutil.rmtree(answer.folder)
    assert answer.picture("batch.png") is None
    assert data_questions.ask(question).found == {"classes": []} and len(started) == 2
    (answer.folder / "batch.png").unlink()  # in the midst of being cleared away
    answer.forget()
    assert data_questions.ask(question).found is not None and len(started) == 3
    answer.forget()
    monkeypatch.setattr(data_questions, "_started", lambda *_: Ended())
    assert "without a message" in data_questions.ask(question).problem, (
        "a process that leaves nothing is no endless loop"
    )
    assert "without a message" in data_questions.ask(question).problem


def test_what_was_looked_at_last_is_cleared_away_last(own: Path, monkeypatch) -> None:
    question = Question("look", (f"folder:{own}",), {"seed": 0})
    monkeypatch.setattr(
        data_questions, "_started", lambda _, folder: (folder / "answer.json").write_text("{}") and Ended()
    )
    shown = data_questions.ask(question).folder
    os.utime(shown, (1, 1))
    for number in range(3):
        (other := shown.parent / f"other{number}").mkdir()
        os.utime(other, (2, 2))
    assert data_questions.ask(question).found == {}
    monkeypatch.setattr(data_questions, "_KEPT", 2)
    data_questions._prune()
    assert shown.exists() and len(list(shown.parent.iterdir())) == 2


def test_decoded_pictures_that_are_dropped_can_still_be_read(tmp_path: Path) -> None:
    file = tmp_path / "pictures"
    file.write_bytes(bytes(range(8)))
    kept = Pictures(file, (2, 2, 1), np.arange(2), "x")
    file.unlink()
    assert kept[1].ravel().tolist() == [4, 5, 6, 7]
