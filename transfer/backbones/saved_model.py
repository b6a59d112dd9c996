"""A SavedModel as a frozen backbone: ``saved:<folder>``, for a network that exists only as a TensorFlow graph.

    saved:/models/net                          output of its serving signature, or below its softmax classifier
    saved:/models/net@cut=block5/Relu          cut there
    saved:/models/net@pixels=0..1              fed pixels of 0 to 1

A SavedModel is a program. `transfer.backbones.inspect_saved_model` reads it in a separate process, refuses all but
mathematics, and writes one flat graph. A run uses that graph, never the SavedModel.
"""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from transfer import settings
from transfer.backbones import Backbone, Family, Pretrained, content
from transfer.backbones.described import (
    Description,
    chosen_cut,
    chosen_pixels,
    doubts,
    ends,
    fed,
    kept_up_to,
    shaped,
    stages,
    weights,
)
from transfer.backbones.own_file import SMALLEST, USUAL_SIZE, parted, usable
from transfer.backbones.pixels import PIXELS
from transfer.errors import RequestError
from transfer.separate_process import asked

if TYPE_CHECKING:
    import keras

PREFIX = "saved"
PROGRAM = "saved_model.pb"
INSPECTION_SECONDS = 300
LAYOUT = 2


def key_of(path: Path | str, cut: str = "", pixels: str = "") -> str:
    """The key of that network; without ``cut`` and ``pixels`` as usual."""
    return f"{PREFIX}:{path}" + (f"@cut={cut}" if cut else "") + (f"@pixels={pixels}" if pixels else "")


def description(path: Path) -> Description:
    """The description of the network; inspects it first (about ten seconds) if it has changed since the last time.

    Raises:
        RequestError: there is no such folder, or it is refused.
    """
    words = _kept(path)
    try:
        known: Description = json.loads(words.read_text())
    except (FileNotFoundError, ValueError):
        known = {}
    if "refused" not in known and not (known and graph_file(path).exists()):
        question = json.dumps([str(path.resolve()), str(graph_file(path))])
        known = asked("transfer.backbones.inspect_saved_model", "inspect", question, INSPECTION_SECONDS)
        words.write_text(json.dumps(known))
    if "refused" in known:
        raise RequestError(*known["refused"])
    return known


def _kept(path: Path) -> Path:
    # Includes the folder's name, because refusals mention it.
    words = hashlib.sha256(f"{path.name} {stamp(path)}".encode("utf-8", "surrogateescape")).hexdigest()
    return settings.cache("saved_models") / f"{LAYOUT}-{words[:40]}.json"


def graph_file(path: Path) -> Path:
    """The path of the network's flat graph; `description` writes it."""
    return _kept(path).with_suffix(".graph")


def stamp(path: Path) -> str:
    """Digest of the content of all files of the SavedModel that are read.

    Raises:
        RequestError: it may not be used, or is not a SavedModel.
    """
    usable(path)
    if not (path / PROGRAM).is_file():
        raise RequestError(
            "There is no SavedModel.", str(path), f"Give the path of a folder with {PROGRAM} and variables in it."
        )
    files = [path / PROGRAM, *sorted((path / "variables").glob("variables.*"))]
    return content.together(path, files)


def open_(rest: str) -> Backbone:
    """The network for a key without its prefix, as a backbone.

    Raises:
        RequestError: there is no such folder, or it is refused, or it cannot be cut there.
    """
    path, chosen = parted(rest)
    now = functools.partial(stamp, path)
    seen, known = now(), description(path)
    if "reading" in chosen:  # reopens a run of an older version of the lab
        known |= known["before"]
    cut = chosen_cut(known, chosen.get("cut", ""), path.name)
    pixels = chosen_pixels(known, chosen.get("pixels", ""))
    kept, size = kept_up_to(known, cut), known["size"]
    whole = cut == known["layers"][-1]["name"]
    return Backbone(
        key=f"{PREFIX}:{rest}",
        title=path.name if whole else f"{path.name} up to {'/'.join(cut.split('/')[-2:])}",
        summary="Your own SavedModel. Its weights are constants in a graph: it gives features and cannot be trained.",
        parameters=weights(kept),
        stages=stages(kept),
        size=size or USUAL_SIZE,
        smallest=size or SMALLEST,
        largest=size,
        channels=known["channels"],
        licence="your own",
        reference=str(path),
        notes=doubts(known, chosen.get("pixels", "")),
        preprocessing=f"{fed(known, chosen.get('pixels', ''))}, then as in the SavedModel",
        build=content.guarded(functools.partial(_build, path=path, cut=cut, pixels=pixels), now, seen, str(path)),
        pretrained=Pretrained(
            source="its folder's",
            origin=str(path),
            identity=f"{seen} {cut} {pixels}",
            load=_load,
            content=seen,
        ),
        fixed=True,
    )


def _build(image_size: int, path: Path, cut: str, pixels: str) -> list[keras.Model]:
    """Its stages, with their weights."""
    import keras

    from transfer.backbones.flat_graph import layer_class

    known, made = description(path), []
    entry = keras.Input((image_size, image_size, known["channels"]), name="pixels")
    flowing, below, range_ = shaped(entry, known), known["entry"], PIXELS[pixels]
    places, before = ends(kept_up_to(known, cut)), 0
    for n, place in enumerate(places, start=1):
        held = weights(kept_up_to(known, place)) - before
        flowing = layer_class()(graph_file(path), below, place, range_, held, name=f"graph{n}")(flowing)
        if place == places[-1] and len(flowing.shape) == 4:
            flowing = keras.layers.GlobalAveragePooling2D(name="mean", dtype="float32")(flowing)
        elif place == places[-1] and len(flowing.shape) == 3:
            flowing = keras.layers.GlobalAveragePooling1D(name="mean", dtype="float32")(flowing)
        made.append(keras.Model(entry, flowing, name=f"stage{n}"))
        entry = flowing = keras.Input(flowing.shape[1:])
        below, range_ = place, PIXELS["0..255"]
        before += held
    return made


def _load(stages: list[keras.Model]) -> None:
    """Does nothing: the weights are constants in the graph."""


SAVED_MODEL = Family(PREFIX, open_, list)
