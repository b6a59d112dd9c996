"""Answers about all of a run's test set: what moved, the plane, both domains, and what the network writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from transfer import catalog, modalities
from transfer.engine.samples import splits
from transfer.errors import RequestError
from transfer.insight import embedding, similarity
from transfer.lab import opened_runs

if TYPE_CHECKING:
    pass

COMPARED = 500
COMPARED_BYTES = 2**28
EMBEDDED = 1_000
TOGETHER = 300
JUDGED = 5_000


def moved(run: str) -> dict[str, Any]:
    """By stage, bottom to top: ``distances`` (relative L2) and ``alike`` (linear CKA), on ``count`` test pictures."""
    found = opened_runs.opened(run)
    kept = opened_runs.kept(found, "moved")
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
        opened_runs.keep(found, "moved", kept)
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
    found = opened_runs.opened(run)
    kept = opened_runs.kept(found, f"embedded-{method}")
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
        opened_runs.keep(found, f"embedded-{method}", kept)
    return kept


def together(run: str) -> dict[str, np.ndarray]:
    """Source and target as the trained network sees them, with neighbours kept together (t-SNE).

    Points ``source`` (n, 2) and ``target`` (m, 2) of validation pictures, and the classes ``source_labels`` and
    ``target_labels``.
    """
    found = opened_runs.opened(run)
    if found.experiment.source is None:
        raise RequestError("This run has no source.", f"run {run}", "Open a run with a source.")
    kept = opened_runs.kept(found, "together")
    if kept is None:
        with opened_runs.DATA:
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
        opened_runs.keep(found, "together", kept)
    return kept


def write(run: str, text: str, count: int = 60, temperature: float = 0.8, seed: int = 0) -> dict[str, Any]:
    """What a run's network writes after a text, before and after it learned the target.

    Returns:
        ``before`` and ``after``, each a dict of ``text`` and ``bits`` (bits a character of the same texts of the test
        set), and ``characters``, how many those texts have.
    """
    found = opened_runs.opened(run)
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


def _held_out(found: opened_runs.Opened) -> list[str]:
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


def _unit(features: np.ndarray) -> np.ndarray:
    """Features scaled to length one, as for runs that adapt."""
    flat = features.reshape(len(features), -1)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9))


ALL: tuple[Callable[..., Any], ...] = (moved, embedded, together, write)
