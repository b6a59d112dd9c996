"""Class names with commas, quotes, blanks and letters of every script, wherever they are given, joined and split."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.pictures import content
from transfer import Experiment, catalog
from transfer.__main__ import app
from transfer.errors import RequestError
from transfer.experiment import apart, together

ODD = ("goldfish, Carassius auratus", "tench, Tinca tinca", "猫", "don't 🐶", 'so "called"', "10", "9")


@pytest.fixture
def own(tmp_path: Path) -> str:
    for number, name in enumerate(ODD):
        (tmp_path / "own" / name).mkdir(parents=True)
        for place in range(3):
            (tmp_path / "own" / name / f"{place}.png").write_bytes(content((number, 90, 90), place, width=8, height=8))
    return f"folder:{tmp_path / 'own'}"


@pytest.mark.parametrize(
    ("text", "names"),
    [("tench, Tinca tinca", ("tench, Tinca tinca",)), ("tench,Tinca tinca,9", ("tench, Tinca tinca", "9")),
     ("10,goldfish, Carassius auratus, 猫", ("10", "goldfish, Carassius auratus", "猫")), ("9,10", ("9", "10")),
     (" 9 , 10 ,", ("9", "10")), ('"tench, Tinca tinca", 9', ("tench, Tinca tinca", "9")), ("", ()),
     ("fly, 9", ("fly", "9"))],
)  # fmt: skip
def test_names_come_apart_where_the_known_ones_end(text: str, names: tuple[str, ...]) -> None:
    assert apart(text, ODD) == names


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1).map(str.strip)
                .filter(bool), max_size=5))  # fmt: skip
def test_what_was_joined_comes_apart_again(names: list[str]) -> None:
    assert apart(together(names)) == tuple(names)
    assert Experiment(without=names).without == tuple(names)
    kept = Experiment(**json.loads(Experiment(without=names).canonical_json()))
    assert kept.without == tuple(names)


def test_old_ways_of_naming_classes_stay() -> None:
    assert Experiment(without="5, 6").without == ("5", "6")
    assert Experiment(without=["5", "6"]).fingerprint == Experiment(without="5,6").fingerprint


@pytest.mark.parametrize("given_", [["--without", ODD[1]], ["--without", f"{ODD[1]},9"], ["--without", "9", "--without",
                                    ODD[0]], ["--without", ODD[4]], ["--without", "猫,10"]])  # fmt: skip
def test_the_command_line_leaves_out_the_class_that_is_meant(
    own: str, given_: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Experiment] = []

    def stop(experiment: Experiment) -> None:
        asked.append(experiment)
        raise RequestError("enough")

    monkeypatch.setattr(catalog, "check", stop)
    CliRunner().invoke(app, ["run", "--target", own, "--strategy", "from_scratch", *given_])
    assert set(asked[0].without) <= set(ODD)
    assert asked[0].without


def test_a_name_that_is_not_there_is_refused_and_the_nearest_offered(own: str) -> None:
    with pytest.raises(RequestError, match=r"Did you mean 'tench, Tinca tinca'\?.*'goldfish, Carassius auratus', so"):
        catalog.check(Experiment(target=own, strategy="from_scratch", without=("tench, Tinca",)))
    catalog.check(Experiment(target=own, strategy="from_scratch", without=ODD[:2]))
