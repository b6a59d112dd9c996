"""Groups of runs in the store, and what people say of runs."""

from __future__ import annotations

import sqlite3
import time

import pytest

from transfer import Experiment
from transfer.errors import RequestError, UnknownKey
from transfer.lab import Lab
from transfer.lab.process import myself
from transfer.lab.races import About, entries
from transfer.lab.store import Store

BASE = Experiment(source="mnist_5k", labels_per_class=1)


def test_every_combination_comes_with_each_seed_and_from_scratch_once(here: Lab) -> None:
    made, refused = entries(BASE, {"strategy": ["lora", "fine_tuning"]}, "epochs", 7, (0, 1))
    assert [one.strategy for one in made] == ["lora", "from_scratch", "fine_tuning"] * 2
    assert [one.seed for one in made] == [0] * 3 + [1] * 3 and {one.epochs for one in made} == {7}
    assert not refused
    race = here.races.start(made, About(amount=7))
    assert [run.experiment for run in here.races.runs(race)] == made
    assert here.races.get(race).about == About(amount=7)
    assert here.store.claim(myself(), "cpu").experiment == made[0], "the queue keeps the order"


def test_what_does_not_go_together_is_left_out_with_a_reason() -> None:
    own = BASE.but(source=None)
    made, refused = entries(own, {"strategy": ["lora", "mcc"], "labels_per_class": [1, None]}, seeds=(0,))
    assert {one.strategy for one in made} == {"from_scratch"}
    assert "not pretrained" in dict(refused)["lora, 1"]
    blind, _ = entries(BASE, {"strategy": ["mcc"]}, seeds=(0,), scratch=False)
    assert blind[0].labels_per_class == 0


def test_a_race_is_repeated_with_seeds_it_has_not_seen(here: Lab) -> None:
    race = here.races.start(entries(BASE, {"strategy": ["lora"]}, seeds=(0, 1))[0], About())
    here.races.extend(race, 3)
    assert [run.experiment.seed for run in here.races.runs(race)] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_an_impossible_race_is_refused_whole(here: Lab) -> None:
    with pytest.raises(RequestError):
        here.races.start([BASE, BASE.but(source="optdigits")], About())
    with pytest.raises(RequestError, match="1 to 300 runs"):
        here.races.start([], About())
    with pytest.raises(UnknownKey):
        here.races.get("nothing")
    assert here.runs() == [] and here.races.newest() == []


def test_tags_notes_and_the_archive(here: Lab) -> None:
    one, other = here.submit(BASE), here.submit(BASE)
    here.remarks.say(one, tags=["thesis", "thesis ", "x"])
    here.remarks.say(one, note="odd at epoch 3")
    here.remarks.archive([one, other])
    here.remarks.archive([other], away=False)
    said = here.remarks.all()
    assert (said[one].tags, said[one].note) == (("thesis", "x"), "odd at epoch 3")
    assert said[one].archived is not None and said[other].archived is None


def test_a_removed_run_is_hidden_comes_back_and_is_gone_after_a_while(here: Lab, monkeypatch) -> None:
    race = here.races.start([BASE], About())
    run = here.races.runs(race)[0]
    assert here.remarks.remove([run.id]) == [], "one that waits is left"
    here.stop(run.id)
    assert here.remarks.remove([run.id]) == [run.id]
    assert here.runs() == [] and here.races.runs(race) == []
    here.remarks.restore([run.id])
    assert [one.id for one in here.runs()] == [run.id]
    here.remarks.remove([run.id])
    here.reconcile()
    assert here.run(run.id), "it can still be brought back"
    later = time.time() + 700
    monkeypatch.setattr("transfer.lab.remarks.time.time", lambda: later)
    here.reconcile()
    assert here.store.run(run.id) is None and here.races.runs(race) == [] and here.remarks.all() == {}


def test_an_older_store_gets_the_new_tables(here: Lab) -> None:
    here.submit(BASE)
    path = here.store.url.partition("sqlite:///")[2]
    with sqlite3.connect(path) as database:
        for table in ("remarks", "races", "members"):
            database.execute(f"DROP TABLE {table}")
        database.execute("DROP INDEX ix_events_run_kind")
    newer = Lab(Store(here.store.url))
    assert len(newer.runs()) == 1 and newer.races.newest() == [] and newer.remarks.all() == {}
