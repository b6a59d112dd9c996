"""A split as one network reads it: of texts, tokens in place of what was written."""

from __future__ import annotations

from dataclasses import replace

from transfer.backbones import Backbone
from transfer.datasets import Samples
from transfer.engine.samples.splits import Split
from transfer.modalities import modality


def taken_in(split: Split, backbone: Backbone, size: int) -> Split:
    """The same split with each sample as the backbone reads it.

    Args:
        split: of raw samples.
        backbone: whose network they enter.
        size: of what it is fed.
    """
    kind = modality(backbone.modality)

    def read(part: Samples) -> Samples:
        return Samples(kind.read(part.inputs, backbone, size), part.labels)

    return replace(
        split,
        train=read(split.train),
        validation=read(split.validation),
        test=read(split.test),
        unlabelled=kind.read(split.unlabelled, backbone, size),
    )
