"""The addresses of the weights of `keras.applications`, their checksums, and their ImageNet accuracies.

Addresses and checksums are those of Keras 3.15 (``tools/describe_keras_applications.py`` compares them);
the accuracies are from its documentation, https://keras.io/api/applications, except for MobileNetV3, whose two
are from the documentation of Keras 2.
"""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """The weights of one network, without its classifier.

    Args:
        address: the address without `STORE`.
        digest: MD5 or SHA-256; empty if Keras has none.
        top1: top-1 accuracy on ImageNet's validation pictures with the classifier, in percent.
    """

    address: str
    digest: str
    top1: float


STORE = "https://storage.googleapis.com/"
WEIGHTS = {
    "MobileNet": Published(
        "tensorflow/keras-applications/mobilenet/mobilenet_1_0_224_tf_no_top.h5",
        "",
        70.4,
    ),
    "MobileNetV2": Published(
        "tensorflow/keras-applications/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
        "",
        71.3,
    ),
    "MobileNetV3Small": Published(
        "tensorflow/keras-applications/mobilenet_v3/weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
        "d3e8ec802a04aa4fc771ee12a9a9b836",
        68.1,
    ),
    "MobileNetV3Large": Published(
        "tensorflow/keras-applications/mobilenet_v3/weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
        "07fb09a5933dd0c8eaafa16978110389",
        75.6,
    ),
    "VGG16": Published(
        "tensorflow/keras-applications/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "6d6bbae143d832006294945121d1f1fc",
        71.3,
    ),
    "VGG19": Published(
        "tensorflow/keras-applications/vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "253f8cb515780f3b799900260a226db6",
        71.3,
    ),
    "ResNet50": Published(
        "tensorflow/keras-applications/resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "4d473c1dd8becc155b73f8504c6f6626",
        74.9,
    ),
    "ResNet101": Published(
        "tensorflow/keras-applications/resnet/resnet101_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "88cf7a10940856eca736dc7b7e228a21",
        76.4,
    ),
    "ResNet152": Published(
        "tensorflow/keras-applications/resnet/resnet152_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "ee4c566cf9a93f14d82f913c2dc6dd0c",
        76.6,
    ),
    "ResNet50V2": Published(
        "tensorflow/keras-applications/resnet/resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "fac2f116257151a9d068a22e544a4917",
        76.0,
    ),
    "ResNet101V2": Published(
        "tensorflow/keras-applications/resnet/resnet101v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "c0ed64b8031c3730f411d2eb4eea35b5",
        77.2,
    ),
    "ResNet152V2": Published(
        "tensorflow/keras-applications/resnet/resnet152v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "ed17cf2e0169df9d443503ef94b23b33",
        78.0,
    ),
    "InceptionV3": Published(
        "tensorflow/keras-applications/inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "bcbd6486424b2319ff4ef7d526e38f63",
        77.9,
    ),
    "InceptionResNetV2": Published(
        "tensorflow/keras-applications/inception_resnet_v2/inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "d19885ff4a710c122648d3b5c3b684e4",
        80.3,
    ),
    "Xception": Published(
        "tensorflow/keras-applications/xception/xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "b0042744bf5b25fce3cb969f33bebb97",
        79.0,
    ),
    "DenseNet121": Published(
        "tensorflow/keras-applications/densenet/densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "30ee3e1110167f948a6b9946edeeb738",
        75.0,
    ),
    "DenseNet169": Published(
        "tensorflow/keras-applications/densenet/densenet169_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "b8c4d4c20dd625c148057b9ff1c1176b",
        76.2,
    ),
    "DenseNet201": Published(
        "tensorflow/keras-applications/densenet/densenet201_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "c13680b51ded0fb44dff2d8f86ac8bb1",
        77.3,
    ),
    "NASNetMobile": Published(
        "tensorflow/keras-applications/nasnet/NASNet-mobile-no-top.h5",
        "1ed92395b5b598bdda52abe5c0dbfd63",
        74.4,
    ),
    "NASNetLarge": Published(
        "tensorflow/keras-applications/nasnet/NASNet-large-no-top.h5",
        "d81d89dc07e6e56530c4e77faddd61b5",
        82.5,
    ),
    "EfficientNetB0": Published(
        "keras-applications/efficientnetb0_notop.h5",
        "50bc09e76180e00e4465e1a485ddc09d",
        77.1,
    ),
    "EfficientNetB1": Published(
        "keras-applications/efficientnetb1_notop.h5",
        "74c4e6b3e1f6a1eea24c589628592432",
        79.1,
    ),
    "EfficientNetB2": Published(
        "keras-applications/efficientnetb2_notop.h5",
        "111f8e2ac8aa800a7a99e3239f7bfb39",
        80.1,
    ),
    "EfficientNetB3": Published(
        "keras-applications/efficientnetb3_notop.h5",
        "af6d107764bb5b1abb91932881670226",
        81.6,
    ),
    "EfficientNetB4": Published(
        "keras-applications/efficientnetb4_notop.h5",
        "ebc24e6d6c33eaebbd558eafbeedf1ba",
        82.9,
    ),
    "EfficientNetB5": Published(
        "keras-applications/efficientnetb5_notop.h5",
        "38879255a25d3c92d5e44e04ae6cec6f",
        83.6,
    ),
    "EfficientNetB6": Published(
        "keras-applications/efficientnetb6_notop.h5",
        "9ecce42647a20130c1f39a5d4cb75743",
        84.0,
    ),
    "EfficientNetB7": Published(
        "keras-applications/efficientnetb7_notop.h5",
        "cbcfe4450ddf6f3ad90b1b398090fe4a",
        84.3,
    ),
    "EfficientNetV2B0": Published(
        "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-b0_notop.h5",
        "893217f2bb855e2983157299931e43ff",
        78.7,
    ),
    "EfficientNetV2B1": Published(
        "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-b1_notop.h5",
        "0e80663031ca32d657f9caa404b6ec37",
        79.8,
    ),
    "EfficientNetV2B2": Published(
        "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-b2_notop.h5",
        "1dfe2e7a5d45b6632553a8961ea609eb",
        80.5,
    ),
    "EfficientNetV2B3": Published(
        "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-b3_notop.h5",
        "f6abf7b5849ac99a89b50dd3fd532856",
        82.0,
    ),
    "EfficientNetV2S": Published(
        "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-s_notop.h5",
        "af0682fb74e8c54910f2d4393339c070",
        83.9,
    ),
    "EfficientNetV2M": Published(
        "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-m_notop.h5",
        "1b8dc055df72dde80d614482840fe342",
        85.3,
    ),
    "EfficientNetV2L": Published(
        "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-l_notop.h5",
        "b0b66b5c863aef5b46e8608fe1711615",
        85.7,
    ),
    "ConvNeXtTiny": Published(
        "tensorflow/keras-applications/convnext/convnext_tiny_notop.h5",
        "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
        81.3,
    ),
    "ConvNeXtSmall": Published(
        "tensorflow/keras-applications/convnext/convnext_small_notop.h5",
        "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
        82.3,
    ),
    "ConvNeXtBase": Published(
        "tensorflow/keras-applications/convnext/convnext_base_notop.h5",
        "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
        85.3,
    ),
    "ConvNeXtLarge": Published(
        "tensorflow/keras-applications/convnext/convnext_large_notop.h5",
        "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd",
        86.3,
    ),
    "ConvNeXtXLarge": Published(
        "tensorflow/keras-applications/convnext/convnext_xlarge_notop.h5",
        "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
        86.7,
    ),
}
