"""Makes the weights and tokens of transfer/backbones/tiny_gpt.py from the Debian package r-cran-janeaustenr 1.0.0-1.

    python -m tools.pretrain_tiny_gpt AUSTEN [STEPS]

AUSTEN is the folder with the unpacked package. Read are five novels, without `UNREAD` and without every fourth chapter,
which the data sets of Austen keep for the test. Equal packages, steps and libraries on one machine give equal weights.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from safetensors.numpy import save_file

from tools.texts_of_austen import chapters
from transfer.backbones.tiny_gpt import BEGIN, BLOCKS, FILE, MERGES, PLACES, UNREAD, WORDS, build, tokenizer
from transfer.modalities.text import next_token

STEPS, BATCH, RATE, WARM = 1400, 32, 2e-3, 100


def main(package: Path, steps: int = STEPS) -> None:
    """Learns the tokens, then the network, and writes both."""
    found = chapters(package / "usr/lib/R/site-library/janeaustenr/data")
    texts = [text for novel, several in found.items() if novel != UNREAD for part, text in several if part == "train"]
    learn_tokens(texts)
    streams = [np.array(one.ids, "int32") for one in tokenizer().encode_batch(texts)]
    letters, count = sum(map(len, texts)), sum(map(len, streams))
    print(f"{len(texts)} chapters, {letters:,} characters, {count:,} tokens", flush=True)
    keras.utils.set_random_seed(0)
    stages = build(PLACES)
    train(stages, streams, steps, letters / count)
    held = {
        f"{stage.name}/{place}": value.astype("float16")
        for stage in stages
        if stage.name in ("embedding", *BLOCKS)
        for place, value in enumerate(stage.get_weights())
    }
    save_file(held, FILE)
    print(f"{FILE.stat().st_size / 1e6:.2f} MB")


def learn_tokens(texts: list[str]) -> None:
    """Byte pairs that are frequent in the texts, by the library tokenizers."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    # Two numbers are kept for what fills up and what begins; as words of the model, not as marks, no text holds them.
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS, special_tokens=["[FILL]", "[BEGIN]"], initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(texts, trainer)
    kept = re.sub(r'"added_tokens": \[.*?\n  \]', '"added_tokens": []', made.to_str(pretty=True), flags=re.DOTALL)
    MERGES.write_text(Tokenizer.from_str(kept).to_str())


def batches(streams: list[np.ndarray], random: np.random.Generator) -> Any:
    """Windows of the chapters, half of them from the beginning of a sentence, with the mark that begins a text."""
    stream = np.concatenate(streams)
    pieces = [tokenizer().id_to_token(number) for number in range(WORDS)]
    opens = np.array([bool(re.match('\u0120["A-Z]', one)) for one in pieces])
    closes = np.array([bool(re.search('[.!?"]$', one)) for one in pieces])
    sentences = np.flatnonzero(opens[stream[1:]] & closes[stream[:-1]]) + 1
    sentences = sentences[sentences < len(stream) - PLACES]
    while True:
        anywhere = random.integers(0, len(stream) - PLACES, BATCH // 2)
        whole = stream[anywhere[:, None] + np.arange(PLACES)]
        begun = stream[random.choice(sentences, BATCH - BATCH // 2)[:, None] + np.arange(PLACES - 1)]
        yield np.concatenate([whole, np.pad(begun, ((0, 0), (1, 0)), constant_values=BEGIN)])


def train(stages: list[keras.Model], streams: list[np.ndarray], steps: int, letters_a_token: float) -> None:
    """AdamW with a warm start and a cosine to zero; says how it stands every 100 steps."""
    trunk, table = next_token.trunk(stages)
    rate = keras.optimizers.schedules.CosineDecay(0.0, steps - WARM, warmup_target=RATE, warmup_steps=WARM)
    model = Reader(trunk, table)
    model.compile(optimizer=keras.optimizers.AdamW(rate, weight_decay=0.05, clipnorm=1.0))
    began, nats = time.monotonic(), []
    for step, tokens in zip(range(1, steps + 1), batches(streams, np.random.default_rng(0)), strict=False):
        nats.append(float(model.train_on_batch(tokens, tokens)))
        if step % 100 == 0:
            bits = np.mean(nats[-100:]) / np.log(2) / letters_a_token
            print(f"step {step}, {time.monotonic() - began:.0f} s, {bits:.3f} bits a character read", flush=True)


class Reader(keras.Model):
    """The trunk, trained on the token that comes next."""

    def __init__(self, trunk: keras.Model, table: Any) -> None:
        super().__init__()
        self.trunk, self.table = trunk, table

    def call(self, tokens: Any) -> Any:  # noqa: D102  # as Keras has it
        return self.trunk(tokens)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any) -> Any:  # noqa: D102
        return keras.ops.mean(next_token.surprise(y_pred, self.table, y))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:3]))
