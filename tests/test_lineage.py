"""What came of a run and what it came from."""

from __future__ import annotations

from transfer import Experiment
from transfer.lab import Lab
from transfer.lab.lineage import Bond, ancestors


def test_descendants_are_found_through_backbones_and_teachers_nearest_first(here: Lab) -> None:
    first = here.store.add_run(Experiment())
    tuned = here.store.add_run(Experiment(backbone=f"run:{first}"))
    taught = here.store.add_run(Experiment(strategy="distillation", options={"teacher": f"run:{tuned}"}))
    both = here.store.add_run(
        Experiment(backbone=f"run:{first}", strategy="distillation", options={"teacher": f"run:{first}"})
    )
    here.store.add_run(Experiment())
    assert [run.id for run in here.descendants(first)] == [tuned, both, taught]
    assert [run.id for run in here.descendants(tuned)] == [taught]
    assert here.descendants(taught) == []
    assert set(ancestors(here.store, here.run(taught))) == {
        Bond(tuned, taught, "teacher"),
        Bond(first, tuned, "backbone"),
    }
    here.store.delete(first)
    assert Bond(first, tuned, "backbone") in set(ancestors(here.store, here.run(taught)))
