"""What a run spends: every strategy ends where its budget says, at the learning rate its schedule says."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from transfer import Experiment, catalog
from transfer.datasets import Samples
from transfer.engine import runner
from transfer.engine.begin import begin
from transfer.engine.events import Event, PhaseBegan, Point
from transfer.engine.judge import domains
from transfer.engine.loop import watch
from transfer.engine.loop.leg import Leg
from transfer.engine.loop.optimizers import share_of_peak
from transfer.engine.measure import estimate as estimating
from transfer.engine.samples.splits import Split
from transfer.spending import Portions, epochs_of
from transfer.strategies import Phase

LABELLED, UNLABELLED = 19, 53
ASKED = Experiment(target="optdigits", source="mnist_5k", batch_size=8, schedule="cosine")


def split(labelled: int) -> Split:
    """Blank pictures, of which so many have a label."""
    target = catalog.dataset("optdigits")
    train, others, everything = (
        Samples(np.zeros((count, *target.shape), "uint8"), np.arange(count) % 10)
        for count in (labelled, 20, UNLABELLED)
    )
    return Split(train, others, others, "", target.classes, everything.inputs)


class Blank:
    """A network, and a learner of it, that are asked and taught nothing: only what steps spend is looked at."""

    def __init__(self, *given: Any) -> None:
        self.backbone, self.touched, self.start = catalog.backbone("small_cnn"), [], {}
        self.names = given[4].used if len(given) > 4 else self.backbone.stages
        self.output_shape, self.variables, self.parameters, self.stages = (None, 8), [], 0, []
        self.extra, self.optimizer = [], SimpleNamespace(variables=[])
        self.images: list[int] = []

    def named(self, names: Any) -> list[Any]:
        return [(name, self) for name in names]

    def moved(self) -> dict[str, float]:
        return {}

    def learn(self, inputs: Any, labels: Any, progress: float, rate: float) -> dict[str, float]:
        several = inputs if isinstance(inputs, dict) else {"target": inputs}
        self.images.append(sum(len(one) for name, one in several.items() if name != "places"))
        return {"loss": 1.0}

    def outputs(self, inputs: np.ndarray) -> dict[str, np.ndarray]:
        return {"logits": np.zeros((len(inputs), 10)), "features": np.ones((len(inputs), 4))}


class Spent:
    """What a run's loop did, with a blank network."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, asked: Experiment, heard: list[Event] | None = None) -> None:
        self.events: list[Event] = [] if heard is None else heard
        learner = Blank()
        self.images = learner.images

        def moving(leg: Leg) -> Blank:
            phase = leg.phase
            inside = phase.rates and (phase.moves is None or phase.moves("BatchNormalization", "norm/gamma"))
            learner.trainable_variables = [np.zeros(1)] if phase.head_rate or inside else []
            return learner

        monkeypatch.setattr(Leg, "learner", property(moving))
        monkeypatch.setattr(Leg, "prefix", [])
        monkeypatch.setattr(begin, "Network", Blank)
        monkeypatch.setattr(runner.void, "check", lambda *given: None)
        monkeypatch.setattr(runner.TermContext, "__post_init__", lambda around: None)
        monkeypatch.setattr(runner.TermContext, "fit_head", lambda around, leg: None)
        monkeypatch.setattr(runner.TermContext, "refresh", lambda around, leg: None)
        monkeypatch.setattr(domains.Domains, "look", lambda *given: ({}, None))
        # Every look at the clock is a millisecond, so that seconds pass without being waited for.
        ticks = itertools.count()
        monkeypatch.setattr(watch, "time", SimpleNamespace(perf_counter=lambda: next(ticks) / 1000))
        data = split(LABELLED if asked.labels_per_class is None else 0)
        made = runner.Runner(asked, catalog.check(asked), self.events.append, lambda: None, None)
        self.legs = made.rehearsed(data, (catalog.dataset("mnist_5k"), split(LABELLED)), None)
        self.planned = [leg.planned for leg in self.legs]
        self.foreseen = sum(leg.portions.images(leg.planned) for leg in self.legs)
        made.train(self.legs)
        self.place = made.place

    def rates(self, leg: Leg) -> list[float]:
        """The learning rate of each step of a phase, as the run's curve has it."""
        points = [one for one in self.events if isinstance(one, Point) and one.split == "train"]
        return [one.values["learning_rate"] for one in points if one.phase == leg.index]


def strategies() -> list[Any]:
    """Every strategy that learns pictures, without target labels where it needs none."""
    several = {
        key: one
        for key, one in catalog.strategies().items()
        if not {"class names", "language"} & set(one.needs) and one.works_on != "attention"
    }
    return [pytest.param(key, 0 if one.unlabelled else None, id=key) for key, one in several.items()]


@pytest.mark.parametrize(
    "budget", [{"images": 900}, {"epochs": 12}, {"seconds": 0.15}], ids=lambda one: next(iter(one))
)
@pytest.mark.parametrize(("strategy", "labels"), strategies())
def test_every_strategy_spends_its_budget_and_ends_at_the_rate_its_schedule_says(
    monkeypatch: pytest.MonkeyPatch, strategy: str, labels: int | None, budget: dict[str, Any]
) -> None:
    asked = ASKED.but(strategy=strategy, labels_per_class=labels, **budget)
    spent = Spent(monkeypatch, asked)
    assert spent.place.images == sum(spent.images), "the budget counts what is really drawn"
    learns = any(leg.learns for leg in spent.legs)
    if "images" in budget and learns:
        assert 900 <= spent.place.images < 900 + max(spent.images)
    if "epochs" in budget and learns:
        assert sum(leg.phase.epochs for leg in spent.legs) == 12
    if "seconds" in budget:
        assert not learns or 0.15 <= spent.place.busy + 1e-6 < 0.16
    else:
        assert not learns or spent.planned == [len(spent.rates(leg)) for leg in spent.legs]
        assert not learns or spent.foreseen == spent.place.images
    for leg in spent.legs:
        rates = spent.rates(leg)
        if learns:
            assert rates[0] == pytest.approx(leg.phase.learning_rate, rel=0.01)
            assert rates == sorted(rates, reverse=True)
            one_step_before_the_end = share_of_peak("cosine", 1 - 2 / len(rates))
            assert rates[-1] < one_step_before_the_end * leg.phase.learning_rate


def test_phases_lie_one_after_another_on_the_axis_when_images_count(monkeypatch: pytest.MonkeyPatch) -> None:
    spent = Spent(monkeypatch, ASKED.but(strategy="simclr", images=2_000, options={"head": "new"}))
    began = [one for one in spent.events if isinstance(one, PhaseBegan)]
    assert [one.epoch for one in began] == [0, began[0].epochs, began[0].epochs + began[1].epochs]
    assert spent.images[0] == 16, "two views of each picture count two"


def test_the_pictures_of_a_step_by_hand() -> None:
    alone = Portions(Phase("a", 1, 1e-3), 8, 19, 53, True)
    assert [alone.of(step) for step in (0, 2, 3)] == [{"target": 8}, {"target": 3}, {"target": 8}]
    assert (alone.images(3), alone.images(4), alone.steps_for(19), alone.steps_for(20)) == (19, 27, 3, 4)
    joint = Portions(Phase("a", 1, 1e-3, source_ratio=0.5), 8, 19, 53, True)
    assert [joint.of(step) for step in (1, 2)] == [{"target": 8, "source": 4}, {"target": 3, "source": 2}]
    views = Phase("a", 1, 1e-3, unlabelled=("weak", "strong"), unlabelled_ratio=2.0, source_ratio=1.0)
    assert Portions(views, 8, 0, 53, True).of(3) == {"weak": 16, "strong": 16, "source": 8}
    assert Portions(views, 8, 5, 10, False).of(0) == {"weak": 10, "strong": 10, "target": 5}
    for images in range(1, 80):
        steps = joint.steps_for(images)
        assert joint.images(steps - 1) < images <= joint.images(steps)


def test_pages_know_how_many_epochs_images_pay_for() -> None:
    fixmatch = ASKED.but(strategy="fixmatch", labels_per_class=0, images=1_000)
    # Seven steps an epoch, each with 8 weak views, 8 strong ones and 8 pictures of the source.
    assert epochs_of(fixmatch, 0, UNLABELLED) == 6
    assert epochs_of(ASKED.but(strategy="feature_extraction", images=100), LABELLED, UNLABELLED) == 6
    assert epochs_of(ASKED.but(epochs=3), LABELLED, UNLABELLED) == 3


@pytest.mark.parametrize("budget", [{"images": 2_000}, {"epochs": 3}])
@pytest.mark.parametrize(("strategy", "labels"), [("dann", 0), ("fixmatch", 0), ("simclr", None), ("joint", None)])
def test_an_estimate_counts_the_steps_and_pictures_of_the_run(
    monkeypatch: pytest.MonkeyPatch, strategy: str, labels: int | None, budget: dict[str, int]
) -> None:
    asked = ASKED.but(strategy=strategy, labels_per_class=labels, **budget)
    spent = Spent(monkeypatch, asked)
    monkeypatch.setattr(estimating, "_phase", lambda leg: 0.0)
    monkeypatch.setattr(estimating, "_source", lambda asked, source: 0.0)
    found = estimating.estimate(asked, LABELLED if labels is None else 0, UNLABELLED)
    assert (found.steps, found.images) == (len(spent.images), sum(spent.images))
