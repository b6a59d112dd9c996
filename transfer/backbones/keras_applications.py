"""All networks of `keras.applications`.

The tables are data: `tools/describe_keras_applications.py` builds each network and prints what they
should contain. Stages follow one rule (`transfer.backbones.cutting`), so a new network only needs one row.

    preprocessing "tf":    x / 127.5 - 1
    preprocessing "tf128": x / 128 - 1
    preprocessing "torch": (x / 255 - mean) / standard deviation of ImageNet
    preprocessing "caffe": blue, green, red, minus ImageNet's mean
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from transfer.backbones import Backbone, Part, Pretrained
from transfer.backbones.cutting import learns, split
from transfer.backbones.keras_weights import STORE, WEIGHTS
from transfer.errors import DownloadFailed
from transfer.fetching import Remote, fetch

if TYPE_CHECKING:
    import keras

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)


UNREADABLE = (OSError, ValueError, KeyError)
OFFLINE = "Works offline: efficientnet_lite0."
FED = {
    "tf": "pixels / 127.5 - 1",
    "tf128": "pixels / 128 - 1",
    "torch": "pixels / 255, minus ImageNet's mean, divided by its standard deviation",
    "efficientnet": "pixels / 255, minus ImageNet's mean, divided by its standard deviation",
    "caffe": "blue, green, red; minus ImageNet's mean",
}


class Net(NamedTuple):
    """One network.

    Args:
        name: name of the function in `keras.applications`.
        key: key on the command line.
        file: Keras' name for its weights, with the family's ending.
        parameters: number of weights without the classifier.
        image_size: the size it was trained on, in pixels.
        stages: number of stages that the rule finds.
        preprocessing: only if it differs from the family's.
        megabytes: size of the download, if it is not four bytes per weight.
    """

    name: str
    key: str
    file: str
    parameters: int
    image_size: int
    stages: int
    preprocessing: str = ""
    megabytes: int = 0


class Family(NamedTuple):
    """The networks of one paper, and what they share.

    Args:
        preprocessing: see the top of this file.
        ending: of the weights' file names.
        smallest: smallest height and width, in pixels, that Keras accepts.
        licence: of the weights; the code is Keras', Apache-2.0.
        summary: what they are good for.
        reference: the paper.
        nets: the networks.
        arguments: additional arguments for the functions.
    """

    preprocessing: str
    ending: str
    smallest: int
    licence: str
    summary: str
    reference: str
    nets: tuple[Net, ...]
    arguments: tuple[tuple[str, Any], ...] = ()


# The lab does the preprocessing, so it is left out of the networks that can do it themselves: Keras'
# Normalization keeps its numbers as weights, but set_weights does not make them take effect.
OURS = (("include_preprocessing", False),)
TF_KERNELS = "_weights_tf_dim_ordering_tf_kernels_notop.h5"

FAMILIES = (
    Family(
        "tf", "_no_top.h5", 32, "Apache-2.0",
        "Small and fast on a CPU; filters each channel separately, then mixes the channels.",
        "Howard et al. 2017, MobileNets: Efficient convolutional neural networks for mobile vision "
        "applications",
        (Net("MobileNet", "mobilenet", "mobilenet_1_0_224_tf", 3_228_864, 224, 5, megabytes=17),),
    ),
    Family(
        "tf", "_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5", 32, "Apache-2.0",
        "The network of TensorFlow's transfer-learning tutorial; narrow between its blocks, wide inside them.",
        "Sandler et al. 2018, MobileNetV2: Inverted residuals and linear bottlenecks",
        (Net("MobileNetV2", "mobilenet_v2", "mobilenet_v2", 2_257_984, 224, 5),),
    ),
    Family(
        "tf", "_224_1.0_float_no_top_v2.h5", 32, "Apache-2.0",
        "MobileNetV2 with channel attention; its architecture was found by search, for phones.",
        "Howard et al. 2019, Searching for MobileNetV3",
        (
            Net("MobileNetV3Small", "mobilenet_v3_small", "weights_mobilenet_v3_small", 939_120, 224, 5),
            Net("MobileNetV3Large", "mobilenet_v3_large", "weights_mobilenet_v3_large", 2_996_352, 224, 5),
        ),
        OURS,
    ),
    Family(
        "caffe", TF_KERNELS, 32, "CC-BY-4.0",
        "Plain 3x3 convolutions: easy to understand, slow, large; still liked for textures and style.",
        "Simonyan & Zisserman 2015, Very deep convolutional networks for large-scale image recognition",
        (
            Net("VGG16", "vgg16", "vgg16", 14_714_688, 224, 5),
            Net("VGG19", "vgg19", "vgg19", 20_024_384, 224, 5),
        ),
    ),
    Family(
        "caffe", TF_KERNELS, 32, "MIT",
        "The yardstick of transfer learning: most papers report it.",
        "He et al. 2016, Deep residual learning for image recognition",
        (
            Net("ResNet50", "resnet50", "resnet50", 23_587_712, 224, 5),
            Net("ResNet101", "resnet101", "resnet101", 42_658_176, 224, 5),
            Net("ResNet152", "resnet152", "resnet152", 58_370_944, 224, 5),
        ),
    ),
    Family(
        "tf", TF_KERNELS, 32, "BSD-3-Clause",
        "ResNet with normalisation before the convolution, which makes deeper networks trainable.",
        "He et al. 2016, Identity mappings in deep residual networks",
        (
            Net("ResNet50V2", "resnet50_v2", "resnet50v2", 23_564_800, 224, 5),
            Net("ResNet101V2", "resnet101_v2", "resnet101v2", 42_626_560, 224, 5),
            Net("ResNet152V2", "resnet152_v2", "resnet152v2", 58_331_648, 224, 5),
        ),
    ),
    Family(
        "tf", TF_KERNELS, 75, "Apache-2.0",
        "Filters of several sizes side by side; much used on medical pictures.",
        "Szegedy et al. 2016, Rethinking the Inception architecture for computer vision",
        (Net("InceptionV3", "inception_v3", "inception_v3", 21_802_784, 299, 5),),
    ),
    Family(
        "tf", TF_KERNELS, 75, "Apache-2.0",
        "Inception with shortcuts: accurate and slow.",
        "Szegedy et al. 2017, Inception-v4, Inception-ResNet and the impact of residual connections "
        "on learning",
        (Net("InceptionResNetV2", "inception_resnet_v2", "inception_resnet_v2", 54_336_736, 299, 5),),
    ),
    Family(
        "tf", TF_KERNELS, 71, "MIT",
        "Inception taken to the extreme: filters every channel separately.",
        "Chollet 2017, Xception: Deep learning with depthwise separable convolutions",
        (Net("Xception", "xception", "xception", 20_861_480, 299, 5),),
    ),
    Family(
        "torch", TF_KERNELS, 32, "BSD-3-Clause",
        "Each layer sees the outputs of all layers before it: few weights, much memory.",
        "Huang et al. 2017, Densely connected convolutional networks",
        (
            Net("DenseNet121", "densenet121", "densenet121", 7_037_504, 224, 5),
            Net("DenseNet169", "densenet169", "densenet169", 12_642_880, 224, 5),
            Net("DenseNet201", "densenet201", "densenet201", 18_321_984, 224, 5),
        ),
    ),
    Family(
        "tf", "_no_top.h5", 32, "Apache-2.0",
        "Its cells were found by search. They reach back two cells, so it can hardly be cut.",
        "Zoph et al. 2018, Learning transferable architectures for scalable image recognition",
        (
            Net("NASNetMobile", "nasnet_mobile", "nasnet_mobile", 4_269_716, 224, 2),
            Net("NASNetLarge", "nasnet_large", "nasnet_large", 84_916_818, 331, 2),
        ),
    ),
    Family(
        "efficientnet", "_notop.h5", 32, "Apache-2.0",
        "High accuracy with few weights; depth, width and resolution grow together from B0 to B7.",
        "Tan & Le 2019, EfficientNet: Rethinking model scaling for convolutional neural networks",
        tuple(
            Net(f"EfficientNetB{n}", f"efficientnet_b{n}", f"efficientnetb{n}", parameters, size, 5)
            for n, (parameters, size) in enumerate(
                (
                    (4_049_571, 224), (6_575_239, 240), (7_768_569, 260), (10_783_535, 300),
                    (17_673_823, 380), (28_513_527, 456), (40_960_143, 528), (64_097_687, 600),
                )
            )
        ),
    ),
    Family(
        "torch", "_notop.h5", 32, "Apache-2.0",
        "EfficientNet redesigned to train faster, with full convolutions in its lower stages.",
        "Tan & Le 2021, EfficientNetV2: Smaller models and faster training",
        (
            Net("EfficientNetV2B0", "efficientnet_v2_b0", "efficientnetv2-b0", 5_919_312, 224, 5),
            Net("EfficientNetV2B1", "efficientnet_v2_b1", "efficientnetv2-b1", 6_931_124, 240, 5),
            Net("EfficientNetV2B2", "efficientnet_v2_b2", "efficientnetv2-b2", 8_769_374, 260, 5),
            Net("EfficientNetV2B3", "efficientnet_v2_b3", "efficientnetv2-b3", 12_930_622, 300, 5),
            Net("EfficientNetV2S", "efficientnet_v2_s", "efficientnetv2-s", 20_331_360, 384, 5, "tf128"),
            Net("EfficientNetV2M", "efficientnet_v2_m", "efficientnetv2-m", 53_150_388, 480, 5, "tf128"),
            Net("EfficientNetV2L", "efficientnet_v2_l", "efficientnetv2-l", 117_746_848, 480, 5, "tf128"),
        ),
        OURS,
    ),
    Family(
        "torch", "_notop.h5", 32, "MIT",
        "A convolutional network with the ideas of vision transformers: layer norm, large filters.",
        "Liu et al. 2022, A ConvNet for the 2020s",
        (
            Net("ConvNeXtTiny", "convnext_tiny", "convnext_tiny", 27_820_128, 224, 4),
            Net("ConvNeXtSmall", "convnext_small", "convnext_small", 49_454_688, 224, 4),
            Net("ConvNeXtBase", "convnext_base", "convnext_base", 87_566_464, 224, 4),
            Net("ConvNeXtLarge", "convnext_large", "convnext_large", 196_230_336, 224, 4),
            Net("ConvNeXtXLarge", "convnext_xlarge", "convnext_xlarge", 348_147_968, 224, 4),
        ),
        OURS,
    ),
)  # fmt: skip


def _preprocess(pixels: Any, kind: str) -> Any:
    """Converts pixels of 0 to 255 to what the network was trained on, in layers that are saved with it."""
    import keras
    from keras import layers

    if kind == "caffe":
        bgr = keras.ops.flip(pixels, axis=-1)
        return layers.Rescaling(1.0, offset=[-mean for mean in CAFFE_MEAN_BGR])(bgr)
    if kind in ("tf", "tf128"):
        return layers.Rescaling(1 / (127.5 if kind == "tf" else 128), offset=-1.0)(pixels)
    # EfficientNet divides by 255 itself (and its Normalization, left as built, changes nothing).
    unit = 1.0 if kind == "efficientnet" else 255.0
    scale = [1 / (unit * deviation) for deviation in DEVIATION]
    offset = [-mean / deviation * 255 / unit for mean, deviation in zip(MEAN, DEVIATION, strict=True)]
    return layers.Rescaling(scale, offset=offset)(pixels)


def _whole(family: Family, net: Net, image_size: int, weights: str | None = None) -> keras.Model:
    """The complete network with its preprocessing in front."""
    import keras

    pixels = keras.Input((image_size, image_size, 3), name="pixels")
    return getattr(keras.applications, net.name)(
        include_top=False,
        weights=weights,
        input_tensor=_preprocess(pixels, net.preprocessing or family.preprocessing),
        input_shape=(image_size, image_size, 3),
        pooling="avg",
        **dict(family.arguments),
    )


def _build(image_size: int, family: Family, net: Net) -> list[keras.Model]:
    return split(_whole(family, net, image_size))


def _models_folder() -> Path:
    """Where Keras looks for weights before it downloads them."""
    from keras.src.backend import config  # Keras has no public name for it, and has read the environment itself

    return Path(os.path.expanduser(config.keras_home())) / "models"


def _load(stages: list[keras.Model], family: Family, net: Net) -> None:
    """Puts the ImageNet weights into the stages, from Keras' cache; downloads them if necessary.

    Raises:
        DownloadFailed: they could not be fetched or read; no incomplete file is left.
    """
    path = fetch(f"the ImageNet weights of {net.name}", _remote(family, net), _models_folder())
    try:
        # At the size it was trained on, which is part of some file names; the weights do not depend on the size.
        donor = _whole(family, net, net.image_size, weights="imagenet")
    except UNREADABLE as error:
        path.unlink(missing_ok=True)
        raise DownloadFailed(
            f"The ImageNet weights of {net.name} could not be read; the file was removed.",
            error,
            f"Connect to the internet and try again, or put the file at {path} by hand. {OFFLINE}",
        ) from error
    carry_over(donor, stages)


def carry_over(donor: keras.Model, stages: list[keras.Model]) -> None:
    """Puts the weights of a complete network into its stages, whatever size these were built for."""
    for stage, giver in zip(stages, split(donor), strict=True):
        pairs = zip(filter(learns, stage.layers), filter(learns, giver.layers), strict=True)
        for layer, other in pairs:
            layer.set_weights(other.get_weights())


def _remote(family: Family, net: Net) -> Remote:
    """The file with Keras' name and checksum."""
    published = WEIGHTS[net.name]
    return Remote(STORE + published.address, f"{net.file}{family.ending}", published.digest, _megabytes(net))


def _megabytes(net: Net) -> int:
    return net.megabytes or round(net.parameters * 4 / 1e6) + 1


def _parts(net: Net) -> frozenset[Part]:
    """Nearly all have batch normalisation; ConvNeXt has layer normalisation, VGG none."""
    found: set[Part] = {"biases", "kernels", "maps"}
    if not net.name.startswith("VGG"):
        found.add("normalisation")
        if not net.name.startswith("ConvNeXt"):
            found.add("batch norm")
    return frozenset(found)


def _backbone(family: Family, net: Net) -> Backbone:
    return Backbone(
        key=net.key,
        title=net.name,
        summary=family.summary,
        parameters=net.parameters,
        stages=tuple(f"stage{n}" for n in range(1, net.stages + 1)),
        size=net.image_size,
        smallest=family.smallest,
        channels=3,
        licence=f"code Apache-2.0 (Keras), weights {family.licence}",
        reference=family.reference,
        build=functools.partial(_build, family=family, net=net),
        parts=_parts(net),
        preprocessing=FED[net.preprocessing or family.preprocessing],
        top1=WEIGHTS[net.name].top1,
        pretrained=Pretrained(
            source="ImageNet",
            origin=f"keras.applications.{net.name}",
            identity=f"{net.file}{family.ending}",
            load=functools.partial(_load, family=family, net=net),
            download_mb=_megabytes(net),
        ),
    )


KERAS_APPLICATIONS = [_backbone(family, net) for family in FAMILIES for net in family.nets]
