"""Which training pictures a network takes for most like a new one."""

from __future__ import annotations

import numpy as np


def nearest(known: np.ndarray, asked: np.ndarray, most: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """The known features that point in the most similar direction.

    It tells from what the network may have drawn its answer. It misleads as a reason: the head weighs
    some features more than others, and the nearest of few pictures may be far.

    Args:
        known: features of the training pictures, shape (n, d).
        asked: features of one picture, shape (d,).
        most: how many.

    Returns:
        Places among the known, most similar first, and their cosine similarity, -1 to 1; 0 beside a zero vector.
    """
    lengths = np.linalg.norm(known, axis=1) * np.linalg.norm(asked)
    alike = np.divide(known @ asked, lengths, out=np.zeros(len(known)), where=lengths > 0)
    places = np.argsort(-alike, kind="stable")[:most]
    return places, alike[places]
