"""What came of a run and what it came from."""

from __future__ import annotations

from transfer import Experiment, settings
from transfer.lab import Lab
from transfer.lab.lineage import Bond, ancestors


def test_descendants_are_found_through_backbones_and_teachers_nearest_first(here: Lab) -> None:
    first = here.store.add_run(Experiment())
    tuned = here.store.add_run(Experiment(backbone=f"run:{first}"))
    taught = here.store.add_run(Experiment(strategy="distillation", options={"teacher": f"run:{tuned}"}))
    for run in (first, tuned):
        settings.run_folder(run).mkdir(parents=True)
        (settings.run_folder(run) / "experiment.json").write_text(here.run(run).experiment.canonical_json())
    both = here.store.add_run(
        Experiment(backbone=f"run:{first}", strategy="distillation", options={"teacher": f"run:{first}"})
    )
    here.store.add_run(Experiment())
    assert [run.id for run in here.descendants(first)] == [tuned, both, taught]
    assert [run.id for run in here.descendants(tuned)] == [taught]
    assert here.descendants(taught) == []
    assert set(ancestors(here.run(taught))) == {
        Bond(tuned, taught, "teacher"),
        Bond(first, tuned, "backbone"),
    }
    here.discard(first)
    assert Bond(first, tuned, "backbone") in set(ancestors(here.run(taught)))
    assert settings.run_folder(first).exists(), "others rest on it"
    here.discard(both)
    here.discard(tuned)
    assert settings.run_folder(tuned).exists() and settings.run_folder(first).exists()
    here.discard(taught)
    assert not settings.run_folder(tuned).exists() and not settings.run_folder(first).exists()
