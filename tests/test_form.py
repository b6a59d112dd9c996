"""The form of an experiment: every number that may be empty can be emptied, wherever it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pages.parts.choose import class_counts, estimates
from pages.parts.choose.options import ON_CARDS
from tests.edits import sequence
from tests.test_pages import ESTIMATE, button, home, opened  # noqa: F401  # home is a fixture
from transfer import Experiment, catalog
from transfer.errors import RequestError
from transfer.lab import Lab
from transfer.lab.process import myself
from transfer.lab.races import budget_fields
from transfer.lab.spawner import Spawner


def optional(model: Any) -> dict[str, int | float]:
    """The numbers of a model that may be None, each with a value within its limits."""
    found: dict[str, int | float] = {}
    for name, schema in model.model_json_schema()["properties"].items():
        kinds = {one.get("type"): one for one in schema.get("anyOf", [])}
        if "null" in kinds and (number := kinds.get("integer") or kinds.get("number")):
            found[name] = number.get("minimum", 0) + 1 if number["type"] == "integer" else 0.01
    return found


FIELDS = optional(Experiment)
OPTIONS = [
    (strategy.key, name, value)
    for strategy in catalog.strategies().values()
    for name, value in optional(strategy.Options).items()
]


def test_the_fields_that_may_be_empty_are_found() -> None:
    assert {"labels_per_class", "epochs", "images", "seconds", "learning_rate", "image_size"} <= set(FIELDS)
    assert not set(FIELDS) & set(ON_CARDS)
    assert ("gradual_unfreezing", "every", 2) in OPTIONS


def test_every_optional_number_of_the_form_can_be_emptied() -> None:
    app = opened()
    for name, value in FIELDS.items():
        app.number_input(key=f"field:{name}").set_value(value)
    app.run()
    assert {name: app.session_state["chosen"][name] for name in FIELDS} == FIELDS
    app.run()  # Streamlit takes an emptied field's default from the run before
    for name in FIELDS:
        app.number_input(key=f"field:{name}").set_value(None)
    app.run()
    assert {name: app.session_state["chosen"][name] for name in FIELDS} == dict.fromkeys(FIELDS)
    app.number_input(key="field:seed").set_value(3).run()
    for name in FIELDS:
        field = app.number_input(key=f"field:{name}")
        assert field.value is None, f"{name} springs back"
        assert field.proto.placeholder, f"{name} says nothing when it is empty"
        assert not field.proto.HasField("default"), f"a browser would put {name} back"
    assert not app.exception


@pytest.mark.parametrize(("strategy", "name", "value"), OPTIONS)
def test_every_optional_number_of_a_strategy_can_be_emptied(strategy: str, name: str, value: float) -> None:
    app = opened()
    app.session_state["chosen"] |= {"strategy": strategy, "options": {name: value}}
    app.run()
    field = app.number_input(key=f"option:{strategy}:{name}")
    assert field.value == value
    field.set_value(None).run()
    assert app.session_state["chosen"]["options"] == {}
    app.run()
    assert app.number_input(key=f"option:{strategy}:{name}").value is None and not app.exception


def test_a_run_that_is_opened_fills_and_empties_the_fields() -> None:
    given = {name: value for name, value in FIELDS.items() if name not in ("images", "seconds")}  # one budget a run
    full, bare = recorded(**given), recorded()
    app = opened(run=full)
    assert app.number_input(key="field:early_stopping").value == FIELDS["early_stopping"]
    app.query_params["run"] = bare
    app.run()
    assert {name: app.number_input(key=f"field:{name}").value for name in FIELDS} == dict.fromkeys(FIELDS)


def recorded(**fields: Any) -> str:
    """A run that waits, with these fields."""
    return Lab().submit(Experiment(source="mnist_5k", **fields), reserved=myself())


def test_the_budget_of_a_race_can_be_emptied_and_then_is_the_usual_one() -> None:
    app = opened()
    button(app, "Race several").click().run()
    for currency in ("epochs", "seconds", "images"):
        app.session_state["race_currency"] = currency
        app.run()
        app.number_input(key=f"race_amount:{currency}").set_value(7).run()
        app.number_input(key=f"race_amount:{currency}").set_value(None).run()
        amount = app.number_input(key=f"race_amount:{currency}")
        assert amount.value is None and amount.proto.placeholder.startswith("auto")
    button(app, "Start the race").click().run()
    assert not app.exception and {run.experiment.images for run in Lab().runs()} == {2_000}


def test_a_budget_in_images_needs_an_amount_which_epochs_are_not() -> None:
    with pytest.raises(RequestError, match="needs an amount"):
        budget_fields("images", None, Experiment(epochs=20))
    assert budget_fields("seconds", None, Experiment(seconds=3.5))["seconds"] == 3.5
    assert budget_fields("epochs", None, Experiment(images=9)) == {"epochs": None, "images": None, "seconds": None}


def test_no_labels_and_then_any_other_change_is_no_division_by_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = class_counts.Counts([90] * 10, [18] * 10, [63] * 10)
    monkeypatch.setattr(class_counts, "counts", lambda dataset: counted)
    app = opened()
    app.number_input(key="field:labels_per_class").set_value(0).run()
    for name, value in (("seed", 3), ("batch_size", 1)):
        app.number_input(key=f"field:{name}").set_value(value).run()
        assert not app.exception, name
    assert button(app, "Start").disabled


def quiet(patch: pytest.MonkeyPatch, folder: Path) -> Any:
    """A lab of its own that starts no worker and no measurement; gives what opens its app."""
    import streamlit as st

    patch.setenv("TRANSFER_HOME", str(folder))
    patch.delenv("TRANSFER_STORE", raising=False)
    patch.setattr(Spawner, "ensure", lambda *_: None)
    patch.setattr(class_counts, "counts", _counted)
    patch.setattr(class_counts, "being_counted", lambda dataset: False)
    patch.setattr(estimates, "_answer", lambda *_: None)
    st.cache_resource.clear()
    return opened


def _counted(dataset: Any) -> class_counts.Counts:
    """As many pictures as the data set has, shared evenly."""
    classes = len(dataset.classes)
    each = max(1, dataset.count // classes)
    return class_counts.Counts([each * 60 // 100 or 1] * classes, [each * 15 // 100] * classes, [each // 4] * classes)


@pytest.mark.parametrize("seed", [3, 42])
def test_no_sequence_of_edits_ends_in_a_traceback(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some sequences; `python -m benchmarks.form` makes 500."""
    done, traceback = sequence(seed, quiet(monkeypatch, tmp_path))
    assert not traceback, "; ".join(done) + "\n" + traceback


def test_a_field_that_is_changed_as_start_is_pressed_counts() -> None:
    app = opened()
    app.number_input(key="field:epochs").set_value(3)
    app.button(key="start").click()
    app.run()
    assert [run.experiment.epochs for run in Lab().runs()] == [3] and not app.exception


def test_start_is_not_lost_when_pictures_are_counted_and_time_is_estimated_as_it_is_pressed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was waited for is there between two looks of one drawing of the page."""
    monkeypatch.setattr(class_counts, "counts", lambda dataset: None)
    monkeypatch.setattr(class_counts, "being_counted", lambda dataset: True)
    app = opened()
    asked = iter([True])
    monkeypatch.setattr(class_counts, "being_counted", lambda dataset: next(asked, False))
    app.button(key="start").click()
    app.run()
    assert len(Lab().runs()) == 1
    answers = iter([None])
    monkeypatch.setattr(class_counts, "counts", _counted)
    monkeypatch.setattr(estimates, "_answer", lambda *_: next(answers, dict(ESTIMATE)))
    app = opened()
    answers = iter([None])
    app.button(key="start").click()
    app.run()
    assert len(Lab().runs()) == 2


def test_a_field_that_is_changed_as_a_race_is_started_counts() -> None:
    app = opened()
    app.button(key="race").click().run()
    app.number_input(key="race_seeds").set_value(1)
    app.number_input(key="race_amount:epochs").set_value(2)
    app.button(key="start_race").click()
    app.run()
    assert {run.experiment.epochs for run in Lab().runs()} == {2} and not app.exception
    assert app.query_params["race"] == Lab().races.newest()[0].id
