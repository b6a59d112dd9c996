"""What a run's backbone begins with: random weights, its own, or a source that is learned first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from transfer import catalog
from transfer.datasets import Dataset
from transfer.engine.begin.job import Job
from transfer.engine.begin.source import Learned, SourceTraining
from transfer.engine.events import Event, Note, PhaseBegan, Point, Resumed
from transfer.engine.loop import device
from transfer.engine.loop.leg import Leg
from transfer.engine.loop.term_context import SourceHead
from transfer.engine.network.head import head
from transfer.engine.network.network import BLANK, Knowledge, Network
from transfer.engine.samples import splits
from transfer.engine.samples.intake import taken_in
from transfer.errors import ImpossibleExperiment


@dataclass(frozen=True)
class Origin:
    """Where a run sets out from.

    Args:
        knowledge: what the stages begin with.
        source: the source with its data, or None.
        head: the source's head, or None.
        classes: what that head tells apart; empty when that is not known.
    """

    knowledge: Knowledge
    source: tuple[Dataset, splits.Split] | None = None
    head: SourceHead | None = None
    classes: tuple[str, ...] = ()


def origin(job: Job) -> Origin | None:
    """The job's origin, its source learned now if need be; None when a wish ended that."""
    experiment, strategy, backbone = job.experiment, job.strategy, job.backbone
    if strategy.start == "random":
        return Origin(Knowledge("random weights", f"random {experiment.seed}"))
    if experiment.source is None:
        own = backbone.pretrained
        assert own is not None, "catalog.check lets no backbone without weights through"
        same = backbone.classes == catalog.dataset(experiment.target).classes
        needed = same or "source head" in strategy.needs
        head = backbone.source_head() if needed and backbone.source_head is not None else None
        return Origin(Knowledge(own.source, own.identity, own=True), head=head, classes=backbone.classes)
    source = catalog.dataset(experiment.source)
    split = job.source_split
    then = job.source_then
    training = SourceTraining(experiment, backbone, job.size, then.split if then else split.fingerprint)
    learned = training.load()
    if learned is None and then is not None and then.split != split.fingerprint:
        raise ImpossibleExperiment(
            "The network cannot be put together again: its source has changed since, and what was learned of it is no "
            "longer kept.", source.key, "Put the source back as it was, or run the experiment again.",
        )  # fmt: skip
    if learned is None:
        learned = _learn(job, training, split, source.title)
        if learned is None:
            return None
    elif not job.was_resumed:
        _replay(job, learned, source.title)
    job.provenance["data"][source.key] = split.fingerprint
    job.provenance["source"] = {"identity": learned.identity, "validation_accuracy": learned.accuracy}
    knowledge = Knowledge(source.title, learned.identity, file=learned.file)
    split = taken_in(split, backbone, job.size)
    return Origin(knowledge, (source, split), (learned.head["head/0"], learned.head["head/1"]), split.classes)


def _learn(job: Job, training: SourceTraining, split: splits.Split, title: str) -> Learned | None:
    device.fix_seeds(job.experiment.seed)
    split = taken_in(split, job.backbone, job.size)
    points: list[Point] = []

    def keep_points(event: Event) -> None:
        if isinstance(event, Point):
            points.append(event)
        _tell_ahead(job, event)

    network = Network(job.backbone, split.train.inputs.shape[1:], job.size, BLANK)
    phase = training.phase(job.backbone.stages, title)
    steps = -(-len(split.train) // training.recipe.batch_size) * phase.epochs
    top = head(len(split.classes), random=True)
    leg = Leg(0, "source", phase, split, network, top, training.recipe, keep_points, -phase.epochs, -steps)
    whole = not job.resumes(0)
    if job.train([leg]) is not None:
        return None
    assert job.place.best is not None
    # A resumed lesson lacks the points before its checkpoint: keep the weights, replay no torn curve.
    training.save(job.best_weights, points if whole else [], job.place.best.accuracy)
    job.best_weights = {}
    return training.load()


def _replay(job: Job, learned: Learned, title: str) -> None:
    words = f"{title} was learned before (validation accuracy {learned.accuracy:.1%}); its curve is shown again."
    job.emit(Note(words))
    for point in learned.points:
        _tell_ahead(job, point)


def _tell_ahead(job: Job, event: Event) -> None:
    """Events of the source, moved left by what the teacher's curve takes."""
    epochs, steps = job.ahead
    if isinstance(event, Point):
        event = replace(event, epoch=event.epoch - epochs, step=event.step - steps)
    elif isinstance(event, PhaseBegan):
        event = replace(event, epoch=event.epoch - epochs)
    elif isinstance(event, Resumed):
        event = replace(event, step=event.step - steps)
    job.emit(event)
