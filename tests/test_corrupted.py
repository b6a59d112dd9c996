"""Data sets with a domain gap made to order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from transfer import Experiment, catalog
from transfer.datasets import Dataset, Published, Samples
from transfer.datasets.corrupted import KINDS, _one, _patch, variant
from transfer.engine.samples import splits
from transfer.errors import UnknownKey


@pytest.mark.parametrize("kind", KINDS)
def test_every_corruption_changes_pictures_more_when_severer_and_keeps_labels(kind: str) -> None:
    clean = catalog.dataset("optdigits").load().train
    apart = []
    for level in (1, 5):
        made = catalog.dataset(f"optdigits~{kind}:{level}").load().train
        assert made.inputs.dtype == "uint8"
        assert made.inputs.shape == clean.inputs.shape
        np.testing.assert_array_equal(made.labels, clean.labels)
        apart.append(np.abs(made.inputs.astype(float) - clean.inputs).mean())
    assert 0 < apart[0] < apart[1]


def test_full_inversion_exchanges_light_and_dark() -> None:
    clean = catalog.dataset("optdigits").load().train.inputs
    np.testing.assert_array_equal(catalog.dataset("optdigits~inversion:5").load().train.inputs, 255 - clean)


def test_a_variant_is_the_same_every_time_in_colour_too_and_is_not_listed() -> None:
    first, second = (catalog.dataset("textures~background:2").load().train.inputs for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not any("~" in key for key in catalog.datasets())
    assert catalog.dataset("optdigits~noise").key == "optdigits~noise:3"
    assert catalog.datasets().get("optdigits~haze") is None


def test_a_variant_is_split_as_its_clean_original() -> None:
    clean, noisy = (splits.split(catalog.dataset(key), 1) for key in ("optdigits", "optdigits~noise:2"))
    np.testing.assert_array_equal(clean.test.labels, noisy.test.labels)
    assert clean.fingerprint != noisy.fingerprint


def test_a_clean_source_adapts_to_its_corrupted_self() -> None:
    catalog.check(Experiment(target="mnist_5k~inversion", source="mnist_5k", strategy="mmd", labels_per_class=0))


@pytest.mark.parametrize(
    ("key", "words"),
    [("optdigits~nois", "'noise'"), ("optdigit~noise", "'optdigits'"), ("optdigits~noise:6", "severity")],
)
def test_a_mistyped_key_is_told_the_nearest(key: str, words: str) -> None:
    with pytest.raises(UnknownKey, match=words):
        catalog.dataset(key)


SIZES = [
    (1, 1),
    (1, 7),
    (2, 2),
    (3, 300),
    (28, 28),
    (300, 451),
    (301, 301),
    (512, 512),
    (600, 600),
    (40, 600),
    (600, 9),
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_corruption_takes_pictures_of_every_size_and_form(kind: str) -> None:
    for place, (height, width) in enumerate(SIZES):
        for channels in (1, 3) if height * width < 100_000 else (3,):
            picture = np.random.default_rng(place).random((height, width, channels))
            changed = _one(picture, kind, 5, np.random.default_rng(place))
            assert changed.shape == picture.shape and np.isfinite(changed).all()


def test_a_background_larger_than_its_photograph_is_its_mirror_image_on_all_sides() -> None:
    patch = _patch((700, 700, 1), np.random.default_rng(0))
    assert patch.std() > 0.1 and patch[-100:].std() > 0.01, "no part of it is empty"


def test_a_variant_keeps_a_published_validation_part_and_is_made_anew_when_its_base_is() -> None:
    pictures = Samples(np.zeros((4, 8, 8, 1), "uint8"), np.arange(4) % 2)
    base = Dataset("base", "Base", "", ("a", "b"), (8, 8, 1), 12, "", "", lambda: Published(*3 * (pictures,)))
    made = variant("base~inversion:5", {"base": base})
    parts = made.load()
    assert parts.validation is not None and (parts.validation.inputs == 255).all()
    renewed = variant("base~inversion:5", {"base": replace(base, stamp="new files")})
    assert made.version != renewed.version
    other_code = variant("base~inversion:5", {"base": replace(base, load=catalog.dataset("optdigits").load)})
    assert made.version != other_code.version
    assert made.version == variant("base~inversion:5", {"base": base}).version
    twice = [variant("base~noise:1~blur:1", {"base~noise:1": variant("base~noise:1", {"base": one})}).version
             for one in (base, replace(base, stamp="new files"))]  # fmt: skip
    assert twice[0] != twice[1], "a variant of a variant, too"
