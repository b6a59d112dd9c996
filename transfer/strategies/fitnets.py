"""FitNets: a middle stage learns to reproduce the teacher's middle stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from transfer.strategies import Phase, Setting, Shapes, Step, Term
from transfer.strategies.taught import Taught, counterpart, teacher_of

if TYPE_CHECKING:
    import keras


def hint_distance(step: Step) -> Any:
    """Mean squared difference between the student's regressed middle stage and the teacher's."""
    from keras import ops

    told, heard = teacher_of(step).maps, step.maps
    guided, hint = _middle(list(heard)), _middle(list(told))
    mapped = step.parts["regressor"](ops.cast(heard[guided], "float32"))
    target = ops.cast(told[hint], "float32")
    if len(target.shape) > len(mapped.shape):
        target = ops.mean(target, axis=(1, 2))
    elif len(target.shape) == 4 and tuple(mapped.shape[1:3]) != tuple(target.shape[1:3]):
        mapped = ops.image.resize(mapped, target.shape[1:3], interpolation="bilinear")
    return ops.mean(ops.square(mapped - target))


def _middle(stages: list[str]) -> str:
    return stages[counterpart(0, 2, len(stages))]


class FitNets(Taught):
    """The teacher's intermediate features are the hint.

    A regressor maps the student's channels to the teacher's, so their numbers may differ.
    It misleads when the student is too narrow to reproduce the teacher's features.

    Reference:
        Romero et al. 2015, FitNets, eq. 3; together with the labels and with weight 100, as in RepDistiller.
        The paper first trains the regressor and the lower stages, without labels; here the student is
        already trained, so only the regressor comes first.
    """

    key = "fitnets"
    title = "FitNets"
    sentence = "A middle stage is trained to reproduce the features of the teacher's middle stage."
    formula = r"\mathcal{L}_{target} + \beta\, \lVert r(f_s^{mid}(x)) - f_t^{mid}(x) \rVert^2"
    frozen = "the teacher; the student's backbone while a new head learns"
    reference = "[Romero et al. 2015](https://arxiv.org/abs/1412.6550)"

    class Options(Taught.Options):
        """FitNets."""

        beta: float = Field(100.0, ge=0, le=1e6, description="Weight of the hint loss.")

    options: FitNets.Options

    def parts(self, shapes: Shapes) -> dict[str, keras.layers.Layer]:
        """The regressor: 1 x 1 convolutions where there are rows and columns."""
        import keras

        student = shapes.stages[_middle(list(shapes.stages))]
        teacher = shapes.teacher[_middle(list(shapes.teacher))]
        layers: list[keras.layers.Layer] = [keras.Input(student)]
        if len(student) > len(teacher):
            layers.append(keras.layers.GlobalAveragePooling2D())
        # With equal widths it starts as the identity: a random one would first wreck the student's stage.
        begin = "identity" if student[-1] == teacher[-1] else "glorot_uniform"
        dense = keras.layers.Dense(teacher[-1], kernel_initializer=begin)
        return {"regressor": keras.Sequential([*layers, dense], name="regressor")}

    def phases(self, setting: Setting) -> list[Phase]:
        """The regressor is trained first, with a new head, while the student is frozen; then all together."""
        probe = self.probe(setting.epochs)
        rate = setting.learning_rate or 1e-3
        fine = self.fine(setting, setting.epochs - probe, rate * self.options.fine_rate)
        if not probe:
            return [fine]
        return [Phase("train the regressor", probe, rate, terms=self.terms()), fine]

    def terms(self) -> Mapping[str, Term]:
        """The distance to the hint."""
        return {"hint": Term(self.options.beta, hint_distance)}
