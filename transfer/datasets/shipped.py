"""Texts that come with the lab: one packed table a data set, with the licence beside it."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import cast

import numpy as np

from transfer.datasets import Published, Samples
from transfer.texts.kept import Texts

FOLDER = Path(__file__).parent / "texts"


def shipped(key: str, classes: tuple[str, ...]) -> Published:
    """A data set from ``texts/<key>.tsv.gz``, whose lines hold part, class and text, separated by tabs.

    Args:
        key: name of the file, usually the data set's key.
        classes: class names in label order.

    Returns:
        Its training part and, if the file has one, its test part.
    """
    lines = gzip.decompress((FOLDER / f"{key}.tsv.gz").read_bytes()).decode().splitlines()
    labels = {name: label for label, name in enumerate(classes)}
    parts: dict[str, tuple[list[str], list[int]]] = {}
    for line in lines:
        part, name, text = line.split("\t")
        texts, numbers = parts.setdefault(part, ([], []))
        texts.append(text)
        numbers.append(labels[name])
    made = {part: as_samples(texts, np.array(numbers, "int64")) for part, (texts, numbers) in parts.items()}
    return Published(made["train"], made.get("test"))


def as_samples(texts: list[str], labels: np.ndarray) -> Samples:
    """Texts and their labels as samples."""
    return Samples(cast(np.ndarray, Texts.of(texts)), labels)
