"""Data sets with a domain gap made to order."""

from __future__ import annotations

import numpy as np
import pytest

from transfer import Experiment, catalog
from transfer.datasets.corrupted import KINDS
from transfer.engine import data
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
    clean, noisy = (data.split(catalog.dataset(key), 1) for key in ("optdigits", "optdigits~noise:2"))
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
