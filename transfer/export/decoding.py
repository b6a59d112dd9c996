"""The decoder beside an exported network: a plain Python file that needs numpy and Pillow, not the lab."""

from __future__ import annotations

import inspect

from transfer.pictures import decoder
from transfer.pictures.decoder import Scales

FILE = "pictures.py"

_END = '''

SIZE, CHANNELS, SCALES = {size!r}, {channels!r}, {scales!r}


def picture(path):
    """A file as the network takes it: uint8, shape (height, width, channels), as its training pictures were decoded."""
    with open(path, "rb") as file:
        return decoded(file, SIZE, CHANNELS, SCALES)
'''


def source(shape: tuple[int, ...], scales: Scales) -> str:
    """The text of a module whose ``picture(path)`` gives the very pixels that the lab's own decoder gives.

    Args:
        shape: (height, width, channels) of the network's raw pictures.
        scales: of its training pictures, when they were deeper than eight bits.
    """
    height, width, channels = shape
    end = _END.format(size=(width, height), channels=channels, scales={key: tuple(one) for key, one in scales.items()})
    return inspect.getsource(decoder) + end
