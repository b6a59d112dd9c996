"""Picture sets of TensorFlow Datasets: what is said without the library, and with it what is made of a set."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from transfer import catalog
from transfer.datasets import tfds
from transfer.engine.samples import splits
from transfer.errors import DownloadFailed, RequestError

needs_library = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow_datasets") is None, reason="tensorflow-datasets is not installed"
)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RequestError, match="pip install 'tensorflow-datasets"):
        catalog.dataset("tfds:beans")
    with pytest.raises(RequestError, match="not a name of"):
        catalog.dataset("tfds:../beans")


def test_what_was_asked_for_is_listed_with_its_size(home: Path) -> None:
    about = {"classes": ["a", "b"], "side": 0, "channels": 3, "count": 9, "megabytes": 171.7}
    about |= {"summary": "s", "reference": "r"}
    tfds._file("beans").write_text(json.dumps(about))
    assert [(one.key, one.download_mb, one.shape) for one in catalog.own_datasets()] == [
        ("tfds:beans", 171.7, (224, 224, 3))
    ]


@needs_library
def test_a_set_is_exported_and_read_as_own_pictures(home: Path, tmp_path: Path) -> None:
    import tensorflow_datasets

    class Tiny(tensorflow_datasets.core.GeneratorBasedBuilder):
        """Three classes of blank pictures."""

        VERSION = tensorflow_datasets.core.Version("1.0.0")

        def _info(self):  # type: ignore[no-untyped-def]  # as theirs
            features = tensorflow_datasets.features.FeaturesDict(
                {
                    "image": tensorflow_datasets.features.Image(shape=(20, 20, 3)),
                    "label": tensorflow_datasets.features.ClassLabel(names=["zebra", "ant", "a/b"]),
                }
            )
            return self.dataset_info_from_configs(features=features)

        def _split_generators(self, dl_manager):  # type: ignore[no-untyped-def]  # as theirs
            return {"train": self._generate_examples(12), "test": self._generate_examples(6)}

        def _generate_examples(self, count):  # type: ignore[no-untyped-def]  # as theirs
            for place in range(count):
                yield place, {"image": np.full((20, 20, 3), 80 * (place % 3), "uint8"), "label": place % 3}

    about = tfds.facts("tiny")
    assert (about["classes"], about["side"]) == (["a_b", "ant", "zebra"], 20)
    tfds._file("tiny").write_text(json.dumps(about))
    split = splits.split(catalog.dataset("tfds:tiny"), 0)
    assert (len(split.train) + len(split.validation), len(split.test)) == (12, 6)
    both = zip(split.test.inputs, split.test.labels, strict=True)
    shades = {split.classes[label]: int(picture.mean()) for picture, label in both}
    assert shades == {"zebra": 0, "ant": 80, "a_b": 160}
    with pytest.raises(RequestError, match="no picture set of that name"):
        tfds.facts("no_such_set")


@needs_library
def test_without_a_network_it_gives_up_soon_and_says_how_large_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    import urllib.request

    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    about = tfds.facts("beans")
    assert about["megabytes"] > 100
    tfds._file("beans").write_text(json.dumps(about))
    monkeypatch.setattr(urllib.request, "urlopen", offline)
    with pytest.raises(DownloadFailed, match=rf"tfds:beans \({about['megabytes']:g} MB\)"):
        catalog.dataset("tfds:beans").load()
