"""BSS: batch spectral shrinkage, which shrinks feature directions that hold only noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field

from transfer.strategies import Step, Term
from transfer.strategies.fine_tuning import FineTuning


def smallest(count: int) -> Callable[[Step], Any]:
    """The sum of the ``count`` smallest squared singular values of a batch's features, shape (n, d)."""

    def value(step: Step) -> Any:
        from keras import ops

        singular = ops.svd(ops.cast(step.features, "float32"), full_matrices=False, compute_uv=False)
        return ops.sum(ops.square(singular[-count:]))

    return value


class BSS(FineTuning):
    """Fine-tuning that shrinks the weakest directions of the features.

    Directions with small singular values are the ones that do not transfer: what a few labels seem
    to show there is noise. It misleads with batches larger than the feature width, which have no weak directions.

    Reference:
        Chen et al. 2019, Catastrophic Forgetting Meets Negative Transfer: Batch Spectral Shrinkage,
        eq. 5; eta 0.001 and k = 1 as there.
    """

    key = "bss"
    title = "Batch spectral shrinkage"
    sentence = "Fine-tuning that also shrinks the weakest directions of the features, which carry mostly noise."
    formula = r"\mathcal{L}_{target} + \eta \sum_{i=1}^{k} \sigma_{-i}^2(F),\quad F \text{ a batch's features}"
    frozen = "the backbone while a new head learns, then nothing"
    reference = "[Chen et al. 2019](https://proceedings.neurips.cc/paper/2019/hash/c6bff625bdb0393992c9d4db0c6bbe45-Abstract.html)"
    family = "Close to the source"

    class Options(FineTuning.Options):
        """Batch spectral shrinkage."""

        eta: float = Field(1e-3, ge=0, le=1e3, description="Weight of the shrinkage loss.")
        k: int = Field(1, ge=1, le=64, description="How many singular values are shrunk.")

    options: BSS.Options

    def terms(self) -> Mapping[str, Term]:
        """The smallest squared singular values."""
        return {"weak_directions": Term(self.options.eta, smallest(self.options.k))}
