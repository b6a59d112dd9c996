"""Checkpoints of other versions and damaged ones: told in words, never a traceback and never wrong weights."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from transfer.engine.judge.choosing import ChosenEpoch
from transfer.engine.loop.checkpoint import LAYOUT, NAME, Best, Checkpoint, Position, Unreadable
from transfer.engine.runner import Runner
from transfer.engine.samples import arrays
from transfer.errors import NewerCheckpoint

WEIGHTS = {"low/0": np.arange(6.0).reshape(2, 3), "head/0": np.ones((3, 2)), "head/1": np.zeros(2)}


def saved(folder: Path) -> Checkpoint:
    """A checkpoint, written into the folder."""
    place = Position(leg=1, epoch=2, best=Best(1, 1.0, 0.5, 0.7), picks={"last": ChosenEpoch(1, 2.0)}, begun=0.25)
    made = Checkpoint(place, ["low"], WEIGHTS, WEIGHTS, [np.array(3), np.ones(2)], picked={"1.2.0": WEIGHTS})
    made.save(folder)
    return made


def rewritten(folder: Path, change: Any) -> None:
    """Changes what the checkpoint says of itself."""
    named = arrays.read(folder / NAME)
    about = json.loads(bytes(named.pop("about")))
    about = change(about) or about
    arrays.write(folder / NAME, {**named, "about": np.frombuffer(json.dumps(about).encode(), "uint8")})


def test_what_was_written_is_read(tmp_path: Path) -> None:
    assert Checkpoint.load(tmp_path) is None
    made, found = saved(tmp_path), Checkpoint.load(tmp_path)
    assert found is not None and found.place == made.place and found.touched == ["low"]
    np.testing.assert_array_equal(found.picked["1.2.0"]["low/0"], WEIGHTS["low/0"])


def older(about: dict[str, Any]) -> None:
    """As the first version with a checkpoint wrote it, and with a field that is no longer known."""
    del about["layout"]
    for name in ("begun", "picks", "last", "first_epoch", "busy"):
        del about["place"][name]
    about["place"]["colour"] = "red"


def test_one_of_an_older_version_is_read_with_the_usual_values(tmp_path: Path) -> None:
    saved(tmp_path)
    rewritten(tmp_path, older)
    found = Checkpoint.load(tmp_path)
    assert found is not None and found.place == Position(leg=1, epoch=2, best=Best(1, 1.0, 0.5, 0.7))


def test_one_of_a_newer_version_is_refused_and_stays(tmp_path: Path) -> None:
    saved(tmp_path)
    rewritten(tmp_path, lambda about: about | {"layout": LAYOUT + 1})
    with pytest.raises(NewerCheckpoint, match=f"layout {LAYOUT + 1}.*Resume the run with that version"):
        Checkpoint.load(tmp_path)
    assert (tmp_path / NAME).exists()


@pytest.mark.parametrize(
    "about",
    [[], {}, {"place": None}, {"place": {}, "touched": []}, {"place": {"best": {"x": 1}}, "touched": []}],
    ids=str,
)
def test_one_that_says_something_else_is_damaged(tmp_path: Path, about: Any) -> None:
    saved(tmp_path)
    named = arrays.read(tmp_path / NAME)
    arrays.write(tmp_path / NAME, named | {"about": np.frombuffer(json.dumps(about).encode(), "uint8")})
    with pytest.raises(Unreadable, match="damaged"):
        Checkpoint.load(tmp_path)


def test_whatever_happens_to_its_bytes_it_is_whole_or_damaged(tmp_path: Path) -> None:
    made = saved(tmp_path)
    content = (tmp_path / NAME).read_bytes()
    random = np.random.default_rng(0)
    damaged = 0
    for trial in range(240):
        changed = bytearray(content)
        if trial % 4 == 0:
            changed = changed[: random.integers(len(changed))]
        else:
            for place in random.integers(len(changed), size=1 + trial % 3):
                changed[place] = random.integers(256)
        (tmp_path / NAME).write_bytes(changed)
        try:
            found = Checkpoint.load(tmp_path)
        except Unreadable:
            damaged += 1
            continue
        assert found is not None and found.place == made.place
        for name, value in found.now.items():
            np.testing.assert_array_equal(value, WEIGHTS[name])
    assert damaged > 120


def misfit(now: dict[str, np.ndarray], touched: list[str], leg: int = 1) -> str:
    """What a runner says of such a checkpoint; its network has one stage of WEIGHTS' shapes and a head."""
    parts = {"low": ["low/0"], "head": ["head/0", "head/1"]}
    network = SimpleNamespace(names=("low",), touched=[])
    only = SimpleNamespace(index=1, network=network, head=SimpleNamespace(built=True))

    def moved(_: Any) -> list[tuple[str, Any]]:
        names = [*network.touched, "head"]
        return [
            (n, SimpleNamespace(variables=[SimpleNamespace(value=WEIGHTS[one]) for one in parts[n]])) for n in names
        ]

    runner: Any = SimpleNamespace(_moved=moved)
    return Runner._misfit(runner, [only], Checkpoint(Position(leg=leg), touched, now, now))  # type: ignore[list-item]  # as far as it is asked


def test_weights_of_another_network_are_never_used() -> None:
    head = {name: value for name, value in WEIGHTS.items() if name.startswith("head")}
    assert misfit(WEIGHTS, ["low"]) == misfit(head, []) == ""
    assert "do not fit" in misfit(WEIGHTS | {"low/0": np.ones((3, 3))}, ["low"]), "another shape"
    assert "do not fit" in misfit(head, ["low"]), "a stage is missing"
    assert "do not fit" in misfit(WEIGHTS | {"low/1": np.ones(3)}, ["low"]), "a weight too many"
    assert "another network" in misfit(WEIGHTS, ["middle"])
    assert "another network" in misfit(WEIGHTS, ["low"], leg=2)
