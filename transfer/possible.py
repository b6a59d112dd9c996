"""The nearest possible experiments, when the one asked for is impossible; for page and command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from transfer import catalog, counted, modalities
from transfer.errors import RequestError
from transfer.experiment import Experiment

MOST = 3


def nearest(fields: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Up to three single changes that make the experiment possible, each with the label of its button.

    Args:
        fields: of the Experiment, with their current values.
    """
    found = []
    for words, change in _single_changes(fields):
        try:
            catalog.check(Experiment(**{**fields, **change}))
        except RequestError:
            continue
        found.append((words, change))
        if len(found) == MOST:
            break
    return found


def as_flags(change: dict[str, Any]) -> str:
    """A change as the command line takes it: ``--strategy fine_tuning``; an option that is dropped is named."""
    parts = []
    for name, value in change.items():
        flag = "--" + name.replace("_", "-")
        if name in ("options", "intake"):
            parts += [] if value else ["without --set" if name == "options" else "without --intake"]
        else:
            parts.append(f"without {flag}" if value is None else f"{flag} {value}")
    return " ".join(parts)


def _single_changes(fields: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Changes in the order in which they are offered: those that keep the most come first."""
    if fields["options"]:
        yield "Reset the strategy's options", {"options": {}}
    network = catalog.backbones().get(fields["backbone"])
    usual: dict[str, Any] = {name: empty for name, empty in (("image_size", None), ("intake", {})) if fields[name]}
    if network and usual:
        yield f"Use {network.size} {modalities.kind(network.modality).unit}", usual
    if network and network.fixed and fields["strategy"] != "feature_extraction":
        yield "Train only a head", {"strategy": "feature_extraction", "options": {}}
    target = catalog.datasets().get(fields["target"])
    most = counted.most_labels(target, fields.get("without") or ()) if target else None
    if most and (fields.get("labels_per_class") or 0) > most:
        yield f"Use {most} label{'s' if most > 1 else ''} per class", {"labels_per_class": most}
    reads = target.modality if target else "image"
    usable = [one for one in catalog.datasets().values() if not one.download_mb and one.modality == reads]
    alike = [one.key for one in usable if target and one.classes == target.classes]
    for key in (*alike, "mnist_5k", *(one.key for one in usable)):
        if key in catalog.datasets() and key not in (fields["target"], fields["source"]):
            yield f"Train on {catalog.datasets()[key].title} first", {"source": key}
            break
    if fields["source"]:
        yield "Use no source", {"source": None}
    for backbone in catalog.backbones().values():
        if backbone.modality == reads and backbone.pretrained and not backbone.pretrained.download_mb:
            change = {"backbone": backbone.key, **usual}
            yield f"Use {backbone.title}", change
            if (source := catalog.datasets().get(fields["source"] or "")) and source.modality != reads:
                yield f"Use {backbone.title} and no source", {**change, "source": None}
    # Most strategies need a label: one is given to a target that has none.
    some: dict[str, Any] = {"labels_per_class": 1} if fields.get("labels_per_class") == 0 else {}
    if some:
        yield "Give 1 label per class", some
    if fields["strategy"] != "fine_tuning" and "fine_tuning" in catalog.strategies():
        yield "Use fine-tuning", {"strategy": "fine_tuning", "options": {}, **some}
    if "from_scratch" in catalog.strategies():
        yield "Train from scratch", {"strategy": "from_scratch", "options": {}, **some}
    if "small_cnn" in catalog.backbones():
        yield "Use the small CNN", {"backbone": "small_cnn", **usual}
