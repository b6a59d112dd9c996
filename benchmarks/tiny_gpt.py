"""How well tiny_gpt foresees a novel it has not read, and what going on with some of that novel does.

    python -m benchmarks.tiny_gpt [SEEDS]

Emma's passages for training are read on, those for the test are judged; a random start reads the same.
"""

from __future__ import annotations

import sys
from typing import Any

import keras
import numpy as np

from tools.pretrain_tiny_gpt import Reader
from transfer.backbones.tiny_gpt import TINY_GPT, UNREAD, load
from transfer.datasets.austen import NOVELS
from transfer.datasets.shipped import shipped
from transfer.modalities.text import next_token
from transfer.modalities.text.writing import Writer

SIZES, STEPS, BATCH, EVERY = (40_000, 5_000), 120, 16, 40
RATES = {"pretrained": 4e-4, "random": 1.5e-3}


def main(seeds: int = 1) -> None:
    """Prints bits a character on the test passages, before and while reading on."""
    found = shipped("austen", NOVELS)
    assert found.test is not None
    emma = NOVELS.index(UNREAD)
    train, test = (
        [str(part.inputs[int(at)]) for at in np.flatnonzero(part.labels == emma)] for part in (found.train, found.test)
    )
    test = test[:: max(1, len(test) // 40)]
    print(f"judged on {sum(map(len, test)):,} characters of {UNREAD}'s test chapters")
    for letters in SIZES:
        text = "\n".join(train)[:letters]
        for seed in range(seeds):
            for start, rate in RATES.items():
                print(
                    f"{start}, {letters:,} characters, seed {seed}:", read_on(start, text, test, rate, seed), flush=True
                )


def read_on(start: str, text: str, test: list[str], rate: float, seed: int) -> str:
    """Bits a character on the test before, and after every `EVERY` steps."""
    keras.utils.set_random_seed(seed)
    stages = TINY_GPT.build(TINY_GPT.size)
    if start == "pretrained":
        load(stages)
    writer = Writer(TINY_GPT, stages)
    trunk, table = next_token.trunk(stages)
    model: Any = Reader(trunk, table)
    model.compile(optimizer=keras.optimizers.AdamW(rate, weight_decay=0.05, clipnorm=1.0))
    stream, random = writer.encoded(text), np.random.default_rng(seed)
    bits = [writer.bits_a_character(*test)]
    for step in range(1, STEPS + 1):
        at = random.integers(0, len(stream) - writer.size, BATCH)
        tokens = stream[at[:, None] + np.arange(writer.size)]
        model.train_on_batch(tokens, tokens)
        if step % EVERY == 0:
            bits.append(writer.bits_a_character(*test))
    return ", ".join(f"{one:.2f}" for one in bits)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
