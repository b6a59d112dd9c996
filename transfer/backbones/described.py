"""Cuts a network into stages by its description, so that the stages are known before anything is loaded.

The description comes from `transfer.backbones.inspect_file` in another process: the layers bottom to top, with their
weights, and which of them everything passes through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transfer.backbones.cutting import output_of
from transfer.backbones.pixels import ASSUMED, PIXELS, Range, checked
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
    """The default cut: below the classifier if the network ends with one, else at its end."""
    names, places = [layer["name"] for layer in known["layers"]], cuts(known)
    if known["classifier"] is not None:
        below = names[: names.index(known["classifier"])]
        places = [name for name in places if name in below] or places
    return places[-1]


def chosen_cut(known: Description, asked: str, named: str) -> str:
    """Where the network is cut: as requested, or the default.

    Raises:
        RequestError: it cannot be cut there; lists where it can.
    """
    cut = known.get("ends", {}).get(asked, asked) or usual_cut(known)
    if cut not in (places := cuts(known)):
        raise RequestError(f"{named} cannot be cut there.", repr(cut), f"Cut it at {', '.join(places[-8:])}.")
    return cut


def shaped(pixels: Any, known: Description) -> Any:
    """Pictures stretched for a network whose input is not square; others as they are."""
    import keras

    height, width = known.get("input", (None, None))
    if height == width:
        return pixels
    return keras.layers.Resizing(height, width, name="own_shape")(pixels)


def usual_pixels(known: Description) -> str:
    """The detected pixel range of the network; 0 to 1 if it cannot be detected."""
    if "rescales" in known:  # an older reading's description
        return "0..255" if known["rescales"] else "0..1"
    return known["pixels"] or ASSUMED


def chosen_pixels(known: Description, asked: str) -> str:
    """The pixel range: as requested, or the default.

    Raises:
        RequestError: there is no such range.
    """
    return checked(asked or usual_pixels(known), known["channels"])


def fed(known: Description, asked: str) -> str:
    """What the network is fed, as text for its card.

    Args:
        known: its description.
        asked: the requested range; empty for the default.
    """
    height, width = known.get("input", (None, None))
    shape = "" if height == width else f"{height} × {width}, "
    assumed = " (assumed: the network does not tell)" if not asked and known.get("pixels", "") is None else ""
    return f"{shape}pixels of {PIXELS[chosen_pixels(known, asked)].words}{assumed}"


def doubts(known: Description, asked: str) -> tuple[str, ...]:
    """What a run with the network must report: the pixel range if it was assumed, and what was left out.

    Args:
        known: its description.
        asked: the requested range; empty for the default.
    """
    told = bool(asked) or known.get("pixels", "") is not None
    assumed = () if told else (f"The network does not tell its pixel range: {PIXELS[ASSUMED].words} is assumed.",)
    return (*assumed, *known.get("notes", []))


def understood(known: Description) -> list[str]:
    """What was recognised, one sentence each: the network's input, pixels, classifier, and what was left out."""
    height, width = known.get("input", (known["size"], known["size"]))
    colour = "colour" if known["channels"] == 3 else "grey"
    said = [f"It reads {colour} pictures of {f'{height} × {width} pixels' if height else 'any size'}."]
    if height != width:
        said.append("Pictures are stretched to this shape.")
    words = PIXELS[usual_pixels(known)].words
    told = known.get("told")
    if told == "preprocessing":
        said.append(f"It is fed pixels of {words}: its own preprocessing expects these.")
    elif told == "statistics":
        said.append(
            f"It is fed pixels of {words}, estimated from its batch statistics. Choose another range if that is wrong."
        )
    elif told == "maker":
        said.append(f"It is fed pixels of {words}: its layers are named like Teachable Machine's, which uses these.")
    else:
        said.append(
            f"It does not tell which pixels it was trained on: {words} is assumed. If that is wrong, choose another "
            "range, or its features will be poor."
        )
    if known["classifier"] is None:
        said.append("It outputs features: nothing is left out.")
    else:
        classes = f", {known['classes']} classes" if known.get("classes") else ""
        said.append(
            f"Its classifier ({known['classifier']}{classes}) is left out; "
            f"features are the output of {usual_cut(known)}."
        )
    return said + known.get("notes", [])


def stages(kept: list[dict[str, Any]]) -> tuple[str, ...]:
    """Names of the stages that `staged` makes from these layers."""
    return tuple(f"stage{n}" for n in range(1, len(ends(kept)) + 1))


def weights(kept: list[dict[str, Any]]) -> int:
    """The number of weights of these layers."""
    return sum(layer["weights"] for layer in kept)


def ends(kept: list[dict[str, Any]]) -> list[str]:
    """Names of the layers that end the stages: at most five, evenly spaced among layers with weights that can be cut.

    The rule of `cutting` uses joins and resolutions, which needs the network itself; here the description must be
    enough, because the pages show the stages before anything is loaded.
    """
    places, heard = [], False
    for place, layer in enumerate(kept):
        heard = heard or layer["weights"] > 0
        if layer["cut"] and heard:
            places.append(place)
            heard = False
    top = len(kept) - 1
    if places and weights(kept[places[-1] + 1 :]) == 0:
        places.pop()  # the rest has no weights, so it belongs to the stage below
    places.append(top)
    step = max(1.0, len(places) / MOST_STAGES)
    chosen = [places[round((n + 1) * step) - 1] for n in range(min(MOST_STAGES, len(places)))]
    return [kept[place]["name"] for place in chosen]


def staged(
    whole: keras.Model, known: Description, cut: str, image_size: int, fed: Range = PIXELS["0..255"]
) -> list[keras.Model]:
    """The stages of a network, which share its layers; features are averaged over places or tokens.

    Args:
        whole: the network.
        known: its description.
        cut: name of the topmost layer to keep.
        image_size: height and width of the stages' input, in pixels.
        fed: the pixel range the network is fed.
    """
    import keras

    entry = keras.Input((image_size, image_size, known["channels"]), name="pixels")
    flowing = shaped(entry, known)
    if fed.blue_first:
        flowing = flowing[..., ::-1]
    if (fed.scale, fed.offset) != (1.0, 0.0):
        flowing = keras.layers.Rescaling(fed.scale, fed.offset, name="own_range")(flowing)
    stages, below = [], whole.inputs[0]
    by_name = {operation.name: operation for operation in whole.operations}
    places = ends(kept_up_to(known, cut))
    for n, name in enumerate(places, start=1):
        above = output_of(by_name[name])
        # Called on new inputs, so that the same layers can take another size than they were saved with.
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
