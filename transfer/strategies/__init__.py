"""Strategies: how knowledge moves. Adding one is one new file here with a subclass of `Strategy`.

A strategy says which stages it takes over, which phases there are, what is trainable in each and at
what rate, and may add named loss terms, layers of its own, a teacher or the source's samples; the one
loop in `transfer.engine` does the rest, and every name becomes a curve.
Import Keras inside functions: the pages read this package and must stay light.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from transfer.backbones import Part
from transfer.errors import ImpossibleExperiment
from transfer.strategies.heads import HeadOptions

if TYPE_CHECKING:
    import keras

Need = Literal["weights", "source data", "source head", "same classes", "source or labels", "teacher"]
View = Literal["plain", "weak", "strong", "second"]
FAMILIES = (
    "Whole networks",
    "Part of a network",
    "Which weights move",
    "Few weights",
    "Held to the start",
    "Taught",
    "With the source",
    "Without target labels",
)


@dataclass(frozen=True)
class Outputs:
    """What a network says of a batch; arrays of the backend in use, first axis is the batch.

    Args:
        logits: shape (n, classes), float32.
        features: the backbone's output, shape (n, d).
        maps: the output of each stage by its name.
        labels: one-hot class labels, shape (n, classes), or None when it is not asked for them.
    """

    logits: Any
    features: Any
    maps: Mapping[str, Any]
    labels: Any = None

    def as_dict(self) -> dict[str, Any]:
        """Logits, features and maps by name, for Keras, which carries nothing but plain structures."""
        return {"logits": self.logits, "features": self.features, "maps": dict(self.maps)}


@dataclass(frozen=True)
class Step:
    """What a loss term sees of one batch; arrays of the backend in use, first axis is the batch.

    Args:
        labels: one-hot class labels after smoothing, shape (n, classes); None without target labels,
            and so are ``logits`` and ``features``.
        logits: the head's output, shape (n, classes), float32.
        features: the backbone's output, shape (n, d).
        weights: trainable variables by stage name, ``"head"`` included.
        start: what the stages' variables held when the run began, in the same order; the head has no entry.
        maps: the output of each stage that is not computed beforehand, by its name.
        origin: the network as it was transferred, on the same pictures, if the strategy watches it.
        teacher: the teacher on the same pictures, if the strategy has one.
        source: the network on a batch of the source, if the phase has a ``source_ratio``.
        parts: the strategy's own layers by name.
        known: what `Strategy.prepare` worked out; of `Strategy.refresh`, as it is in this epoch.
        unlabelled: the network on target samples without labels, by view, if the phase has such.
        average: the running average of the network on the same views, if the phase keeps one.
        places: which of the unlabelled samples they are, shape (n,): rows of what was refreshed.
        progress: share of the phase's steps that are done, 0 to 1.
    """

    labels: Any
    logits: Any
    features: Any
    weights: Mapping[str, list[Any]]
    start: Mapping[str, list[Any]] = field(default_factory=dict)
    maps: Mapping[str, Any] = field(default_factory=dict)
    origin: Outputs | None = None
    teacher: Outputs | None = None
    source: Outputs | None = None
    parts: Mapping[str, Any] = field(default_factory=dict)
    known: Mapping[str, Any] = field(default_factory=dict)
    unlabelled: Mapping[str, Outputs] = field(default_factory=dict)
    average: Mapping[str, Outputs] = field(default_factory=dict)
    places: Any = None
    progress: Any = 0.0


@dataclass(frozen=True)
class Term:
    """A named part of the loss beside the cross-entropy.

    Args:
        weight: factor in the sum that is minimised, >= 0; at 0 it is a curve and no more.
        value: pure function from a `Step` to a scalar, written with ``keras.ops`` only.
    """

    weight: float
    value: Callable[[Step], Any]


@dataclass(frozen=True)
class Phase:
    """A stretch of training with one set of trainable weights and one optimiser.

    Args:
        name: what happens in it, shown over the curve.
        epochs: its length, >= 1.
        learning_rate: of the head, and of a stage at rate 1.
        rates: stage name to rate relative to ``learning_rate``; a stage that is missing is frozen.
        head_rate: the head's rate relative to ``learning_rate``; 0 freezes it.
        batch_norm: ``"inference"`` keeps the statistics of trainable stages as they came, which
            saves what was learned; ``"batch"`` lets them follow the batches, for training anew; a
            tuple of names does so for these stages alone. Frozen stages always run in inference mode.
        terms: loss terms beside the cross-entropy, by the name of their curve.
        moves: of trainable stages, only the variables for which it is true: called with the layer's
            class ("Conv2D") and the variable's path ("conv1_conv/bias"). None: all.
        target_weight: factor of the target's cross-entropy; at 0 its labels are not even drawn beside
            samples without.
        source_ratio: samples of the source in each step for one of the target; 0: none.
        unlabelled: views of target samples without labels in each step: ``plain`` as they are, ``weak``
            shifted a little, ``strong`` changed much, ``second`` much in another way; empty:
            none. Where there are any, an epoch is a pass over all of them, and labelled target samples, if
            any, are drawn at random beside.
        unlabelled_ratio: how many of them in each step, relative to the batch size.
        labelled_view: of the labelled samples, the source's and the target's, that stand beside others in a step;
            ``plain`` is ``weak`` in an experiment that augments.
        part_rate: rate of the strategy's own layers relative to ``learning_rate``; None: the head's.
        running: whose samples the running statistics of batch-norm follow, in stages where they do.
        schedule: of the learning rate where the experiment leaves it constant; empty: constant.
        average: momentum of the running average of all weights, 0 to 1; 0: none is kept.
    """

    name: str
    epochs: int
    learning_rate: float
    rates: Mapping[str, float] = field(default_factory=dict)
    head_rate: float = 1.0
    batch_norm: Literal["inference", "batch"] | tuple[str, ...] = "inference"
    terms: Mapping[str, Term] = field(default_factory=dict)
    moves: Callable[[str, str], bool] | None = None
    target_weight: float = 1.0
    source_ratio: float = 0.0
    unlabelled: tuple[View, ...] = ()
    unlabelled_ratio: float = 1.0
    labelled_view: View = "plain"
    part_rate: float | None = None
    average: float = 0.0
    running: Literal["both", "target"] = "both"
    schedule: Literal["", "cosine"] = ""

    def follows(self, stage: str) -> bool:
        """Whether the stage's batch-norm statistics and dropout are at work."""
        if self.rates.get(stage, 0.0) <= 0 or self.batch_norm == "inference":
            return False
        return self.batch_norm == "batch" or stage in self.batch_norm


@dataclass(frozen=True)
class Setting:
    """What a strategy may know before it lays out its phases.

    Args:
        stages: the stage names of the network it trains, bottom to top.
        epochs: the whole budget, to be divided among the phases.
        learning_rate: the experiment's, or None when the strategy is to use its own.
        keeps_head: whether the head comes trained from the source.
        source: whether the source's samples are at hand.
    """

    stages: tuple[str, ...]
    epochs: int
    learning_rate: float | None
    keeps_head: bool
    source: bool = False


@dataclass(frozen=True)
class Shapes:
    """The sizes a strategy's own layers have to fit.

    Args:
        stages: output shape of each stage, without the batch; the last is the features'.
        teacher: the same of the teacher; empty without one.
        classes: of the target.
        source_head: the source's head as (kernel, bias), or None.
        keeps_head: whether the target's head begins as the source's.
    """

    stages: Mapping[str, tuple[int, ...]]
    teacher: Mapping[str, tuple[int, ...]]
    classes: int
    source_head: tuple[np.ndarray, np.ndarray] | None
    keeps_head: bool


@dataclass(frozen=True)
class Ready:
    """The network as a phase with terms begins, for what has to be worked out beforehand.

    Args:
        inputs: the target's labelled training samples, raw; may be empty.
        labels: their class indices, shape (n,).
        unlabelled: all of the target's training samples, raw, without their labels.
        classes: number of the target's classes.
        maps: from a few raw samples to the output of each stage, in inference mode.
        features: from raw samples, however many, to the last stage's output, shape (n, d).
        logits: from features, shape (n, d), to the head's logits, shape (n, classes).
        above: from the output of the named stage to logits, shape (n, classes), in inference mode.
        source_head: the source's head as (kernel, bias), or None.
    """

    inputs: np.ndarray
    labels: np.ndarray
    classes: int
    maps: Callable[[np.ndarray], Mapping[str, np.ndarray]]
    features: Callable[[np.ndarray], np.ndarray]
    logits: Callable[[np.ndarray], np.ndarray]
    above: Callable[[str, np.ndarray], np.ndarray]
    source_head: tuple[np.ndarray, np.ndarray] | None
    unlabelled: np.ndarray = field(default_factory=lambda: np.zeros(0))


class Strategy:
    """One way of transferring. Subclasses fill in the names and lay out the phases.

    Attributes:
        key: the method's usual name in snake_case.
        title: its name on the page.
        sentence: what it does, in one plain sentence.
        formula: what is minimised, in TeX.
        frozen: what stays frozen, in a few words for its card.
        reference: its paper, with a link.
        family: one of `FAMILIES`, under which it stands in galleries and tables.
        start: ``"pretrained"`` begins with transferred weights, ``"random"`` with new ones.
        needs: what an experiment must have beside a target for it to make sense.
        adds: what is put into the backbone's stages, in a few words; empty when nothing is.
        watches_origin: whether its terms look at the network as it was transferred.
        unlabelled: whether it learns from target samples without labels, and needs none with.
        works_on: the part of a network without which it does nothing of its own; None: any network will do.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    sentence: ClassVar[str]
    formula: ClassVar[str]
    frozen: ClassVar[str]
    reference: ClassVar[str]
    family: ClassVar[str] = "Whole networks"
    start: ClassVar[Literal["pretrained", "random"]] = "pretrained"
    needs: ClassVar[tuple[Need, ...]] = ("weights",)
    adds: ClassVar[str] = ""
    watches_origin: ClassVar[bool] = False
    unlabelled: ClassVar[bool] = False
    works_on: ClassVar[Part | None] = None

    class Options(HeadOptions):
        """This strategy."""

    options: Options

    def __init__(self, **options: Any) -> None:
        self.options = self.Options(**options)

    @property
    def keeps_head(self) -> bool:
        """Whether the source's head is taken over when the classes are the same."""
        return self.start == "pretrained" and self.options.head == "auto" and not self.options.widths

    @property
    def random_head(self) -> bool:
        """Whether a new head begins random, to pass gradients to a network that is new; else it begins at zero."""
        return self.start == "random"

    @property
    def reads_source(self) -> bool:
        """Whether the source's samples are learned from beside the target's, where there is a source."""
        return bool({"source data", "source or labels"} & set(self.needs))

    def check(self, stages: tuple[str, ...]) -> None:
        """Raises `ImpossibleExperiment` when the options do not fit a backbone of these stages."""

    def used(self, stages: tuple[str, ...]) -> tuple[str, ...]:
        """The stages that remain of the backbone, bottom to top; all, unless it is cut."""
        return stages

    def copied(self, stages: tuple[str, ...]) -> tuple[str, ...]:
        """The stages that begin with transferred weights; the others begin with new ones."""
        return stages if self.start == "pretrained" else ()

    @property
    def teacher(self) -> str:
        """Whom to learn from: a backbone's key, ``same`` for the experiment's, ``run:<id>``; empty for nobody."""
        return ""

    def rebuild(self, stages: dict[str, keras.Model]) -> dict[str, keras.Model]:
        """The stages with what is added to them; their own weights keep their order and come first."""
        return stages

    def fit_head(self, ready: Ready) -> tuple[np.ndarray, np.ndarray] | None:
        """Kernel and bias of the head where they are computed, not learned; asked as the first phase begins."""
        return None

    @property
    def rebuilds(self) -> bool:
        """Whether it changes what the stages are made of."""
        return type(self).rebuild is not Strategy.rebuild

    def parts(self, shapes: Shapes) -> dict[str, keras.layers.Layer]:
        """Layers beside network and head that its terms need; built, and trained at the head's rate."""
        return {}

    def prepare(self, ready: Ready) -> dict[str, np.ndarray]:
        """Works out what the terms need to know beforehand, when the first phase with terms begins."""
        return {}

    def refresh(self, ready: Ready) -> dict[str, np.ndarray]:
        """Works out anew, as each epoch begins, what the terms need to know of every unlabelled sample."""
        return {}

    def phases(self, setting: Setting) -> list[Phase]:
        """The phases, in order, each of one epoch or more.

        Their epochs add up to ``setting.epochs``, unless nothing is trained and one pass is enough.
        """
        raise NotImplementedError


def refuse(problem: str, received: object, remedy: str) -> ImpossibleExperiment:
    """For `Strategy.check`: what is wrong, what was received, what to do."""
    return ImpossibleExperiment(problem, str(received), remedy)
