"""A user's weights for a network of `keras.applications`: ``weights:<path>@<backbone>``.

    weights:/models/cells.weights.h5@mobilenet_v2

The file was written by ``model.save_weights`` for that network without its classifier (``include_top=False``).
"""

from __future__ import annotations

import dataclasses
import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from transfer.backbones import Backbone, Family, Pretrained, content, keras_applications
from transfer.backbones.own_file import stamp
from transfer.errors import RequestError, RunFailed, UnknownKey

if TYPE_CHECKING:
    import keras

PREFIX = "weights"
NETS = {net.key: (family, net) for family in keras_applications.FAMILIES for net in family.nets}


def open_(rest: str) -> Backbone:
    """The backbone for a key without its prefix.

    Raises:
        RequestError: there is no such file, or the key does not say which network it belongs to.
        UnknownKey: the network is not one of `keras.applications`.
    """
    given, at, key = rest.rpartition("@")
    if not at:
        raise RequestError(
            "A weights file does not say which network it belongs to.",
            f"{PREFIX}:{rest}",
            f"Write {PREFIX}:{rest}@mobilenet_v2, say.",
        )
    if key not in NETS:
        raise UnknownKey("keras.applications network", key, NETS)
    path = Path(os.path.expanduser(given))
    network = next(one for one in keras_applications.KERAS_APPLICATIONS if one.key == key)
    now = functools.partial(stamp, path)
    seen = now()
    held = functools.partial(content.guarded, now=now, expected=seen, named=str(path))
    return dataclasses.replace(
        network,
        key=f"{PREFIX}:{rest}",
        title=f"{network.title} with {path.name}",
        licence="your own weights",
        top1=None,
        pretrained=Pretrained(
            "its file's", str(path), seen, held(functools.partial(_load, path=path, key=key)), content=seen
        ),
    )


def _load(stages: list[keras.Model], path: Path, key: str) -> None:
    """Puts the file's weights into the stages.

    Raises:
        RunFailed: they do not fit this network, or are damaged.
    """
    family, net = NETS[key]
    try:
        donor = keras_applications._whole(family, net, net.image_size, weights=str(path))
    except keras_applications.UNREADABLE as problem:
        raise RunFailed(
            f"The weights do not fit {net.name}.",
            f"{path.name}: {str(problem).splitlines()[0][:200]}",
            "Give a file that model.save_weights wrote for that network with include_top=False.",
        ) from problem
    keras_applications.carry_over(donor, stages)


WEIGHTS_FILE = Family(PREFIX, open_, list)
