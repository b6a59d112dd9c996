"""A small GPT of the lab's own, which has read five of Jane Austen's six novels and comes with the lab."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from transfer.backbones import Backbone, Pretrained
from transfer.seen.trained_on import TrainedOn

if TYPE_CHECKING:
    import keras

FOLDER = Path(__file__).parent / "weights"
FILE, MERGES = FOLDER / "tiny_gpt.safetensors", FOLDER / "tiny_gpt_tokens.json"
# Pairs of bytes that stand together often are one token: as many characters again fit into a text's 128 tokens, and
# into a minute of training, as three times the letters would. Every text can be written in bytes: none is unknown.
WORDS, PLACES, WIDTH, HEADS, INNER = 1024, 128, 128, 4, 512
FILL, BEGIN = 0, 1
BLOCKS = tuple(f"block{number}" for number in range(1, 4))
UNREAD = "Emma"
# The chapters that the data sets of Austen train on, but not those they test on, and nothing of Emma.
READ = TrainedOn(
    "austen_chapters", 0, labels=0, drawn_from=("Austen, training chapters",), unlabelled=True, name="austen_chapters"
)
MOST_LETTERS_A_TOKEN = 40


@functools.cache
def tokenizer() -> Any:
    """The library's tokenizer, without marks: a text's tokens and back."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(MERGES))


def tokens(texts: Sequence[str], size: int) -> np.ndarray:
    """Pieces of words, in bytes, after a mark for the beginning; int32, shape (n, size), 0 fills up."""
    begun = [one[: size * MOST_LETTERS_A_TOKEN].encode("utf-8", "replace").decode() for one in texts]
    found = np.full((len(begun), size), FILL, "int32")
    for row, one in zip(found, tokenizer().encode_batch_fast(begun), strict=True):
        kept = one.ids[: size - 1]
        row[0], row[1 : 1 + len(kept)] = BEGIN, kept
    return found


def written(tokens: Sequence[int]) -> str:
    """The text of tokens; a character of which a byte is missing becomes a sign for that."""
    return str(tokenizer().decode(list(tokens)))


def build(size: int) -> list[keras.Model]:
    """Vectors of token and place, three blocks that look back only, and the mean over tokens."""
    import keras

    from transfer.modalities.text import rows, transformer

    stages = [transformer.embedding(size, WORDS, WIDTH, PLACES, "embedding")]
    stages += [transformer.block(size, WIDTH, HEADS, INNER, name, causal=True) for name in BLOCKS]
    entry = keras.Input((size, WIDTH))
    return [*stages, keras.Model(entry, rows.mean(entry), name="mean")]


def load(stages: list[keras.Model]) -> None:
    """Puts the shipped weights into the stages."""
    from safetensors.numpy import load_file

    held = load_file(FILE)
    for stage in stages:
        stage.set_weights([held[f"{stage.name}/{place}"].astype("float32") for place in range(len(stage.weights))])


@functools.cache
def identity() -> str:
    """Digest of weights and tokens."""
    return hashlib.sha256(FILE.read_bytes() + MERGES.read_bytes()).hexdigest()


_A_BLOCK = 4 * (WIDTH + 1) * WIDTH + (WIDTH + 1) * INNER + (INNER + 1) * WIDTH + 4 * WIDTH

TINY_GPT = Backbone(
    key="tiny_gpt",
    title="Tiny GPT",
    summary="Reads from left to right and can go on writing. Trained by the lab on five of Jane Austen's novels, "
    "without Emma and without the chapters that Austen's data sets test on. Small enough to be trained further on two "
    "cores; it knows one author's English and nothing else.",
    parameters=(WORDS + PLACES + 2) * WIDTH + len(BLOCKS) * _A_BLOCK,
    stages=("embedding", *BLOCKS, "mean"),
    size=PLACES,
    smallest=8,
    largest=PLACES,
    channels=0,
    licence="Apache-2.0 (part of the lab), trained on texts in the public domain",
    reference="[Radford et al. 2018](https://cdn.openai.com/research-covers/language-unsupervised/"
    "language_understanding_paper.pdf), three blocks of width 128",
    build=build,
    pretrained=Pretrained(
        "five novels of Jane Austen", "the lab's own, made by tools/pretrain_tiny_gpt.py", identity(), load
    )
    if FILE.exists()  # it is not there while the tool makes it for the first time
    else None,
    modality="text",
    preprocessing="pieces of words in bytes, 1,024 of them",
    trained_on=(READ,),
    parts=frozenset({"normalisation", "biases", "kernels", "attention"}),
    tokens=tokens,
    language="causal",
    written=written,
)
