"""Tiny BERT: a BERT of three small blocks that the lab has pretrained itself, and ships.

Learned on the definitions and examples of WordNet and on Jane Austen's novels, two million words, by guessing hidden
words (`tools.pretrain_tiny_bert`). Nothing of what the shipped data sets hold, in any part, was among them, nor
anything that says nearly the same (`tools.texts_of_pretraining`): whatever a run's seed, its test texts are new. They
are of the same kind, though. On other texts, expect less from it.

Two million words are little. Most of what it knows is in its table of vectors, which began as factorised counts of
neighbours; the plain mean of these does better than the frozen network (docs/backbones.md has the figures).
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from transfer.backbones import Backbone, Pretrained
from transfer.errors import RunFailed

if TYPE_CHECKING:
    import keras
    from tokenizers import Tokenizer

FILE = Path(__file__).parent / "weights" / "tiny_bert.safetensors"
# A damaged or replaced file would train without an error but learn nonsense.
DIGEST = "b9fc23629c7534bea7f912a98f12473e8276039f7a3b8a1eb93c0a5149345463"
MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS, PLACES, WIDTH, HEADS, INNER = 4_500, 96, 128, 4, 512
MASK = MARKS.index("[MASK]")
BLOCKS = ("block1", "block2", "block3")


@functools.cache
def held() -> dict[str, np.ndarray]:
    """The arrays of the shipped file by name: weights in half precision, and the vocabulary.

    Raises:
        RunFailed: it is missing or is not the file that was shipped.
    """
    from safetensors.numpy import load

    remedy = f"Reinstall the lab, or restore the file with `git checkout -- {FILE}`."
    try:
        content = FILE.read_bytes()
    except OSError as error:
        raise RunFailed("The weights shipped with the lab cannot be read.", error, remedy) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != DIGEST:
        raise RunFailed("The weights shipped with the lab are damaged.", f"{FILE}, sha256 {digest}", remedy)
    return load(content)


def tokenizer(pieces: Sequence[str]) -> Tokenizer:
    """WordPieces of a vocabulary, in lower case and without accents, between [CLS] and [SEP].

    Args:
        pieces: the vocabulary in the order of its numbers, `MARKS` first.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    numbered = {piece: number for number, piece in enumerate(pieces)}
    made = Tokenizer(models.WordPiece(numbered, unk_token="[UNK]", max_input_chars_per_word=40))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [(mark, numbered[mark]) for mark in ("[CLS]", "[SEP]")]
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return made


@functools.cache
def _shipped(size: int) -> Any:
    made = tokenizer(str(held()["pieces"].tobytes(), "utf-8").split("\n"))
    made.enable_truncation(size)
    made.enable_padding(length=size, pad_id=0, pad_token="[PAD]")
    return made


def tokens(texts: Sequence[str], size: int) -> np.ndarray:
    """WordPieces between [CLS] and [SEP], int32, shape (n, size), 0 fills up."""
    from transfer.texts.words import numbers

    return numbers(_shipped(size), texts, size)


def build(size: int) -> list[keras.Model]:
    """Vectors of token and place, three blocks, and the mean over tokens; random."""
    import keras

    from transfer.modalities.text import rows, transformer

    stages = [transformer.embedding(size, WORDS, WIDTH, PLACES, "embedding")]
    stages += [transformer.block(size, WIDTH, HEADS, INNER, name) for name in BLOCKS]
    entry = keras.Input((size, WIDTH))
    return [*stages, keras.Model(entry, rows.mean(entry), name="mean")]


def load(stages: list[keras.Model]) -> None:
    """Puts the shipped weights into the stages, by layer and variable name."""
    for stage in stages:
        for layer in stage.layers:
            layer.set_weights([held()[f"{layer.name}.{weight.name}"] for weight in layer.weights])


_A_BLOCK = 4 * (WIDTH + 1) * WIDTH + (WIDTH + 1) * INNER + (INNER + 1) * WIDTH + 4 * WIDTH

TINY_BERT = Backbone(
    key="tiny_bert",
    title="Tiny BERT",
    summary="A BERT of three small blocks, pretrained by the lab on two million words of WordNet and Jane Austen. It "
    "shows what little pretraining gives, and can go on reading your texts (language_model_first).",
    parameters=(WORDS + PLACES + 2) * WIDTH + len(BLOCKS) * _A_BLOCK,
    stages=("embedding", *BLOCKS, "mean"),
    size=64,
    smallest=8,
    largest=PLACES,
    channels=0,
    licence="WordNet 3.0",
    reference="[Devlin et al. 2019](https://arxiv.org/abs/1810.04805)",
    build=build,
    pretrained=Pretrained("WordNet and Austen", "tools/pretrain_tiny_bert.py", DIGEST, load),
    modality="text",
    preprocessing="lower case, no accents, WordPieces",
    parts=frozenset({"normalisation", "biases", "kernels", "attention"}),
    tokens=tokens,
    language="masked",
    mask=MASK,
    words=WORDS,
)
