"""KerasHub's networks by the name of their preset: ``hub:resnet_18_imagenet``, ``hub:bert_tiny_en_uncased``.

Those for pictures are here, those for texts in `hub_text`.
The library (keras-hub) is optional, because it takes 240 MB with TensorFlow Text. It is queried about a preset
in a separate process, because the pages must not import TensorFlow, and the answer is cached. It downloads from Kaggle,
resumes interrupted downloads and uses no file whose checksum is wrong.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transfer import settings
from transfer.backbones import Backbone, Family, Pretrained, hub_rebuilt, hub_text
from transfer.backbones.described import Description, chosen_cut, kept_up_to, staged, stages, weights
from transfer.backbones.hub_fetch import PREFIX, by_hand, fetching, first_line
from transfer.backbones.pixels import Range
from transfer.errors import RequestError, UnknownKey
from transfer.separate_process import asked

if TYPE_CHECKING:
    import keras

NAME = re.compile(r"[a-z0-9_]+")
INSTALL = "Install it once: pip install 'keras-hub>=0.32,<0.33'."
USUAL_SIZE, SMALLEST = 224, 32
LAYOUT = 1
_SECONDS = 300


def open_(rest: str) -> Backbone:
    """The network of that preset as a backbone; ``@cut=<layer>`` after it leaves out everything above that layer.

    Raises:
        RequestError: the library is not installed or has no such network, or it cannot be cut there.
        DownloadFailed: the library's description of it could not be fetched.
    """
    preset, at, cut = rest.partition("@cut=")
    known = description(preset)
    if known.get("kind") == hub_text.KIND:
        return hub_text.backbone(rest, preset, cut, known)
    cut = chosen_cut(known, cut, preset)
    kept, size = kept_up_to(known, cut), known["size"]
    return Backbone(
        key=f"{PREFIX}:{rest}",
        title=f"{preset} (KerasHub)" + (f" up to {cut}" if at else ""),
        summary=known["summary"],
        parameters=weights(kept),
        stages=stages(kept),
        size=size or known["usual_size"],
        smallest=size or SMALLEST,
        largest=size,
        channels=known["channels"],
        licence="code Apache-2.0 (KerasHub), weights: see their page",
        reference=f"https://www.kaggle.com/models/{known['handle']}",
        preprocessing="by KerasHub's image converter" if known["scale"] else "pixels as they are",
        build=functools.partial(_build, preset=preset, cut=cut),
        pretrained=Pretrained(
            source="ImageNet" if "imagenet" in preset else "KerasHub's",
            origin=f"kaggle.com/models/{known['handle']}",
            identity=f"{known['handle']} {cut}",
            load=functools.partial(_load, preset=preset, cut=cut),
            download_mb=known["megabytes"],
        ),
    )


def description(preset: str) -> Description:
    """The description of the preset; the first call queries the library (about ten seconds, needs a connection)."""
    if not NAME.fullmatch(preset):
        raise RequestError(
            "This is not a name of a KerasHub preset.", repr(preset),
            "Write hub:resnet_18_imagenet or hub:bert_tiny_en_uncased, say.",
        )  # fmt: skip
    try:
        found: Description = json.loads(_kept(preset).read_text())
    except (FileNotFoundError, ValueError):
        if importlib.util.find_spec("keras_hub") is None:
            raise RequestError("KerasHub is not installed.", f"{PREFIX}:{preset}", INSTALL) from None
        found = asked(__name__, "facts", preset, _SECONDS)
        if "refused" in found:
            raise RequestError(*found["refused"]) from None
        _kept(preset).write_text(json.dumps(found))
    return found


def _kept(preset: str) -> Path:
    return settings.cache("hub") / f"{LAYOUT}-{preset}.json"


def facts(preset: str) -> Description:
    """The library's description of a preset; called in a separate process.

    Raises:
        RequestError: there is no such preset, it reads neither pictures nor texts alone, or it cannot be reached.
    """
    import keras
    import keras_hub

    from transfer.backbones.inspect_file import describe, reads_pictures

    builtin = keras_hub.models.Backbone.presets
    if preset not in builtin:
        raise UnknownKey("KerasHub preset", preset, builtin)
    about = builtin[preset]
    has_words = preset in keras_hub.models.Tokenizer.presets
    if has_words:
        hub_text.refuse_if_large(preset, about["metadata"]["params"])
    try:
        backbone = keras_hub.models.Backbone.from_preset(preset, load_weights=False)
        converter = None if has_words else _converter(preset)
    except Exception as problem:  # whatever the library or the connection raises, there is no description
        raise RequestError(
            f"KerasHub could not fetch its description of {preset}.",
            first_line(problem),
            by_hand(preset, hub_text.KIND if has_words else "image"),
        ) from problem
    common = {
        "summary": about["metadata"]["description"],
        "handle": about["kaggle_handle"].removeprefix("kaggle://"),
        "megabytes": round(backbone.count_params() * 4 / 1e6, 1),
    }
    if hub_text.is_for_texts(backbone):
        return {**hub_rebuilt.facts(backbone, preset), **common}
    if not isinstance(backbone.inputs, list) or not reads_pictures(backbone):
        raise RequestError(
            "This preset's network needs inputs other than pictures alone or texts alone.",
            preset, "Choose another, hub:resnet_18_imagenet or hub:bert_tiny_en_uncased, say.",
        )  # fmt: skip
    whole = keras.Model(backbone.inputs, backbone.outputs)
    size = getattr(converter, "image_size", None)
    return {
        **describe(whole, preset),
        **common,
        "usual_size": size[0] if size else USUAL_SIZE,
        "scale": _plain(getattr(converter, "scale", None)),
        "offset": _plain(getattr(converter, "offset", None)),
    }


def _converter(preset: str) -> Any:
    """The preset's own preprocessing; None if it has none."""
    import keras_hub

    try:
        return keras_hub.layers.ImageConverter.from_preset(preset)
    except (ValueError, FileNotFoundError):
        return None


def _plain(value: Any) -> float | list[float] | None:
    return None if value is None else [float(one) for one in value] if hasattr(value, "__len__") else float(value)


def _build(image_size: int, preset: str, cut: str) -> list[keras.Model]:
    """Its stages with new weights."""
    return _stages(preset, cut, image_size, load_weights=False)


def _load(stages: list[keras.Model], preset: str, cut: str) -> None:
    """Puts the preset's weights into the stages; downloads them if necessary.

    Raises:
        DownloadFailed: they could not be fetched or read; damaged files are removed.
    """
    known = description(preset)
    with fetching("The weights of", preset, known["handle"], known["megabytes"], "image"):
        givers = _stages(preset, cut, stages[0].input_shape[1], load_weights=True)
    for stage, giver in zip(stages, givers, strict=True):
        stage.set_weights(giver.get_weights())


def _stages(preset: str, cut: str, image_size: int, load_weights: bool) -> list[keras.Model]:
    import keras
    import keras_hub

    known = description(preset)
    backbone = keras_hub.models.Backbone.from_preset(preset, load_weights=load_weights)
    whole = keras.Model(backbone.inputs, backbone.outputs)
    scale, offset = known["scale"], known["offset"]
    fed = Range("KerasHub's", 1.0 if scale is None else scale, 0.0 if offset is None else offset)
    return staged(whole, known, cut, image_size, fed)


def _known() -> list[str]:
    """Keys of presets that were requested before, if the library is installed."""
    if importlib.util.find_spec("keras_hub") is None:
        return []
    files = sorted(settings.cache("hub").glob(f"{LAYOUT}-*.json"))
    return [f"{PREFIX}:{file.stem.partition('-')[2]}" for file in files]


HUB = Family(PREFIX, open_, _known)
