"""KerasHub's image networks by the name of their preset: ``hub:resnet_18_imagenet``.

The library (keras-hub) is optional, because it takes 240 MB with TensorFlow Text. It is queried about a preset
in a separate process, because the pages must not import TensorFlow, and the answer is cached. It downloads from Kaggle,
resumes interrupted downloads and uses no file whose checksum is wrong.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transfer import settings
from transfer.backbones import Backbone, Family, Pretrained
from transfer.backbones.described import Description, chosen_cut, kept_up_to, staged, stages, weights
from transfer.backbones.pixels import Range
from transfer.errors import DownloadFailed, RequestError, UnknownKey
from transfer.fetching import FULL, tell
from transfer.separate_process import asked

if TYPE_CHECKING:
    import keras

PREFIX = "hub"
NAME = re.compile(r"[a-z0-9_]+")
INSTALL = "Install it once: pip install 'keras-hub>=0.32,<0.33'."
USUAL_SIZE, SMALLEST = 224, 32
LAYOUT = 1
_SECONDS = 300


def open_(rest: str) -> Backbone:
    """The network of that preset as a backbone; ``@cut=<layer>`` after it leaves out everything above that layer.

    Raises:
        RequestError: the library is not installed or has no such image network, or it cannot be cut there.
        DownloadFailed: the library's description of it could not be fetched.
    """
    preset, at, cut = rest.partition("@cut=")
    known = description(preset)
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
            "This is not a name of a KerasHub preset.", repr(preset), "Write hub:resnet_18_imagenet, say."
        )
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
        RequestError: there is no such preset, it is not an image network, or it cannot be reached.
    """
    import keras
    import keras_hub

    from transfer.backbones.inspect_file import describe, reads_pictures

    builtin = keras_hub.models.Backbone.presets
    if preset not in builtin:
        raise UnknownKey("KerasHub preset", preset, builtin)
    about = builtin[preset]
    try:
        backbone = keras_hub.models.Backbone.from_preset(preset, load_weights=False)
        converter = _converter(preset)
    except Exception as problem:  # whatever the library or the connection raises, there is no description
        raise RequestError(
            f"KerasHub could not fetch its description of {preset}.", _first_line(problem), _by_hand(preset)
        ) from problem
    if not isinstance(backbone.inputs, list) or not reads_pictures(backbone):
        raise RequestError("This preset's network needs inputs other than pictures.", preset, "Choose another.")
    whole = keras.Model(backbone.inputs, backbone.outputs)
    size = getattr(converter, "image_size", None)
    return {
        **describe(whole, preset),
        "summary": about["metadata"]["description"],
        "handle": about["kaggle_handle"].removeprefix("kaggle://"),
        "megabytes": round(backbone.count_params() * 4 / 1e6, 1),
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
    import requests

    try:
        with _told(preset):
            givers = _stages(preset, cut, stages[0].input_shape[1], load_weights=True)
    except (OSError, ValueError, KeyError) as problem:
        if isinstance(problem, OSError) and problem.errno in FULL:
            raise
        if not isinstance(problem, requests.RequestException):
            shutil.rmtree(_folder() / description(preset)["handle"], ignore_errors=True)
        raise DownloadFailed(
            f"The weights of {preset} ({description(preset)['megabytes']:g} MB) could not be fetched or read.",
            _first_line(problem), _by_hand(preset),
        ) from problem  # fmt: skip
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


@contextmanager
def _told(preset: str) -> Iterator[None]:
    """A context in which the library's own progress bar reports the progress of a download to the run."""
    import kagglehub.clients
    from tqdm import tqdm

    class Bar(tqdm):
        def update(self, n: float | None = 1) -> bool | None:
            shown = super().update(n)
            tell(f"downloading {preset}", int(self.n) >> 10, int(self.total or 0) >> 10)
            return shown

    kagglehub.clients.tqdm = Bar
    try:
        yield
    finally:
        kagglehub.clients.tqdm = tqdm


def _folder() -> Path:
    """Where the library stores its downloads."""
    from kagglehub.config import get_cache_folder

    return Path(get_cache_folder()) / "models"


def _by_hand(preset: str) -> str:
    """What to do without a connection."""
    return (
        f"Connect to the internet and try again: it resumes where it broke off. Or use {PREFIX}:{preset} on another "
        f"machine, and copy {_folder()} from there. Works offline: efficientnet_lite0."
    )


def _first_line(problem: Exception) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0][:200]


def _known() -> list[str]:
    """Keys of presets that were requested before, if the library is installed."""
    if importlib.util.find_spec("keras_hub") is None:
        return []
    files = sorted(settings.cache("hub").glob(f"{LAYOUT}-*.json"))
    return [f"{PREFIX}:{file.stem.partition('-')[2]}" for file in files]


HUB = Family(PREFIX, open_, _known)
