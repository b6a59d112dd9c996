"""EfficientNet-Lite0: the shipped weights do what they did where they were learned.

Photographs are cropped to their middle square and resized to 224 px with Pillow, bicubic.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from transfer.backbones import efficientnet_lite0 as lite0
from transfer.errors import RunFailed

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))


def middle(photograph):
    """The middle square at 224 px, shape (1, 224, 224, 3), 0 to 255."""
    from PIL import Image

    side = min(photograph.shape[:2])
    top, left = ((size - side) // 2 for size in photograph.shape[:2])
    square = Image.fromarray(photograph[top : top + side, left : left + side])
    return np.asarray(square.resize((224, 224), Image.Resampling.BICUBIC), np.float32)[None]


@pytest.fixture(scope="module")
def stages():
    """The network at 224 px with its weights."""
    stages = lite0.build(224)
    lite0.load_shipped(stages)
    return stages


@pytest.fixture(scope="module")
def classify(stages):
    """Probabilities of the 1000 classes for one picture."""
    kernel, bias = lite0.imagenet_head()

    def probabilities(picture):
        signal = picture
        for stage in stages:
            signal = stage(signal, training=False)
        logits = np.asarray(signal)[0] @ kernel + bias
        likelihood = np.exp(logits - logits.max())
        return likelihood / likelihood.sum()

    return probabilities


def test_it_has_the_published_number_of_weights(stages):
    assert sum(stage.count_params() for stage in stages) == 3_413_024
    assert [stage.output.shape[1:] for stage in stages][::4] == [(112, 112, 32), (14, 14, 80), (1280,)]


def test_a_cup_of_coffee_is_an_espresso(classify):
    from skimage import data

    found = classify(middle(data.coffee()))
    assert found.argmax() == 967
    assert found[967] == pytest.approx(0.940, abs=0.005)


def test_a_cat_is_three_kinds_of_cat(classify):
    from skimage import data

    found = classify(middle(data.chelsea()))
    assert set(found.argsort()[-3:]) == {281, 282, 285}  # tabby, tiger cat, Egyptian cat


def test_a_flower_is_a_daisy(classify):
    from sklearn.datasets import load_sample_image

    assert classify(middle(load_sample_image("flower.jpg"))).argmax() == 985


def test_strided_convolutions_pad_below_and_right_only(stages):
    """With an all-ones kernel, the corner output of a 3x3 stride 2 counts 9 pixels above, 4 below."""
    depthwise = next(s for s in lite0.build(64) if s.name == "block2").get_layer("block2a_depthwise")
    depthwise.set_weights([np.ones_like(depthwise.get_weights()[0])])
    counted = np.asarray(depthwise(np.ones((1, 8, 8, 96), np.float32)))[0, :, :, 0]
    assert counted[0, 0] == 9 and counted[-1, -1] == 4


def test_the_sums_are_those_of_tensorflows_own_network(stages):
    layers = [layer for stage in stages for layer in stage.layers]
    norms = [layer for layer in layers if type(layer).__name__ == "BatchNormalization"]
    assert len(norms) == 49 and {layer.epsilon for layer in norms} == {1e-3}
    assert {layer.max_value for layer in layers if type(layer).__name__ == "ReLU"} == {6.0}
    rescaled = np.asarray(stages[0].get_layer("stem_rescaling")(np.array([[127.0, 255.0]])))
    np.testing.assert_allclose(rescaled, [[0, 1]])


def test_the_head_is_float32():
    kernel, bias = lite0.imagenet_head()
    assert (kernel.shape, bias.shape) == ((1280, 1000), (1000,))
    assert kernel.dtype == bias.dtype == np.float32


@pytest.mark.parametrize("file", [lite0.BODY, lite0.TOP])
def test_the_pinned_digest_is_the_files(file):
    assert hashlib.sha256((lite0.WEIGHTS / file).read_bytes()).hexdigest() == lite0.DIGESTS[file]


def test_a_missing_file_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(lite0, "WEIGHTS", tmp_path)
    with pytest.raises(RunFailed, match="cannot be read.*Reinstall the lab"):
        lite0.load_shipped([])


def test_a_single_changed_bit_is_noticed(tmp_path, monkeypatch):
    content = bytearray((lite0.WEIGHTS / lite0.TOP).read_bytes())
    content[-1] ^= 1
    (tmp_path / lite0.TOP).write_bytes(content)
    monkeypatch.setattr(lite0, "WEIGHTS", tmp_path)
    with pytest.raises(RunFailed, match="damaged.*Reinstall the lab"):
        lite0.imagenet_head()


def test_the_converter_refuses_a_pickle_that_names_anything_else():
    import convert_efficientnet_lite0 as converter

    class Malice:
        def __reduce__(self):
            return print, ("called",)

    with pytest.raises(pickle.UnpicklingError, match="builtins.print"):
        converter.read_checkpoint(pickle.dumps(Malice()))


def test_the_converter_refuses_a_tensor_outside_its_storage():
    import convert_efficientnet_lite0 as converter

    storage = converter.Storage("FloatStorage", 6)
    assert converter.rebuild_tensor(storage, 0, (2, 3), (3, 1)).shape == (2, 3)
    with pytest.raises(pickle.UnpicklingError, match="outside"):
        converter.rebuild_tensor(storage, 1, (2, 3), (3, 1))


def test_the_converter_reads_what_it_should():
    """A checkpoint of one 2x2 kernel written by hand, transposed by its strides."""
    import convert_efficientnet_lite0 as converter

    head = b"".join(pickle.dumps(part, 2) for part in (converter.MAGIC, 1001, {}))
    body = (
        b"\x80\x02}X\x01\x00\x00\x00w"  # {"w":
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x00kX\x03\x00\x00\x00cpuK\x04NtQ"
        b"K\x00K\x02K\x02\x86K\x01K\x02\x86\x89}tRs."  # offset 0, shape (2, 2), strides (1, 2)
    )
    numbers = (4).to_bytes(8, "little") + np.arange(4, dtype="<f4").tobytes()
    read = converter.read_checkpoint(head + body + pickle.dumps(["k"], 2) + numbers)
    assert read["w"].tolist() == [[0, 2], [1, 3]]
