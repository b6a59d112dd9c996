"""The questions that the answering process can answer: those about one sample, and a table of all.

Questions that need no network are answered at once, even while TensorFlow is still being imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from transfer import modalities
from transfer.errors import RequestError
from transfer.insight import nearest
from transfer.lab import opened_runs, set_answers

if TYPE_CHECKING:
    pass


def pictures(run: str, places: list[int]) -> dict[str, np.ndarray]:
    """Samples of the test set and their labels, shape (n,).

    Pictures have the shape (n, height, width, channels), uint8; texts are strings, shape (n,).
    """
    test = opened_runs.opened(run).split.test
    if places and not 0 <= min(places) <= max(places) < len(test):
        raise RequestError("The test set has no such sample.", max(places), f"Choose 0 to {len(test) - 1}.")
    chosen = np.asarray(places, "int64")
    return {"inputs": np.asarray(test.inputs[chosen]), "labels": np.asarray(test.labels[chosen])}


def ready(run: str, known: bool = False) -> dict[str, Any]:
    """Opens the run's network; returns its stages with a feature map and the shape of its pictures.

    Args:
        run: its id.
        known: whether to load its training pictures too, for the comparisons of `answer`.
    """
    found = opened_runs.opened(run)
    with found.turn:
        inside = found.end
        if inside.maps:
            inside.look(np.zeros(inside.found.shape, "uint8"))
        elif not inside.found.shape:
            inside.features(np.array([""], dtype=object))
        if known:
            _ = found.known
        return {"maps": inside.maps, "shape": inside.found.shape, "classes": inside.found.classes}


def read(run: str, text: str, most: int = 6) -> dict[str, Any]:
    """A run's answer to a new text, what each word does to it, and the most similar training texts.

    Returns:
        ``probabilities`` (classes,), ``words`` with ``falls`` (see `transfer.engine.inspect.occlusion`), and for the
        most similar training texts ``texts``, ``labels`` (-1: not given) and ``alike`` (-1 to 1).
    """
    from transfer.engine.inspect.occlusion import evidence

    found = opened_runs.opened(run)
    with found.turn:
        seen = evidence(found.end, text)
        known, labels, their = found.known
    places, alike = nearest.nearest(their, seen.features, most)
    return {
        "probabilities": _softmax(seen.logits),
        "words": seen.words,
        "falls": seen.falls,
        "texts": known[places].tolist(),
        "labels": labels[places],
        "alike": alike,
    }


def evidence(run: str, place: int, target: int = -1, start: bool = False, way: str = "occlusion") -> dict[str, Any]:
    """What each word of a text of the test set does to a class's probability.

    Args:
        run: its id.
        place: index of the text in the test set.
        target: class that is watched; -1: the predicted one.
        start: whether to use the network before training on the target.
        way: ``occlusion``, ``gradient`` or ``attention``, see `transfer.engine.inspect.token_evidence`.

    Returns:
        ``words`` with ``falls``, and ``probabilities`` (classes,), or None if the head had not been trained yet.
    """
    from transfer.engine.inspect import occlusion, token_evidence

    ways = {"occlusion": occlusion.evidence, "gradient": token_evidence.gradient, "attention": token_evidence.attention}
    if way not in ways:
        raise RequestError("There is no such way to find the words.", repr(way), f"Choose one of {', '.join(ways)}.")
    found = opened_runs.opened(run)
    text = pictures(run, [place])["inputs"][0]
    with found.turn:
        inside = found.start if start else found.end
        seen = ways[way](inside, text, target)
    return {
        "words": seen.words,
        "falls": seen.falls,
        "probabilities": _softmax(seen.logits) if inside.head_says else None,
    }


def answer(run: str, picture: np.ndarray, most: int = 6) -> dict[str, Any]:
    """A run's answer to a new picture, where it looked, and the most similar training pictures.

    Args:
        run: its id.
        picture: uint8, of the shape that `ready` returns.
        most: how many of the most similar training pictures to return.

    Returns:
        ``probabilities`` (classes,), ``heat`` (height, width) or None, ``stage`` of the heat, and for the most similar
        training pictures ``pictures``, ``labels`` (-1: not given) and ``alike`` (-1 to 1).
    """
    found = opened_runs.opened(run)
    with found.turn:
        inside = found.end
        if picture.dtype != np.uint8 or picture.shape != tuple(inside.found.shape):
            raise RequestError(
                "The picture's shape differs from those the network was trained on.",
                f"{picture.dtype} {picture.shape}", f"Give a uint8 picture of shape {tuple(inside.found.shape)}.",
            )  # fmt: skip
        if inside.maps:
            look = inside.look(picture)
            logits, features, heat = look.logits, look.features, look.heat
        else:
            features, logits = (part[0] for part in inside.features(picture[None]))
            heat = None
        known, labels, their = found.known
    places, alike = nearest.nearest(their, features, most)
    return {
        "probabilities": _softmax(logits),
        "heat": heat,
        "stage": list(inside.maps)[-1] if inside.maps else "",
        "pictures": known[places],
        "labels": labels[places],
        "alike": alike,
    }


def look(run: str, place: int, stage: str = "", target: int = -1, start: bool = False) -> dict[str, Any]:
    """Grad-CAM on a picture of the test set.

    Args:
        run: its id.
        place: index of the picture in the test set.
        stage: one with a feature map; empty: the highest.
        target: class whose evidence is shown; -1: the predicted one.
        start: whether to use the network before training on the target.

    Returns:
        ``heat`` (height, width), ``probabilities`` (classes,), or None if the head had not been trained yet.
    """
    found = opened_runs.opened(run)
    picture = pictures(run, [place])["inputs"][0]
    if place not in modalities.identity(found.kind).there(found.split.test.inputs):
        raise RequestError("This picture no longer exists.", f"picture {place}", "Choose another picture.")
    with found.turn:
        inside = found.start if start else found.end
        seen = inside.look(picture, stage, target)
    return {"heat": seen.heat, "probabilities": _softmax(seen.logits) if inside.head_says else None}


_ALL: tuple[Callable[..., Any], ...] = (pictures, ready, answer, look, read, evidence, *set_answers.ALL)
QUESTIONS: dict[str, Callable[..., Any]] = {one.__name__: one for one in _ALL}


def _softmax(logits: np.ndarray) -> np.ndarray:
    grown = np.exp(logits.astype("float64") - logits.max())
    return np.asarray(grown / grown.sum())
