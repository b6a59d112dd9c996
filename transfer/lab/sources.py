"""Whether a source has already been trained on, so that a run can start on the target at once. Needs no engine."""

from __future__ import annotations

from sqlalchemy import select

from transfer import catalog, settings
from transfer.experiment import Experiment
from transfer.lab.records import runs
from transfer.lab.store import Store

# The fields that a network trained on a source depends on; all others concern the target.
MATTERS = ("source", "source_epochs", "backbone", "seed", "precision")
LOOKED_THROUGH = 200


def learned(store: Store, experiment: Experiment) -> bool:
    """Whether a tested run has trained on the same source, and the result is still stored.

    It tells what an estimate may leave out. It misleads if the user's pictures have changed: they are learned again.
    """
    if experiment.source is None or not any(settings.cache("sources").glob("*.npz")):
        return False
    asked = runs.c.experiment
    chosen = (
        select(asked)
        .where(runs.c.state.in_(("finished", "stopped")), asked["source"].as_string() == experiment.source)
        .where(asked["backbone"].as_string() == experiment.backbone)
        .order_by(runs.c.created.desc())
        .limit(LOOKED_THROUGH)
    )
    with store.begin() as database:
        found = database.execute(chosen).scalars().all()
    network = catalog.backbones().get(experiment.backbone)
    usual = network.size if network else None
    wanted = _what_matters(experiment.model_dump(mode="json"), usual)
    return any(_begins_with_it(one) and _what_matters(one, usual) == wanted for one in found)


def _what_matters(fields: dict[str, object], usual: object) -> list[object]:
    sizes = fields.get("image_size"), *dict(fields.get("intake") or {}).values()  # type: ignore[call-overload]  # JSON
    return [*(fields.get(name) for name in MATTERS), next(filter(None, sizes), usual)]


def _begins_with_it(fields: dict[str, object]) -> bool:
    strategy = catalog.strategies().get(str(fields.get("strategy")))
    return strategy is not None and strategy.start != "random"
