"""The questions that the answering process can answer, and the few networks and data sets it keeps loaded.

Questions that need no network are answered at once, even while TensorFlow is still being imported.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from transfer import catalog, modalities, settings
from transfer.engine.samples import arrays, since, splits
from transfer.errors import RequestError
from transfer.experiment import Experiment
from transfer.insight import embedding, nearest, similarity
from transfer.seen import record

if TYPE_CHECKING:
    from transfer.engine.inspect.inside import Inside

KEPT = 4
COMPARED = 500
COMPARED_BYTES = 2**28
EMBEDDED = 1_000
TOGETHER = 300
KNOWN = 2_000
LAYOUT = 2
JUDGED = 5_000


class Opened:
    """A finished run with its data and networks; each is loaded when first needed."""

    def __init__(self, run: str) -> None:
        self.run, self.folder = run, settings.run_folder(run)
        try:
            self.experiment = Experiment(**json.loads((self.folder / "experiment.json").read_text()))
        except (OSError, ValueError) as problem:
            raise RequestError("This run has no stored network.", f"run {run}", "Open a finished run.") from problem
        self.turn = threading.Lock()

    @cached_property
    def kind(self) -> str:
        """The kind of its samples."""
        return catalog.backbone(self.experiment.backbone).modality

    def some(self, inputs: Any, most: int) -> np.ndarray:
        """Indices of at most ``most`` samples that still exist."""
        present = modalities.identity(self.kind).there(inputs)
        if not len(present):
            raise RequestError(
                "None of the run's pictures exists any more.", None, "Restore the data set to what it was."
            )
        return np.asarray(present[_spread(len(present), most)])

    @cached_property
    def split(self) -> splits.Split:
        """The target's data as the run saw it; if it has changed since, with the pictures that are still there.

        Raises:
            RequestError: the data set has changed, and the run stored no record of its pictures.
        """
        made, labels = record.read(self.folder), self._labels
        with _DATA:
            try:
                found = splits.target_split(self.experiment)
            except RequestError:  # the folder is gone or can no longer be split
                if made is None:
                    raise
                found = None
            if found is not None and made is not None and found.fingerprint == made.split:
                return found
            if made is None and found is not None and np.array_equal(labels, found.test.labels):
                return found
            then = None if made is None else since.as_then(made, labels, self.kind)
        if then is None:
            raise RequestError(
                "The data set has changed since this run, and the run stored no record of its pictures.",
                self.experiment.target, "Its figures remain; run it again to see pictures.",
            )  # fmt: skip
        return then

    @property
    def _labels(self) -> np.ndarray:
        return np.asarray(arrays.read(self.folder / "test.npz")["labels"], "int64")

    @cached_property
    def end(self) -> Inside:
        """The network as it was tested."""
        from transfer.engine.inspect import rebuilt
        from transfer.engine.inspect.inside import Inside

        with _BUILDING:
            return Inside(rebuilt.trained(self.run))

    @cached_property
    def start(self) -> Inside:
        """The network before training on the target."""
        from transfer.engine.inspect import rebuilt
        from transfer.engine.inspect.inside import Inside, head_was_kept

        with _BUILDING:
            return Inside(rebuilt.untrained(self.run), head_was_kept(self.experiment))

    @cached_property
    def known(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pictures it was trained on, at most `KNOWN`, their labels (-1: not given) and features."""
        inputs, labels = self.split.train.inputs, self.split.train.labels
        if not len(inputs):
            inputs, labels = self.split.unlabelled, np.full(len(self.split.unlabelled), -1)
        chosen = self.some(inputs, KNOWN)
        pictures = np.asarray(inputs[chosen])
        return pictures, labels[chosen], self.end.features(pictures)[0]


_DATA, _BUILDING, _OPENING = threading.Lock(), threading.Lock(), threading.Lock()
_open: OrderedDict[str, Opened] = OrderedDict()


def prepare() -> None:
    """Imports everything networks need, before anybody waits for one."""
    from transfer.engine.inspect import inside  # noqa: F401  # the import is what takes seconds


def opened(run: str) -> Opened:
    """The run, opened now or earlier; if more than `KEPT` are open, closes the least recently used one."""
    with _OPENING:
        found = _open.pop(run, None)
        if found is None or not found.folder.exists():
            found = Opened(run)
        _open[run] = found
        while len(_open) > KEPT:
            _open.popitem(last=False)
        return found


# Questions ---------------------------------------------------------------------------------------


def pictures(run: str, places: list[int]) -> dict[str, np.ndarray]:
    """Samples of the test set and their labels, shape (n,).

    Pictures have the shape (n, height, width, channels), uint8; texts are strings, shape (n,).
    """
    test = opened(run).split.test
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
    found = opened(run)
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

    found = opened(run)
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
    found = opened(run)
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
    found = opened(run)
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
    found = opened(run)
    picture = pictures(run, [place])["inputs"][0]
    if place not in modalities.identity(found.kind).there(found.split.test.inputs):
        raise RequestError("This picture no longer exists.", f"picture {place}", "Choose another picture.")
    with found.turn:
        inside = found.start if start else found.end
        seen = inside.look(picture, stage, target)
    return {"heat": seen.heat, "probabilities": _softmax(seen.logits) if inside.head_says else None}


def moved(run: str) -> dict[str, Any]:
    """By stage, bottom to top: ``distances`` (relative L2) and ``alike`` (linear CKA), on ``count`` test pictures."""
    found = opened(run)
    kept = _kept(found, "moved")
    if kept is None:
        from transfer.engine.inspect.inside import largest

        with found.turn:
            room = COMPARED_BYTES // (4 * largest(found.end.found))
            test = found.split.test
            chosen = found.some(test.inputs, max(32, min(COMPARED, room)))
            shown = np.asarray(test.inputs[chosen])
            begun, ended = found.start.weights(), found.end.weights()
            alike = {
                name: similarity.linear_cka(before, after)
                for (name, before), (_, after) in zip(found.start.answers(shown), found.end.answers(shown), strict=True)
            }
            distances = {name: similarity.relative_distance(begun[name], ended[name]) for name in alike}
        kept = {
            "stages": np.array(list(alike)),
            "distances": np.array(list(distances.values())),
            "alike": np.array(list(alike.values())),
            "count": np.array(len(shown)),
        }
        _keep(found, "moved", kept)
    names = kept["stages"].tolist()
    return {
        "distances": dict(zip(names, kept["distances"].tolist(), strict=True)),
        "alike": dict(zip(names, kept["alike"].tolist(), strict=True)),
        "count": int(kept["count"]),
    }


def embedded(run: str, method: str) -> dict[str, np.ndarray]:
    """Test pictures in the plane: their indices (``chosen``), and their points at the ``start`` and the ``end``.

    ``agree_start`` and ``agree_end``: the share that lies among its own class, in all dimensions.
    """
    found = opened(run)
    kept = _kept(found, f"embedded-{method}")
    if kept is None:
        test = found.split.test
        chosen = found.some(test.inputs, EMBEDDED)
        shown, labels = np.asarray(test.inputs[chosen]), np.asarray(test.labels[chosen])
        with found.turn:
            several = {"start": found.start.features(shown)[0], "end": found.end.features(shown)[0]}
        kept = {"chosen": chosen}
        for name, features in several.items():
            kept[name] = embedding.plane(features, method)
            if name == "end":
                kept["end"] = embedding.turned_like(kept["end"], kept["start"])
            kept[f"agree_{name}"] = np.array(embedding.neighbours_agree(features, labels))
        _keep(found, f"embedded-{method}", kept)
    return kept


def together(run: str) -> dict[str, np.ndarray]:
    """Source and target as the trained network sees them, with neighbours kept together (t-SNE).

    Points ``source`` (n, 2) and ``target`` (m, 2) of validation pictures, and the classes ``source_labels`` and
    ``target_labels``.
    """
    found = opened(run)
    if found.experiment.source is None:
        raise RequestError("This run has no source.", f"run {run}", "Open a run with a source.")
    kept = _kept(found, "together")
    if kept is None:
        with _DATA:
            other = splits.split(catalog.dataset(found.experiment.source), found.experiment.seed).validation
        parts = {"source": other, "target": found.split.validation}
        parts = {name: one.take(found.some(one.inputs, TOGETHER)) for name, one in parts.items()}
        with found.turn:
            several = [_unit(found.end.features(np.asarray(one.inputs))[0]) for one in parts.values()]
        places = embedding.plane(np.concatenate(several), "tsne")
        kept = {
            "source": places[: len(several[0])],
            "target": places[len(several[0]) :],
            **{f"{name}_labels": one.labels for name, one in parts.items()},
        }
        _keep(found, "together", kept)
    return kept


def write(run: str, text: str, count: int = 60, temperature: float = 0.8, seed: int = 0) -> dict[str, Any]:
    """What a run's network writes after a text, before and after it learned the target.

    Returns:
        ``before`` and ``after``, each a dict of ``text`` and ``bits`` (bits a character of the same texts of the test
        set), and ``characters``, how many those texts have.
    """
    found = opened(run)
    if catalog.backbone(found.experiment.backbone).language != "causal":
        raise RequestError(
            "This run's network cannot write: only one that reads from left to right can.",
            f"run {run}, {found.experiment.backbone}", "Choose a run whose backbone is tiny_gpt.",
        )  # fmt: skip
    kind = modalities.modality(found.kind)
    with found.turn:
        held = _held_out(found)
        said: dict[str, Any] = {"characters": sum(map(len, held))}
        for name, inside in (("before", found.start), ("after", found.end)):
            writer = kind.writer(inside.found.network.backbone, inside.found.network.stages)
            said[name] = {
                "text": writer.go_on(text, count, temperature, seed),
                "bits": writer.bits_a_character(*held),
            }
    return said


def _held_out(found: Opened) -> list[str]:
    """Some texts of the test set, `JUDGED` characters in all at most."""
    kept, left = [], JUDGED
    inputs = found.split.test.inputs
    for place in found.some(inputs, EMBEDDED):
        one = str(inputs[int(place)])[:left]
        left -= len(one)
        kept.append(one)
        if left <= 0:
            break
    return kept


QUESTIONS: dict[str, Callable[..., Any]] = {
    one.__name__: one for one in (pictures, ready, answer, look, read, write, evidence, moved, embedded, together)
}


def _spread(count: int, most: int) -> np.ndarray:
    """At most ``most`` indices out of ``count``, in order; chosen at random, but always the same."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def _unit(features: np.ndarray) -> np.ndarray:
    """Features scaled to length one, as for runs that adapt."""
    flat = features.reshape(len(features), -1)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9))


def _softmax(logits: np.ndarray) -> np.ndarray:
    grown = np.exp(logits.astype("float64") - logits.max())
    return np.asarray(grown / grown.sum())


def _kept(found: Opened, name: str) -> dict[str, np.ndarray] | None:
    """A stored result, if there is one; it is kept with the run's files and deleted with them."""
    try:
        return arrays.read(found.folder / "insight" / f"{name}-{LAYOUT}.npz")
    except (FileNotFoundError, arrays.Damaged):
        return None


def _keep(found: Opened, name: str, kept: dict[str, np.ndarray]) -> None:
    folder = found.folder / "insight"
    try:
        folder.mkdir(exist_ok=True)
        arrays.write(folder / f"{name}-{LAYOUT}.npz", kept)
    except FileNotFoundError:
        return  # the run was discarded meanwhile: there is nothing to keep it with
