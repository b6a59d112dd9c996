"""Attention transfer: the student looks where the teacher looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from transfer.strategies import Step, Term
from transfer.strategies.taught import Taught, counterpart, pictures_of, teacher_of


def attention_map(maps: Any, rows: int, columns: int) -> Any:
    """Where a stage is active: the mean square over channels, resized, of unit norm; shape (n, rows * columns)."""
    from keras import ops

    seen = ops.mean(ops.square(ops.cast(maps, "float32")), axis=-1, keepdims=True)
    if tuple(seen.shape[1:3]) != (rows, columns):
        seen = ops.image.resize(seen, (rows, columns), interpolation="bilinear")
    flat = ops.reshape(seen, (-1, rows * columns))
    # Not ops.norm, which has no gradient where a picture activates nothing in the stage.
    return flat * ops.rsqrt(ops.sum(ops.square(flat), axis=1, keepdims=True) + 1e-12)


def attention_gap(step: Step) -> Any:
    """Mean squared difference of attention maps, summed over stages of equal depth; 0 when they agree."""
    from keras import ops

    told, heard = teacher_of(step).maps, step.maps
    mine, theirs = pictures_of(heard), pictures_of(told)
    total = ops.zeros(())
    for place, name in enumerate(mine if theirs else []):
        other = told[theirs[counterpart(place, len(mine), len(theirs))]]
        rows, columns = (min(one, two) for one, two in zip(heard[name].shape[1:3], other.shape[1:3], strict=True))
        apart = attention_map(heard[name], rows, columns) - attention_map(other, rows, columns)
        total = total + ops.mean(ops.square(apart))
    return total


class AttentionTransfer(Taught):
    """The student learns where in the picture to be active, at every depth.

    It misleads across architectures: stages of equal depth need not look at the same things, and
    the figures in METHODS show it losing there. Without rows and columns there is nothing to teach.

    Reference:
        Zagoruyko & Komodakis 2017, Paying More Attention to Attention, eq. 2 (activation-based, p = 2);
        weight 1000 on the mean, as in RepDistiller.
    """

    key = "attention_transfer"
    title = "Attention transfer"
    sentence = "The student is trained to attend where the teacher attends, at every depth."
    formula = (
        r"\mathcal{L}_{target} + \beta \sum_j \Big\lVert \tfrac{Q_s^j}{\lVert Q_s^j \rVert}"
        r" - \tfrac{Q_t^j}{\lVert Q_t^j \rVert} \Big\rVert^2"
    )
    frozen = "the teacher; the student's backbone while a new head learns"
    reference = "[Zagoruyko & Komodakis 2017](https://arxiv.org/abs/1612.03928)"
    works_on = "maps"

    class Options(Taught.Options):
        """Attention transfer."""

        beta: float = Field(1000.0, ge=0, le=1e7, description="Weight of the attention loss.")

    options: AttentionTransfer.Options

    def terms(self) -> Mapping[str, Term]:
        """The gap between the two attention maps."""
        return {"attention": Term(self.options.beta, attention_gap)}
