"""The contract of `transfer.backbones.Backbone`, over the backbones that can be built in seconds."""

from __future__ import annotations

import functools
import subprocess
import sys
import urllib.error
import urllib.request

import numpy as np
import pytest

from transfer.backbones import keras_applications as applications
from transfer.backbones.cutting import learns
from transfer.backbones.dense import DENSE
from transfer.backbones.efficientnet_lite0 import EFFICIENTNET_LITE0
from transfer.backbones.keras_applications import FAMILIES, KERAS_APPLICATIONS
from transfer.backbones.keras_weights import WEIGHTS
from transfer.backbones.small_cnn import SMALL_CNN
from transfer.errors import DownloadFailed

BY_KEY = {backbone.key: backbone for backbone in KERAS_APPLICATIONS}
NETS = {net.key: (family, net) for family in FAMILIES for net in family.nets}
FEW = [SMALL_CNN, DENSE, EFFICIENTNET_LITE0] + [
    BY_KEY[key] for key in ("mobilenet_v2", "mobilenet_v3_small", "vgg16", "efficientnet_b0")
]


@functools.cache
def built(backbone, size):
    """Its stages in that size, built once for all tests that only look at them."""
    return backbone.build(size)


def pictures(backbone, size, count=2):
    """Noise of 0 to 255."""
    shape = (count, size, size, backbone.channels)
    return np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)


def run(stages, signal):
    """The output of a chain of stages, in inference mode."""
    for stage in stages:
        signal = stage(signal, training=False)
    return np.asarray(signal)


@pytest.mark.parametrize("backbone", FEW, ids=lambda backbone: backbone.key)
def test_contract(backbone):
    stages = backbone.build(backbone.size)
    assert tuple(stage.name for stage in stages) == backbone.stages
    assert sum(stage.count_params() for stage in stages) == backbone.parameters
    assert stages[0].input.shape[1:] == (backbone.size, backbone.size, backbone.channels)
    for below, above in zip(stages, stages[1:], strict=False):
        assert below.output.shape == above.input.shape
    assert len(stages[-1].output.shape) == 2


@pytest.mark.parametrize("backbone", FEW, ids=lambda backbone: backbone.key)
def test_smallest_size_works_and_the_input_is_pixels_of_0_to_255(backbone):
    stages = built(backbone, backbone.smallest)
    assert tuple(stage.name for stage in stages) == backbone.stages
    features = run(stages, pictures(backbone, backbone.smallest))
    assert features.shape == (2, stages[-1].output.shape[1])
    assert np.isfinite(features).all()


def preprocessed(stage, pixels):
    """What the stage's first layer with weights receives for one grey picture of that brightness."""
    import keras

    first = next(layer for layer in stage.layers if learns(layer))
    inner = keras.Model(stage.input, first.input)
    picture = np.full((1, *stage.input.shape[1:]), pixels, np.float32)
    return np.asarray(inner(picture))


@pytest.mark.parametrize("backbone", FEW, ids=lambda backbone: backbone.key)
def test_preprocessing_brings_pixels_near_zero_with_unit_spread(backbone):
    stage = built(backbone, backbone.smallest)[0]
    black, white = (preprocessed(stage, pixels).mean() for pixels in (0, 255))
    spread = (white - black) / (255 if backbone.key == "vgg16" else 1)
    assert 0.9 < spread < 4.6
    assert black <= 0 < white


@pytest.mark.parametrize("backbone", [SMALL_CNN, BY_KEY["mobilenet_v2"]], ids=lambda backbone: backbone.key)
def test_a_frozen_stage_keeps_its_weights_and_a_free_one_does_not(backbone):
    import keras

    stages = backbone.build(backbone.smallest)
    stages[0].trainable = False
    assert not stages[0].trainable_weights and stages[1].trainable_weights
    entry = signal = keras.Input(stages[0].input.shape[1:])
    for stage in stages:
        signal = stage(signal)
    model = keras.Model(entry, signal)
    before = [stage.get_weights() for stage in stages]
    model.compile("sgd", "mse", run_eagerly=True)  # tracing takes longer than its one step
    target = np.ones((4, stages[-1].output.shape[1]), np.float32)
    model.fit(pictures(backbone, backbone.smallest, 4), target, epochs=1, verbose=0)
    same = [
        all(np.array_equal(a, b) for a, b in zip(old, stage.get_weights(), strict=True))
        for old, stage in zip(before, stages, strict=True)
    ]
    assert same[0] and not any(same[1:])


def test_batch_statistics_move_only_in_training_mode():
    stages = SMALL_CNN.build(28)
    norm = stages[0].get_layer("conv1_norm")
    before = norm.moving_mean.numpy().copy()
    stages[0](pictures(SMALL_CNN, 28), training=False)
    assert np.array_equal(before, norm.moving_mean.numpy())
    stages[0](pictures(SMALL_CNN, 28), training=True)
    assert not np.array_equal(before, norm.moving_mean.numpy())


def test_every_network_of_keras_applications_is_there():
    import keras

    exported = {name for name in dir(keras.applications) if name[0].isupper()}
    assert {backbone.title for backbone in KERAS_APPLICATIONS} == exported
    assert len(KERAS_APPLICATIONS) == len(BY_KEY) == 40
    # Sizes were not measured: a download has four bytes a weight and a little more.
    assert all(b.pretrained.download_mb >= b.parameters * 4e-6 for b in KERAS_APPLICATIONS)
    assert set(WEIGHTS) == exported
    assert all(60 < backbone.top1 < 90 for backbone in KERAS_APPLICATIONS)
    assert all(backbone.preprocessing and backbone.licence and backbone.reference for backbone in KERAS_APPLICATIONS)


@pytest.mark.parametrize("key", ["mobilenet", "nasnet_mobile", "efficientnet_b0", "convnext_tiny"])
def test_weights_are_fetched_from_where_keras_would_and_checked_alike(key, monkeypatch):
    from keras.src.utils import file_utils

    class Asked(BaseException):
        pass

    def ask(name, origin, file_hash=None, **_):
        raise Asked(origin, name, file_hash or "")

    monkeypatch.setattr(file_utils, "get_file", ask)
    family, net = NETS[key]
    with pytest.raises(Asked) as asked:
        applications._whole(family, net, net.image_size, weights="imagenet")
    remote = applications._remote(family, net)
    assert asked.value.args == (remote.origin, remote.name, remote.digest)


@pytest.mark.parametrize(
    ("key", "module", "size"),
    [("mobilenet_v2", "mobilenet_v2", 96), ("resnet50", "resnet50", 64), ("vgg16", "vgg16", 48)],
)
def test_stages_do_what_keras_own_network_does(key, module, size):
    import keras

    pixels = pictures(BY_KEY[key], size)
    stages = BY_KEY[key].build(size)
    whole = getattr(keras.applications, NETS[key][1].name)(
        include_top=False, weights=None, pooling="avg", input_shape=(size, size, 3)
    )
    # A network of keras.applications has no weights in its preprocessing: ours are the same, in order.
    weights = {weight.path: weight.numpy() for weight in whole.weights}
    for stage in stages:
        for layer in stage.layers:
            if layer.weights:
                layer.set_weights([weights[weight.path] for weight in layer.weights])
    wanted = whole(getattr(keras.applications, module).preprocess_input(pixels.copy()), training=False)
    np.testing.assert_allclose(run(stages, pixels), np.asarray(wanted), atol=1e-4, rtol=1e-4)


def test_stages_can_be_saved_with_their_preprocessing(tmp_path):
    import keras

    for key in ("vgg16", "mobilenet_v3_small", "convnext_tiny"):
        stage = built(BY_KEY[key], 32)[0]
        stage.save(tmp_path / "stage.keras")
        pixels = pictures(BY_KEY[key], 32)
        again = keras.models.load_model(tmp_path / "stage.keras")
        np.testing.assert_allclose(run([again], pixels), run([stage], pixels), atol=1e-5)


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    """An empty KERAS_HOME, and a network that cannot be reached."""
    from keras.src.backend import config

    def unreachable(*_, **__):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(config, "_KERAS_DIR", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    (tmp_path / "models").mkdir()
    return tmp_path


def test_without_a_network_it_says_what_is_missing_and_where_it_may_be_put(keras_home):
    backbone = BY_KEY["mobilenet_v2"]
    path = keras_home / "models" / backbone.pretrained.identity
    with pytest.raises(DownloadFailed) as failure:
        backbone.pretrained.load(backbone.build(32))
    for part in ("MobileNetV2", "10 MB", "no route to host", str(path)):
        assert part in str(failure.value)


def test_a_damaged_file_is_removed(keras_home):
    backbone = BY_KEY["mobilenet_v2"]
    path = keras_home / "models" / backbone.pretrained.identity
    path.write_bytes(b"half a download")
    with pytest.raises(DownloadFailed):
        backbone.pretrained.load(backbone.build(32))
    assert not path.exists()


def write_h5(network, path):
    """Weights in the form of Keras' published files."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)


def test_a_file_put_by_hand_is_used_without_a_network(keras_home):
    backbone = BY_KEY["mobilenet_v2"]
    family, net = NETS["mobilenet_v2"]
    original = applications._whole(family, net, 224)
    write_h5(original, keras_home / "models" / backbone.pretrained.identity)
    stages = backbone.build(64)
    backbone.pretrained.load(stages)
    loaded = [weights for stage in stages for weights in stage.get_weights()]
    wanted = [weight.numpy() for weight in original.weights]
    assert len(loaded) == len(wanted)
    assert all(np.array_equal(a, b) for a, b in zip(loaded, wanted, strict=True))


def test_efficientnets_second_normalisation_is_not_lost(keras_home, monkeypatch):
    """Keras adds a rescaling by 1/sqrt(deviation) only when it loads weights; ours must have it too."""
    import keras
    from keras.src.utils import file_utils

    network = keras.applications.EfficientNetB0(include_top=False, weights=None, pooling="avg")
    normalisation = next(layer for layer in network.layers if isinstance(layer, keras.layers.Normalization))
    # The published file holds these; the variance there is the deviation, which the rescaling mends.
    normalisation.set_weights([np.array(applications.MEAN), np.array(applications.DEVIATION), np.array(0)])
    path = keras_home / "efficientnet.h5"
    write_h5(network, path)
    monkeypatch.setattr(file_utils, "get_file", lambda *_, **__: str(path))
    monkeypatch.setattr(applications, "fetch", lambda *_: path)
    whole = keras.applications.EfficientNetB0(
        include_top=False, weights="imagenet", pooling="avg", input_shape=(64, 64, 3)
    )
    backbone = BY_KEY["efficientnet_b0"]
    stages = backbone.build(64)
    backbone.pretrained.load(stages)
    pixels = pictures(backbone, 64)
    np.testing.assert_allclose(run(stages, pixels), np.asarray(whole(pixels, training=False)), atol=1e-4)


def test_reading_the_backbones_imports_no_keras():
    modules = ("small_cnn", "dense", "efficientnet_lite0", "keras_applications")
    code = "import sys; " + "; ".join(f"import transfer.backbones.{module}" for module in modules)
    code += "; sys.exit('keras' in sys.modules or 'tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
