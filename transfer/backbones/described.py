"""Cuts a network into stages by its description, so that they are known before anything is loaded.

A description is what `transfer.backbones.inspect_file` found in another process: the layers bottom to top, with their
weights, and at which of them everything passes through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transfer.backbones.cutting import output_of
from transfer.errors import RequestError

if TYPE_CHECKING:
    import keras

Description = dict[str, Any]
MOST_STAGES = 5


def cuts(known: Description) -> list[str]:
    """Names of the layers at which the network can be cut, bottom to top."""
    return [layer["name"] for layer in known["layers"] if layer["cut"]]


def kept_up_to(known: Description, cut: str) -> list[dict[str, Any]]:
    """The layers up to the one at which it is cut, bottom to top."""
    return list(known["layers"][: [layer["name"] for layer in known["layers"]].index(cut) + 1])


def usual_cut(known: Description) -> str:
    """Below the classifier when the network ends with one, else at its end."""
    names, places = [layer["name"] for layer in known["layers"]], cuts(known)
    if known["classifier"] is not None:
        below = names[: names.index(known["classifier"])]
        places = [name for name in places if name in below] or places
    return places[-1]


def chosen_cut(known: Description, asked: str, named: str) -> str:
    """Where the network is cut: as it is asked for, or as usual when nothing is.

    Raises:
        RequestError: it cannot be cut there; names where it can.
    """
    cut = asked or usual_cut(known)
    if cut not in (places := cuts(known)):
        raise RequestError(f"{named} cannot be cut there.", repr(cut), f"It can at {', '.join(places[-8:])}.")
    return cut


def stages(kept: list[dict[str, Any]]) -> tuple[str, ...]:
    """Names of the stages that `staged` makes of these layers."""
    return tuple(f"stage{n}" for n in range(1, len(ends(kept)) + 1))


def weights(kept: list[dict[str, Any]]) -> int:
    """How many weights these layers have."""
    return sum(layer["weights"] for layer in kept)


def ends(kept: list[dict[str, Any]]) -> list[str]:
    """Names of the layers that end the stages: of those with weights, where it can be cut, at most five in even steps.

    The rule of `cutting` looks at joins and resolutions, which needs the network itself; here it has to follow from
    the description, for the pages know the stages before anything is loaded.
    """
    places, heard = [], False
    for place, layer in enumerate(kept):
        heard = heard or layer["weights"] > 0
        if layer["cut"] and heard:
            places.append(place)
            heard = False
    top = len(kept) - 1
    if places and weights(kept[places[-1] + 1 :]) == 0:
        places.pop()  # what follows has no weights: it belongs to the stage below
    places.append(top)
    step = max(1.0, len(places) / MOST_STAGES)
    chosen = [places[round((n + 1) * step) - 1] for n in range(min(MOST_STAGES, len(places)))]
    return [kept[place]["name"] for place in chosen]


def staged(
    whole: keras.Model, known: Description, cut: str, image_size: int, scale: Any = 1.0, offset: Any = 0.0
) -> list[keras.Model]:
    """The stages of a network, which share its layers; features are averaged over places or tokens.

    Args:
        whole: the network that is described.
        known: its description.
        cut: name of the highest layer that is kept.
        image_size: height and width it is fed, in pixels.
        scale: what pixels of 0 to 255 are multiplied by first, one number or one a channel.
        offset: what is then added.
    """
    import keras

    entry = keras.Input((image_size, image_size, known["channels"]), name="pixels")
    plain = scale == 1 and offset == 0
    flowing = entry if plain else keras.layers.Rescaling(scale, offset, name="own_range")(entry)
    stages, below = [], whole.inputs[0]
    by_name = {operation.name: operation for operation in whole.operations}
    places = ends(kept_up_to(known, cut))
    for n, name in enumerate(places, start=1):
        above = output_of(by_name[name])
        # Called on new inputs, so that the same layers may be fed another size than they were saved with.
        flowing = keras.Model(below, above)(flowing)
        if name == places[-1]:
            if len(flowing.shape) == 4:
                flowing = keras.layers.GlobalAveragePooling2D(name="mean")(flowing)
            elif len(flowing.shape) == 3:
                flowing = keras.layers.GlobalAveragePooling1D(name="mean")(flowing)
        stages.append(keras.Model(entry, flowing, name=f"stage{n}"))
        below, entry = above, keras.Input(flowing.shape[1:])
        flowing = entry
    return stages
