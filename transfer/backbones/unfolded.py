"""A network as one flat graph of its layers: no nested networks, and nothing stored outside the layers' settings.

Networks may be nested: a base in a Sequential in a model. Flat ones can be cut, described and trained layer by layer.
Every layer is recreated from its settings and given its weights. An adapted Normalization keeps its mean and
variance beside its weights, where neither `set_weights` nor `clone_model` copies them; here it gets them as
settings, which every copy has.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import keras

# These change pictures only in training; the lab has its own option for this.
VARYING = ("Random", "Rand", "MixUp", "CutMix", "AugMix")
ACTS_ALWAYS = ("RandomCrop",)


class Unfolded(NamedTuple):
    """A flat network, and what became of the original's parts.

    Args:
        network: one float32 input; one output, the first of the original.
        ends: the name of the last layer of each network nested in it, by that network's name.
        left_out: kinds of the omitted layers, which augment pictures in training.
        twice: names of layers with weights that were used in several places and are now independent copies.
    """

    network: keras.Model
    ends: dict[str, str]
    left_out: list[str]
    twice: list[str]


def unfolded(loaded: keras.Model) -> Unfolded:
    """The flat network; in inference, its outputs equal those of the loaded one.

    Args:
        loaded: functional, or a built Sequential; with one input.
    """
    import keras

    work = _Work(loaded.name)
    given = keras.Input(batch_shape=loaded.inputs[0].shape, dtype="float32", name=work.name("pixels", ""))
    made = keras.tree.flatten(work.through(loaded, given))
    return Unfolded(keras.Model(given, made[0], name=loaded.name), work.ends, work.left_out, work.twice)


class _Work:
    """Copies layers one after another, each under a unique name."""

    def __init__(self, outermost: str) -> None:
        self.outermost = outermost
        self.taken: set[str] = set()
        self.copied: set[int] = set()
        self.ends: dict[str, str] = {}
        self.left_out: list[str] = []
        self.twice: list[str] = []

    def through(self, network: Any, given: Any) -> Any:
        """The network's output for this input, computed by copies of its layers."""
        whole = getattr(network, "_functional", None) or network
        made = whole._run_through_graph(given, operation_fn=lambda one: self._copy(one, network.name))
        history = getattr(made, "_keras_history", None)
        if history is not None and network.name != self.outermost:
            self.ends[network.name] = history.operation.name
        return made

    def name(self, wanted: str, inside: str) -> str:
        """That name, or if it is taken, one with the nested network's name as a prefix."""
        name, n = wanted, 1
        while name in self.taken:
            name, n = f"{inside}_{wanted}" if n == 1 else f"{inside}_{wanted}_{n}", n + 1
        self.taken.add(name)
        return name

    def _copy(self, operation: Any, inside: str) -> Any:
        """The operation's replacement in the flat graph: a nested network's layers, nothing, or its copy."""
        import keras

        if isinstance(operation, keras.Model):
            return lambda *given, **named: self.through(operation, given[0])
        if isinstance(operation, keras.layers.Pipeline):
            steps = [self._copy(layer, operation.name) for layer in operation.layers]
            return lambda *given, **named: functools.reduce(lambda flowing, step: step(flowing), steps, given[0])
        kind = type(operation).__name__
        if kind.startswith(VARYING) and kind not in ACTS_ALWAYS:
            self.left_out.append(kind)
            return lambda *given, **named: given[0]
        if getattr(operation, "weights", None) and id(operation) in self.copied:
            self.twice.append(operation.name)
        self.copied.add(id(operation))
        copy = type(operation).from_config(_settings(operation) | {"name": self.name(operation.name, inside)})

        def called(*given: Any, **named: Any) -> Any:
            # Whether batch statistics are used is decided by the lab, in the same way for every network.
            named.pop("training", None)
            made = copy(*given, **named)
            if getattr(copy, "weights", None):
                copy.set_weights(operation.get_weights())
            return made

        return called


def _settings(operation: Any) -> dict[str, Any]:
    """Its settings, including the values found by `adapt`."""
    import keras

    settings: dict[str, Any] = operation.get_config()
    if isinstance(operation, keras.layers.Normalization) and operation.input_mean is None:
        settings["mean"] = keras.ops.convert_to_numpy(operation.adapt_mean).tolist()
        settings["variance"] = keras.ops.convert_to_numpy(operation.adapt_variance).tolist()
    return settings
