"""Backbones. To add one, add a file here that defines a `Backbone` at module level.

A file may define several, separately or in a list; the catalog finds them. Import Keras
inside the build function: the pages import this package and must stay light.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from transfer.seen.trained_on import TrainedOn

if TYPE_CHECKING:
    import keras


# The parts that some strategies work on; see `transfer.void`.
Part = Literal["batch norm", "normalisation", "biases", "kernels", "maps", "attention"]


@dataclass(frozen=True)
class Pretrained:
    """Where a backbone's pretrained weights come from.

    Args:
        source: common name of the data they were trained on ("ImageNet").
        origin: file or package they were taken from.
        identity: changes whenever a weight does (a digest or a release name); used as the key of caches.
        load: puts the weights into the stages that `Backbone.build` returned; may download.
        download_mb: size of that download in megabytes; 0 if shipped with the lab.
        content: digest of the user's file that contains them; empty if they come from elsewhere.
        stages: names of the stages that they are for; the others begin with random weights. Empty: all.
    """

    source: str
    origin: str
    identity: str
    load: Callable[[list[keras.Model]], None]
    download_mb: float = 0.0
    content: str = ""
    stages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Backbone:
    """A network without its head: its stages, its own preprocessing and where its weights come from.

    Args:
        key: name on the command line and in records, snake_case.
        title: name on the page.
        summary: what it is good for, in one or two sentences.
        parameters: number of weights without the head (for a fixed-size network, at ``size``).
        stages: names of the stages, bottom to top.
        size: default size of its input: height and width in pixels, or length in tokens.
        smallest: smallest sensible size.
        channels: of pictures: 1 for grey, 3 for colour; else 0.
        licence: licence of code and weights.
        reference: the paper.
        build: ``build(size)`` returns one `keras.Model` per stage, bottom to top, named as in
            ``stages``, randomly initialised, each taking the output of the one below. The first
            takes what the entrance of its kind gives (float32 pixels, 0 to 255, shape (n, size, size,
            channels); int32 tokens, shape (n, size)) and does the network's own preprocessing; the last
            returns features, shape (n, d).
        pretrained: its pretrained weights, or None if it has to be trained on a source first.
        source_head: kernel and bias of the classifier it was pretrained with, if there is one.
        preprocessing: what its first stage does to the pixels, in a few words.
        top1: top-1 accuracy on ImageNet's validation pictures, with its classifier and at the size
            it was trained on, in percent; None if it was trained on something else.
        modality: key of the kind of sample it reads.
        largest: greatest size; None for any.
        classes: names of the classes of ``source_head``, in order; empty if unknown.
        lessons: what its weights were trained on, as far as the lab trained them.
        tokens: ``tokens(texts, size)`` returns texts as the first stage takes them, int32, shape (n, size), 0 where
            a text has ended; None for networks that read no texts.
        reads_as: key of the backbone whose ``tokens`` are meant, for a network that came of it; empty: its own.
        parts: which of the parts that some strategies work on its stages have; None if unknown beforehand.
        fixed: whether its weights can neither be trained nor reinitialised: it only computes features.
        written: the text of tokens, for a causal one; None for others.
        notes: what a run with it must report: assumptions about the network, and what was left out of it.
        language: what its weights were pretrained to do with texts: ``masked`` guesses hidden tokens, ``causal`` the
            next one; empty: neither. The first variable of its first stage is then the table of tokens, shape
            (words, d), and the last stage with a row for each token gives rows of width d: a row times the table
            gives the logits of the tokens (`transfer.strategies.language_model_first.guessed`).
        mask: of ``masked``, number of the token that hides another; the tokenizer's other marks come before it.
        words: of ``masked``, how many tokens there are.
    """

    key: str
    title: str
    summary: str
    parameters: int
    stages: tuple[str, ...]
    size: int
    smallest: int
    channels: int
    licence: str
    reference: str
    build: Callable[[int], list[keras.Model]]
    pretrained: Pretrained | None = None
    source_head: Callable[[], tuple[np.ndarray, np.ndarray]] | None = None
    modality: str = "image"
    preprocessing: str = "pixels / 255"
    top1: float | None = None
    largest: int | None = None
    classes: tuple[str, ...] = ()
    trained_on: tuple[TrainedOn, ...] = ()
    fixed: bool = False
    notes: tuple[str, ...] = ()
    parts: frozenset[Part] | None = None
    tokens: Callable[[Sequence[str], int], np.ndarray] | None = None
    reads_as: str = ""
    language: Literal["", "masked", "causal"] = ""
    mask: int = 0
    words: int = 0
    written: Callable[[Sequence[int]], str] | None = None


@dataclass(frozen=True)
class Family:
    """Backbones that are created on request, by a key with a prefix: ``run:260101-120000-abc123``.

    Args:
        prefix: the part before the colon.
        open: turns the part after it into the backbone; imports no Keras. Raises `RequestError` if there is none.
        known: keys of those that are offered beside the catalog's backbones.
    """

    prefix: str
    open: Callable[[str], Backbone]
    known: Callable[[], list[str]]
