"""Relational distillation: pictures that the teacher finds similar become similar for the student."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from transfer.strategies import Step, Term
from transfer.strategies.taught import Taught, teacher_of

TINY = 1e-12


def huber(apart: Any) -> Any:
    """Mean Huber loss: half the square below 1, linear above."""
    from keras import ops

    size = ops.abs(apart)
    return ops.mean(ops.where(size < 1, 0.5 * ops.square(size), size - 0.5))


def distances(features: Any) -> Any:
    """Euclidean distances within a batch, divided by their mean, shape (n, n); independent of scale."""
    from keras import ops

    features = ops.cast(features, "float32")
    squares = ops.sum(ops.square(features[:, None] - features[None]), axis=-1)
    # The square root has no gradient at 0, the distance of a picture from itself.
    apart = ops.where(squares > TINY, ops.sqrt(ops.maximum(squares, TINY)), 0.0)
    count = ops.cast(ops.sum(ops.cast(squares > TINY, "int32")), "float32")
    return apart / (ops.sum(apart) / ops.maximum(count, 1.0) + TINY)


def angles(features: Any) -> Any:
    """Cosines of the angles that every three pictures form, shape (n, n, n)."""
    from keras import ops

    features = ops.cast(features, "float32")
    towards = features[None] - features[:, None]
    squares = ops.sum(ops.square(towards), axis=-1, keepdims=True)
    unit = ops.where(squares > TINY, towards / ops.sqrt(ops.maximum(squares, TINY)), 0.0)
    return ops.matmul(unit, ops.transpose(unit, (0, 2, 1)))


def distance_gap(step: Step) -> Any:
    """How much student and teacher differ in the distances between the batch's pictures."""
    return huber(distances(step.features) - distances(teacher_of(step).features))


def angle_gap(step: Step) -> Any:
    """How much student and teacher differ in the angles between the batch's pictures."""
    return huber(angles(step.features) - angles(teacher_of(step).features))


class Relational(Taught):
    """Teaches not where a picture lies but how pictures lie relative to one another.

    Student and teacher may have features of different width. It misleads with small batches, in
    which there are few relations.

    Reference:
        Park et al. 2019, Relational Knowledge Distillation, eq. 6 and 8; weights 25 and 50 as in
        RepDistiller.
    """

    key = "relational"
    title = "Relational distillation"
    sentence = "Pictures that the teacher finds similar become similar for the student."
    formula = (
        r"\mathcal{L}_{target} + \lambda_D\, \ell_\delta(\psi_D^t, \psi_D^s)"
        r" + \lambda_A\, \ell_\delta(\psi_A^t, \psi_A^s)"
    )
    frozen = "the teacher; the student's backbone while a new head learns"
    reference = "[Park et al. 2019](https://arxiv.org/abs/1904.05068)"

    class Options(Taught.Options):
        """Relational distillation."""

        distance: float = Field(25.0, ge=0, le=1e6, description="Weight of the distances between two pictures.")
        angle: float = Field(50.0, ge=0, le=1e6, description="Weight of the angles between three pictures.")

    options: Relational.Options

    def terms(self) -> Mapping[str, Term]:
        """The two gaps, each with its own curve."""
        return {
            "distance_gap": Term(self.options.distance, distance_gap),
            "angle_gap": Term(self.options.angle, angle_gap),
        }
