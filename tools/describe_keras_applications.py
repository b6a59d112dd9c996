"""Builds each network of `keras.applications` and says where the table of the lab is wrong. Minutes.

    python tools/describe_keras_applications.py [KEY ...]

Prints for each: weights, stages and where they end, at its own and at its smallest size (both must
be cut at the same layers, or weights could not be carried from one to the other), the name of the
weights' file in Keras, and "DIFFERS" wherever `transfer/backbones/keras_applications.py` says otherwise.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import keras
from keras.src.utils import file_utils

from transfer.backbones.cutting import cuts
from transfer.backbones.keras_applications import FAMILIES, Family, Net, _whole


class Asked(Exception):
    """Carries the name of the file that Keras was about to download."""


def ask(file: str, *_: Any, **__: Any) -> None:
    """Stands in for the download."""
    raise Asked(file)


def weights_file(family: Family, net: Net) -> str:
    """The file that Keras would fetch for these weights."""
    try:
        _whole(family, net, net.image_size, weights="imagenet")
    except Asked as asked:
        return str(asked)
    return "none"


def ends(family: Family, net: Net, size: int) -> tuple[int, list[str]]:
    """Number of weights, and the stages' last layers with the height and width of their outputs."""
    whole = _whole(family, net, size)
    cut = [whole.operations[index] for index in cuts(list(whole.operations))]
    shapes = [operation._inbound_nodes[0].output_tensors[0].shape for operation in cut]
    return whole.count_params(), [f"{o.name}:{s[1]}x{s[3]}" for o, s in zip(cut, shapes, strict=True)]


def main() -> None:
    """One line a network."""
    file_utils.get_file = ask
    for family in FAMILIES:
        for net in family.nets:
            if sys.argv[1:] and net.key not in sys.argv[1:]:
                continue
            count, large = ends(family, net, net.image_size)
            _, small = ends(family, net, family.smallest)
            file = weights_file(family, net)
            # Automatic names are counted on within a process, so only the number of cuts is compared.
            declared = (net.parameters, net.stages, net.stages, f"{net.file}{family.ending}")
            agree = declared == (count, len(large) + 1, len(small) + 1, file)
            print(f"{'' if agree else 'DIFFERS '}{net.key} {count:,} {len(large) + 1} {file}")
            print(f"    {large}\n    {small}", flush=True)
            keras.backend.clear_session()


if __name__ == "__main__":
    main()
