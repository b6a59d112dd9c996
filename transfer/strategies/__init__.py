"""Strategies: how knowledge moves. Adding one is one new file here with a subclass of `Strategy`.

A strategy says which phases there are, what is trainable in each and at what rate, and may add
named loss terms; the one loop in `transfer.engine` does the rest, and every name becomes a curve.
Import Keras inside functions: the pages read this package and must stay light.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from transfer import experiment


@dataclass(frozen=True)
class Step:
    """What a loss term sees of one batch; arrays of the backend in use, first axis is the batch.

    Args:
        labels: one-hot class labels after smoothing, shape (n, classes).
        logits: the head's output, shape (n, classes), float32.
        features: the backbone's output, shape (n, d).
        weights: trainable variables by stage name, ``"head"`` included.
    """

    labels: Any
    logits: Any
    features: Any
    weights: Mapping[str, list[Any]]


@dataclass(frozen=True)
class Term:
    """A named part of the loss beside the cross-entropy.

    Args:
        weight: factor in the sum that is minimised, >= 0.
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
            saves what was learned; ``"batch"`` lets them follow the batches, for training anew.
            Frozen stages always run in inference mode.
        terms: loss terms beside the cross-entropy, by the name of their curve.
    """

    name: str
    epochs: int
    learning_rate: float
    rates: Mapping[str, float] = field(default_factory=dict)
    head_rate: float = 1.0
    batch_norm: Literal["inference", "batch"] = "inference"
    terms: Mapping[str, Term] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """What a strategy may know before it lays out its phases.

    Args:
        stages: the backbone's stage names, bottom to top.
        epochs: the whole budget, to be divided among the phases.
        learning_rate: the experiment's, or None when the strategy is to use its own.
        keeps_head: whether the head comes trained from the source.
    """

    stages: tuple[str, ...]
    epochs: int
    learning_rate: float | None
    keeps_head: bool


class Strategy:
    """One way of transferring. Subclasses fill in the names and lay out the phases.

    Attributes:
        key: the method's usual name in snake_case.
        title: its name on the page.
        sentence: what it does, in one plain sentence.
        formula: what is minimised, in TeX.
        frozen: what stays frozen, in a few words for its card.
        reference: its paper, with a link.
        start: ``"pretrained"`` begins with transferred weights, ``"random"`` with new ones.
        keeps_head: whether it takes over the source's head when the classes are the same.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    sentence: ClassVar[str]
    formula: ClassVar[str]
    frozen: ClassVar[str]
    reference: ClassVar[str]
    start: ClassVar[Literal["pretrained", "random"]] = "pretrained"

    class Options(experiment.Options):
        """This strategy."""

    def __init__(self, **options: Any) -> None:
        self.options = self.Options(**options)

    @property
    def keeps_head(self) -> bool:
        """Whether the source's head is taken over when the classes are the same."""
        return False

    def phases(self, setting: Setting) -> list[Phase]:
        """The phases, in order; their epochs add up to ``setting.epochs``."""
        raise NotImplementedError
