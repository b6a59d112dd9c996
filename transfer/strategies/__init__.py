"""Strategies: how knowledge is transferred. To add one, add a file here with a subclass of `Strategy`.

A strategy says which stages it copies, which phases it has, and what each phase trains at what learning rate. It may
add named loss terms, layers of its own, a teacher, or samples of the source. The training loop in `transfer.engine`
does the rest and plots every named term as a curve.
Import Keras inside functions: the pages import this package and must stay light.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from transfer.backbones import Part
from transfer.errors import ImpossibleExperiment
from transfer.strategies.heads import HeadOptions

if TYPE_CHECKING:
    import keras

Need = Literal[
    "weights", "source data", "source head", "same classes", "source or labels", "teacher", "class names", "language"
]  # fmt: skip
View = Literal["plain", "weak", "strong", "second", "language"]
FAMILIES = (
    "Whole networks",
    "Part of a network",
    "Which weights are trained",
    "Few trainable weights",
    "Close to the source",
    "With a teacher",
    "With source data",
    "Without target labels",
)


@dataclass(frozen=True)
class Outputs:
    """A network's outputs for a batch: arrays of the backend in use, batch axis first.

    Args:
        logits: shape (n, classes), float32.
        features: the backbone's output, shape (n, d).
        maps: the output of each stage by its name.
        labels: one-hot class labels, shape (n, classes), or None when they are not requested.
    """

    logits: Any
    features: Any
    maps: Mapping[str, Any]
    labels: Any = None

    def as_dict(self) -> dict[str, Any]:
        """Logits, features and maps by name, as the plain structure that Keras requires."""
        return {"logits": self.logits, "features": self.features, "maps": dict(self.maps)}


@dataclass(frozen=True)
class Step:
    """What a loss term receives for one batch: arrays of the backend in use, batch axis first.

    Args:
        labels: one-hot class labels after smoothing, shape (n, classes); None without target labels,
            as are ``logits`` and ``features``.
        logits: the head's output, shape (n, classes), float32.
        features: the backbone's output, shape (n, d).
        weights: trainable variables by stage name, ``"head"`` included.
        start: the stages' variables as they were when the run began, in the same order; no entry for the head.
        maps: the output of each stage by its name, except stages that are computed in advance.
        origin: the outputs of the network as transferred, on the same pictures, if the strategy compares with it.
        teacher: the teacher's outputs on the same pictures, if the strategy has one.
        source: the network's outputs on a source batch, if the phase has a ``source_ratio``.
        parts: the strategy's own layers by name.
        known: what `Strategy.prepare` computed, and what `Strategy.refresh` computed for this epoch.
        unlabelled: the network's outputs on unlabelled target samples, by view, if the phase uses any.
        average: the outputs of the network's running average on the same views, if the phase keeps one.
        places: the indices of the unlabelled samples, shape (n,): rows of what `Strategy.refresh` returned.
        progress: share of the phase's steps that are done, 0 to 1.
        asked: of the view ``language``, the places in each text and the tokens to be guessed there, int32, shape
            (n, k, 2); token 0 asks nothing.
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
    asked: Any = None


@dataclass(frozen=True)
class Term:
    """A named loss term, added to the cross-entropy.

    Args:
        weight: factor in the sum that is minimised, >= 0; at 0 the term is only plotted.
        value: pure function from a `Step` to a scalar, written with ``keras.ops`` only.
    """

    weight: float
    value: Callable[[Step], Any]


@dataclass(frozen=True)
class Phase:
    """A stretch of training with one set of trainable weights and one optimiser.

    Args:
        name: what happens in it, shown above the curve.
        epochs: its length, >= 1.
        learning_rate: of the head, and of a stage at rate 1.
        rates: stage name to rate relative to ``learning_rate``; stages that are missing are frozen.
        head_rate: the head's rate relative to ``learning_rate``; 0 freezes it.
        batch_norm: ``"inference"`` keeps the transferred statistics of trainable stages, which preserves what was
            learned; ``"batch"`` updates them from the batches, for training from scratch; a tuple of names does so
            for these stages only. Frozen stages always run in inference mode.
        terms: loss terms added to the cross-entropy, by the name of their curve.
        moves: which variables of trainable stages are trained: called with the layer's
            class ("Conv2D") and the variable's path ("conv1_conv/bias"). None: all.
        target_weight: factor of the target's cross-entropy; at 0, phases with unlabelled samples do not even draw
            labelled ones.
        source_ratio: source samples per target sample in each step; 0: none.
        unlabelled: views of the unlabelled target samples in each step: ``plain`` (unchanged), ``weak`` (slightly
            shifted), ``strong`` (heavily changed), ``second`` (heavily changed in another way), ``language`` (as the
            backbone's language model is trained); empty: none. If there are any, an epoch is one pass over all of them,
            and labelled target samples, if any, are drawn at random alongside.
        unlabelled_ratio: how many of them in each step, relative to the batch size.
        labelled_view: view of the labelled source and target samples that are drawn alongside others in a step;
            with augmentation, ``plain`` becomes ``weak``.
        part_rate: rate of the strategy's own layers relative to ``learning_rate``; None: the head's.
        running: whose samples update the running batch-norm statistics, in stages where they are updated.
        schedule: learning-rate schedule if the experiment keeps the rate constant; empty: constant.
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
        """Whether the stage's batch-norm statistics are updated and its dropout is active."""
        if self.rates.get(stage, 0.0) <= 0 or self.batch_norm == "inference":
            return False
        return self.batch_norm == "batch" or stage in self.batch_norm


@dataclass(frozen=True)
class Setting:
    """What a strategy knows when it defines its phases.

    Args:
        stages: the stage names of the network it trains, bottom to top.
        epochs: the whole budget, to be divided among the phases.
        learning_rate: the experiment's, or None if the strategy should use its own.
        keeps_head: whether the source's trained head is kept.
        source: whether the source's samples are available.
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
        stages: output shape of each stage, without the batch axis; the last is that of the features.
        teacher: the same for the teacher; empty without one.
        classes: number of the target's classes.
        source_head: the source's head as (kernel, bias), or None.
        keeps_head: whether the target's head starts as the source's.
    """

    stages: Mapping[str, tuple[int, ...]]
    teacher: Mapping[str, tuple[int, ...]]
    classes: int
    source_head: tuple[np.ndarray, np.ndarray] | None
    keeps_head: bool


@dataclass(frozen=True)
class Ready:
    """The network at the start of a phase with terms, for what has to be computed in advance.

    Args:
        inputs: the target's labelled training samples, raw; may be empty.
        labels: their class indices, shape (n,).
        unlabelled: all of the target's training samples, raw, without their labels.
        classes: number of the target's classes.
        maps: from a few raw samples to the output of each stage, in inference mode.
        features: from any number of raw samples to the last stage's output, shape (n, d).
        logits: from features, shape (n, d), to the head's logits, shape (n, classes).
        above: from the output of the named stage to logits, shape (n, classes), in inference mode.
        source_head: the source's head as (kernel, bias), or None.
        names: of the classes, in label order; empty for one that is left out.
        read: from texts to the last stage's output, shape (n, d); None for a backbone that reads none.
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
    names: tuple[str, ...] = ()
    read: Callable[[Sequence[str]], np.ndarray] | None = None


class Strategy:
    """One way to transfer. Subclasses set the attributes and define the phases.

    Attributes:
        key: the method's usual name in snake_case.
        title: its name on the page.
        sentence: what it does, in one plain sentence.
        formula: what is minimised, in TeX.
        frozen: what stays frozen, in a few words for its card.
        reference: its paper, with a link.
        family: one of `FAMILIES`, its heading in galleries and tables.
        start: ``"pretrained"`` starts from transferred weights, ``"random"`` from random ones.
        needs: what an experiment must provide besides a target.
        adds: what it adds to the backbone's stages, in a few words; empty: nothing.
        watches_origin: whether its terms compare with the network as transferred.
        unlabelled: whether it learns from unlabelled target samples and needs no labelled ones.
        works_on: the part of a network without which it has no effect of its own; None: it works on any network.
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
        """Whether the source's head is kept when the classes are the same."""
        return self.start == "pretrained" and self.options.head == "auto" and not self.options.widths

    @property
    def random_head(self) -> bool:
        """Whether a new head starts random, so that gradients reach a random network; otherwise it starts at zero."""
        return self.start == "random"

    @property
    def reads_source(self) -> bool:
        """Whether it also trains on the source's samples, if there is a source."""
        return bool({"source data", "source or labels"} & set(self.needs))

    def check(self, stages: tuple[str, ...]) -> None:
        """Raises `ImpossibleExperiment` when the options do not fit a backbone with these stages."""

    def used(self, stages: tuple[str, ...]) -> tuple[str, ...]:
        """The stages of the backbone that are used, bottom to top; all, unless it is cut."""
        return stages

    def copied(self, stages: tuple[str, ...]) -> tuple[str, ...]:
        """The stages that start from transferred weights; the others start from random ones."""
        return stages if self.start == "pretrained" else ()

    @property
    def teacher(self) -> str:
        """The teacher: a backbone's key, ``same`` for the experiment's backbone, or ``run:<id>``; empty: none."""
        return ""

    def rebuild(self, stages: dict[str, keras.Model]) -> dict[str, keras.Model]:
        """The stages with the strategy's additions; their original weights keep their order."""
        return stages

    def rebuild_for(
        self,
        stages: dict[str, keras.Model],
        names: tuple[str, ...],
        read: Callable[[Sequence[str]], np.ndarray],
    ) -> dict[str, keras.Model]:
        """`rebuild`, and what it adds begins with what the target is about; by default nothing of that is used.

        Args:
            stages: as for `rebuild`.
            names: of the target's classes, in label order.
            read: from texts to what the first stage takes; only for a backbone that reads texts.
        """
        return self.rebuild(stages)

    def fit_head(self, ready: Ready) -> tuple[np.ndarray, np.ndarray] | None:
        """Kernel and bias of a head that is computed, not trained; called when the first phase begins."""
        return None

    @property
    def rebuilds(self) -> bool:
        """Whether it changes the layers of the stages."""
        return type(self).rebuild is not Strategy.rebuild

    def parts(self, shapes: Shapes) -> dict[str, keras.layers.Layer]:
        """Extra layers that its terms need, already built; they are trained at the head's rate."""
        return {}

    def prepare(self, ready: Ready) -> dict[str, np.ndarray]:
        """Computes in advance what the terms need, when the first phase with terms begins."""
        return {}

    def refresh(self, ready: Ready) -> dict[str, np.ndarray]:
        """Recomputes, when each epoch begins, what the terms need for every unlabelled sample."""
        return {}

    def phases(self, setting: Setting) -> list[Phase]:
        """The phases, in order, each of one epoch or more.

        Their epochs add up to ``setting.epochs``, unless nothing is trained and one pass is enough.
        """
        raise NotImplementedError


def refuse(problem: str, received: object, remedy: str) -> ImpossibleExperiment:
    """For `Strategy.check`: what is wrong, what was received, what to do."""
    return ImpossibleExperiment(problem, str(received), remedy)
